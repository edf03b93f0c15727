import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { remove } from '../support/remove.js';

/** How often an installation is tried, which waits for registries that now and then do not answer. */
const TRIES = 3;

/**
 * A directory for what a client installs, kept between runs and laid anew when `contents`, which says what is
 * installed and with what, changes. Only a whole one is found again: an installation that broke off, or that another run
 * makes at the same time, is in nobody's way.
 */
export async function cached(
  client: string,
  contents: string,
  install: (directory: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256').update(contents).digest('hex').slice(0, 16);
  const name = join(cacheRoot(), `${client}-${digest}`);
  const known = `${name}.installed`;
  const before = targetOf(known);
  if (before !== null) return before;
  const directory = await installed(`${name}-`, install);
  const link = `${directory}.link`;
  symlinkSync(directory, link);
  renameSync(link, known);
  return directory;
}

async function installed(prefix: string, install: (directory: string) => Promise<void>): Promise<string> {
  for (let tries = 1; ; tries++) {
    const directory = mkdtempSync(prefix);
    try {
      await install(directory);
      return directory;
    } catch (error) {
      remove(directory);
      if (tries === TRIES) throw error;
    }
  }
}

/** Where a link leads; null when there is none, or nothing where it leads: directories for temporary files are tidied. */
function targetOf(link: string): string | null {
  try {
    const target = readlinkSync(link);
    return lstatSync(target).isDirectory() ? target : null;
  } catch {
    return null;
  }
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
