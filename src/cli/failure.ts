import { AdminError } from '../admin/error.js';
import { ConfigError } from '../config/error.js';
import { SpeechError } from '../speech/error.js';
import { MasterKeyError } from '../store/master-keys.js';
import { DatabaseUnusableError, DirectoryHeldError } from '../store/sqlite/store.js';
import { MetricsAddressError } from '../telemetry/server.js';

/** What ends a command: a line for the operator, and an exit code. 2: the configuration is bad. 1: all else. */
export interface Failure {
  readonly text: string;
  readonly code: 1 | 2;
}

/** Errors whose message says all: what is wrong, where, and what to do. */
const EXPECTED = [
  AdminError,
  MasterKeyError,
  DirectoryHeldError,
  DatabaseUnusableError,
  MetricsAddressError,
  SpeechError,
];

/** Errors of the operating system that a listening address can cause. */
const LISTENING: Record<string, string> = {
  EADDRINUSE: 'is in use by another program: stop it or choose another port',
  EADDRNOTAVAIL: 'is no address of this machine',
  EACCES: 'may not be used by this user: choose a port from 1024 on',
};

/** Errors of the operating system that a path can cause. */
const PATHS: Record<string, string> = {
  ENOENT: 'there is no such folder or file',
  ENOTDIR: 'a part of it is no folder',
  EISDIR: 'it is a folder: name a file',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'its disk can only be read',
  ENOSPC: 'its disk is full',
};

/** Tells an error that was to be expected in one line; any other with its stack, as it is a defect. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof ConfigError) return { text: error.message, code: 2 };
  if (EXPECTED.some((expected) => error instanceof expected)) {
    return { text: (error as Error).message, code: 1 };
  }
  const { code, syscall, address, port, path } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall === 'listen' && code !== undefined && port !== undefined) {
    return { text: `${address}:${port} ${LISTENING[code] ?? `cannot be listened on (${code})`}`, code: 1 };
  }
  if (syscall !== undefined && path !== undefined) {
    const why = PATHS[code ?? ''];
    return {
      text: `cannot use ${path} (${code}, ${syscall})${why === undefined ? '' : `: ${why}`}`,
      code: 1,
    };
  }
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error), code: 1 };
}
