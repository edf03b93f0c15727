import { type Config, ConfigError, type ConfigFiles, loadConfig } from '#config.js';
import { carrierTypes } from '#delivery/carriers/index.js';

export type Env = Record<string, string | undefined>;

/** Where the tests' `countersign.yaml` is said to be. */
export const YAML_PATH = '/etc/countersign/countersign.yaml';

/** Files that exist only in memory; any other path is absent. */
export function filesOf(contents: Record<string, string | Uint8Array>): ConfigFiles {
  return {
    read(path, limit) {
      const content = contents[path];
      if (content === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
      return Buffer.from(content as string).subarray(0, limit + 1);
    },
  };
}

/** The configuration of an environment, without a `countersign.yaml`. */
export function load(env: Env): Config {
  return loadConfig(env, carrierTypes, filesOf({}));
}

/** The configuration of a `countersign.yaml`. */
export function loadYaml(yaml: string, env: Env = {}, files: Record<string, string> = {}): Config {
  const all = filesOf({ ...files, [YAML_PATH]: yaml });
  return loadConfig({ ...env, COUNTERSIGN_CONFIG: YAML_PATH }, carrierTypes, all);
}

/** The message of the `ConfigError` that loading ends with. */
export function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('expected the configuration to be refused');
}
