import { createRequire } from 'node:module';

/** The version of the package, which lies beside the compiled code. */
export function version(): string {
  const { version: text } = createRequire(import.meta.url)('../../package.json') as { version: string };
  return text;
}
