import { closeSync, openSync, readSync } from 'node:fs';
import { ConfigError } from './error.js';

/** How the loader reads files; tests give their own. */
export interface ConfigFiles {
  /**
   * The whole content of a file. More than `limit` bytes need not be read: `limit + 1` tell that it is too long.
   * @throws Error whose `code` is the operating system's
   */
  read(path: string, limit: number): Uint8Array;
}

/** Node's file system. Reads pipes and devices too, no further than the limit. */
export const nodeFiles: ConfigFiles = {
  read(path, limit) {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(limit + 1);
      let length = 0;
      for (;;) {
        const read = readSync(file, buffer, length, buffer.length - length, null);
        length += read;
        if (read === 0 || length === buffer.length) return buffer.subarray(0, length);
      }
    } finally {
      closeSync(file);
    }
  },
};

/**
 * Reads a text file that a key names.
 * @throws ConfigError naming key and path, never content
 */
export function readText(key: string, path: string, limit: number, files: ConfigFiles): string {
  let bytes: Uint8Array;
  try {
    bytes = files.read(path, limit);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const why = typeof code === 'string' ? (REASONS[code] ?? code) : 'unknown reason';
    throw new ConfigError(key, `cannot read the file ${path} (${why})`);
  }
  if (bytes.length > limit) throw new ConfigError(key, `the file ${path} is larger than ${limit} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError(key, `the file ${path} is not UTF-8 text`);
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is none',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
};
