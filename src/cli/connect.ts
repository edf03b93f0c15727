import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { administrationAt, NobodyListensError } from '../admin/client.js';
import { AdminError } from '../admin/error.js';
import type { Administration } from '../admin/operations.js';
import { nodeFiles } from '../config/files.js';
import { readVariables } from '../config/variables.js';
import type { Config } from '../config.js';
import { DirectoryHeldError } from '../store/sqlite/store.js';

/** Whether there is a file besides the variables. Only a file can name carriers. */
const hasFile = () => Boolean(process.env.COUNTERSIGN_CONFIG);

/** The configuration that this process's environment tells. */
export async function readConfig(): Promise<Config> {
  const { loadConfig } = await import('../config.js');
  const { carrierTypes } = hasFile() ? await import('../delivery/carriers/index.js') : { carrierTypes: [] };
  return loadConfig(process.env, carrierTypes);
}

/**
 * The data directory, when all of the configuration is good. Most commands need no more, and what checks a file and
 * its carriers takes longer to load than they take to run.
 */
async function readDataDir(): Promise<string> {
  return (hasFile() ? await readConfig() : readVariables(process.env, nodeFiles)).dataDir;
}

/** Where the server of this data directory can be administered. */
export function adminSocket({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'admin.sock');
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
  const dataDir = await readDataDir();
  const online = administrationAt(adminSocket({ dataDir }));
  try {
    await online('status', {});
  } catch (error) {
    if (error instanceof NobodyListensError) return offline(await readConfig(), work, create);
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
  const { context, administration } = await openDatabase(config);
  try {
    return await work(administration);
  } finally {
    await context.close();
  }
}

/** Opens the database, with a clear word when a server has it but cannot be talked to. */
export async function openDatabase(config: Config) {
  // Not needed where a server runs, and long to load.
  const { openOffline } = await import('../server.js');
  const { administrationOf } = await import('../admin/operations.js');
  try {
    const context = await openOffline(config);
    return { context, administration: administrationOf(context) };
  } catch (error) {
    if (!(error instanceof DirectoryHeldError)) throw error;
    throw new AdminError(
      'unavailable',
      `${error.message}, which does not answer on ${adminSocket(config)}: if it is starting or stopping, try again in a moment`,
      { cause: error },
    );
  }
}
