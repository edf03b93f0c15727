import { open, rm } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { AdminContext } from './context.js';
import { AdminError } from './error.js';

/**
 * Writes a consistent copy of the database, in use or not, to a new file (0600).
 * @param input.path absolute path of a file that does not exist
 */
export async function backUp(
  { store, keys }: AdminContext,
  input: { path: string },
): Promise<{ path: string; bytes: number; keys: string }> {
  const { path } = input;
  if (!store.backup) {
    throw new AdminError('conflict', 'this database cannot copy itself: use the tools of its server');
  }
  if (!isAbsolute(path) || path.includes('\0')) throw new AdminError('invalid', 'expected an absolute path');
  await reserve(path);
  try {
    await store.backup(path);
    return { path, bytes: await makeDurable(path), keys: keys.source };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Makes an empty file with the right mode, so that no copy is ever readable by others, nor replaces a file. */
async function reserve(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.chmod(0o600);
    await file.close();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'EEXIST') {
      throw new AdminError('conflict', `${path} exists already: name another file, or remove it first`);
    }
    throw new AdminError(
      'invalid',
      `cannot write ${path} (${String(code)}): name a file in a directory that exists`,
    );
  }
}

async function makeDurable(path: string): Promise<number> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
