import { relative } from 'node:path';
import { AdminError } from './error.js';

/** `sun_path` holds 108 bytes on Linux and 104 on macOS and the BSDs, its final NUL included. */
const MAX_BYTES = 103;

/**
 * A Unix socket's path as the system is told it: relative to the working directory where that is shorter, since
 * its length is narrowly bounded.
 * @throws AdminError when it is too long either way
 */
export function socketAddress(path: string): string {
  const candidates = [path, relative(process.cwd(), path)].filter(
    (each) => Buffer.byteLength(each) <= MAX_BYTES,
  );
  if (candidates[0] !== undefined) return candidates[0];
  throw new AdminError(
    'invalid',
    `the path of the administration socket, ${path}, is longer than ${MAX_BYTES} bytes: choose a shorter COUNTERSIGN_DATA_DIR`,
  );
}
