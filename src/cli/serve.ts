import { join } from 'node:path';
import type { Command } from 'commander';
import { banner } from '../admin/banner.js';
import type { RunningServer } from '../server.js';
import { writePrivateFile } from '../store/private-file.js';
import { readConfig } from './connect.js';
import { inboxChannels } from './inbox.js';

/** `serve`: runs until SIGTERM or SIGINT, then drains; a second signal ends it at once. */
export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('run the server until it is told to stop (SIGTERM, SIGINT)')
    .action(async () => {
      const config = await readConfig();
      const stopped = stopSignal();
      const { startServer } = await import('../server.js');
      const server = await startServer(config);
      const tokenFile = keepToken(server, config.dataDir);
      const { url, bootstrap } = server;
      const inbox = await inboxChannels(config);
      process.stdout.write(banner({ url, dataDir: config.dataDir, bootstrap, tokenFile, inbox }));
      await stopped;
      await server.drain();
      process.exit(0);
    });
}

/** Writes the first account's token to a file, unless a person sees it on a terminal. */
function keepToken({ bootstrap }: RunningServer, dataDir: string): string | null {
  if (bootstrap.token === null || process.stdout.isTTY) return null;
  const path = join(dataDir, 'auth-token');
  writePrivateFile(path, `${bootstrap.token}\n`);
  return path;
}

/** As shells count: 128 and the number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves at the first signal, even one that comes while the server starts. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(EXIT_CODES[signal]);
        asked = true;
        resolve();
      });
    }
  });
}
