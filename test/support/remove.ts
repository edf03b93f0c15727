import { rmSync } from 'node:fs';

/**
 * Removes a file or directory, if it is there. A process that was ended a moment ago may still put a file into a directory
 * while that is emptied: it is emptied again then.
 */
export function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 });
}
