import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { administrationAt, NobodyListensError } from '../admin/client.js';
import { AdminError } from '../admin/error.js';
import { type Administration, administrationOf } from '../admin/operations.js';
import { type Config, loadConfig } from '../config.js';
import { carrierTypes } from '../delivery/carriers/index.js';
import { DirectoryHeldError } from '../store/sqlite/store.js';

/** The configuration that this process's environment tells. */
export function readConfig(): Config {
  return loadConfig(process.env, carrierTypes);
}

/** Where a server that uses this configuration can be administered. */
export function adminSocket(config: Config): string {
  return join(config.dataDir, 'admin.sock');
}

/** Whether a server or a command has ever made a database here. */
export function hasDatabase(config: Config): boolean {
  return existsSync(join(config.dataDir, 'countersign.db'));
}

/**
 * Does work on the database: through the running server if there is one, else by opening it here.
 * @param options.create whether to make a database where there is none
 */
export async function withAdministration<Result>(
  work: (administration: Administration) => Promise<Result>,
  { create = false } = {},
): Promise<Result> {
  const config = readConfig();
  const online = administrationAt(adminSocket(config));
  try {
    await online('status', {});
  } catch (error) {
    if (error instanceof NobodyListensError) return offline(config, work, create);
    throw error;
  }
  return work(online);
}

async function offline<Result>(
  config: Config,
  work: (administration: Administration) => Promise<Result>,
  create: boolean,
): Promise<Result> {
  if (!create && !hasDatabase(config)) {
    throw new AdminError(
      'not-found',
      `there is no database in ${config.dataDir}: start the server once, or set COUNTERSIGN_DATA_DIR to where it is`,
    );
  }
  const context = await openDatabase(config);
  try {
    return await work(administrationOf(context));
  } finally {
    await context.close();
  }
}

/** Opens the database, with a clear word when a server has it but cannot be talked to. */
export async function openDatabase(config: Config) {
  const { openOffline } = await import('../server.js');
  try {
    return await openOffline(config);
  } catch (error) {
    if (!(error instanceof DirectoryHeldError)) throw error;
    throw new AdminError(
      'unavailable',
      `${error.message}, which does not answer on ${adminSocket(config)}: if it is starting or stopping, try again in a moment`,
      { cause: error },
    );
  }
}
