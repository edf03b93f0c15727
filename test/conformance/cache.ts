import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * A directory for what a client installs, kept between runs and laid anew when `contents`, which says what is
 * installed and with what, changes, or when an installation broke off.
 */
export async function cached(
  client: string,
  contents: string,
  install: (directory: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256').update(contents).digest('hex').slice(0, 16);
  const directory = join(cacheRoot(), `${client}-${digest}`);
  const mark = join(directory, 'installed');
  if (existsSync(mark)) return directory;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  await install(directory);
  writeFileSync(mark, '');
  return directory;
}

/** The user's own, below the directory for temporary files, where others may have made one of the same name. */
function cacheRoot(): string {
  const { uid, username } = userInfo();
  const root = join(tmpdir(), `countersign-conformance-${uid < 0 ? username : uid}`);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const stat = lstatSync(root);
  if (!stat.isDirectory() || (uid >= 0 && (stat.uid !== uid || (stat.mode & 0o022) !== 0))) {
    throw new Error(`${root} is not a directory that only you can write to: remove it`);
  }
  return root;
}
