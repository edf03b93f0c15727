import { request } from 'node:http';
import { ADMIN_ERROR_KINDS, AdminError, type AdminErrorKind } from './error.js';
import type { Administration } from './operations.js';
import { socketAddress } from './socket-address.js';

/** No server listens on the socket: nothing was done, and the database may be free to open. */
export class NobodyListensError extends Error {
  constructor(path: string) {
    super(`no server listens on ${path}`);
    this.name = 'NobodyListensError';
  }
}

const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * Administration through a running server's socket.
 * @throws NobodyListensError when there is none; AdminError as the operation, or `failed` when the server went away
 * before it answered, so that what became of the operation is unknown
 */
export function administrationAt(path: string): Administration {
  return (async (name: string, input: unknown) => {
    const { status, text } = await post(path, `/${name}`, JSON.stringify(input));
    const answer = parse(text);
    if (status === 200 && answer && 'result' in answer) return answer.result;
    const error = answer?.error as { kind?: unknown; message?: unknown } | undefined;
    if (typeof error?.message !== 'string') {
      throw new AdminError('failed', `the server on ${path} gave an answer that this version does not know`);
    }
    const kind = ADMIN_ERROR_KINDS.find((each) => each === error.kind) ?? 'failed';
    throw new AdminError(kind satisfies AdminErrorKind, error.message);
  }) as Administration;
}

function post(path: string, target: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const fail = (error: NodeJS.ErrnoException) => reject(explain(path, error, connected));
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const socketPath = socketAddress(path);
    const outgoing = request({ socketPath, path: target, method: 'POST', headers, agent: false });
    outgoing.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    outgoing.on('error', fail);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER) response.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    outgoing.end(body);
  });
}

function explain(path: string, error: NodeJS.ErrnoException, connected: boolean): Error {
  if (connected) {
    return new AdminError(
      'failed',
      `the server went away before it answered (${error.code ?? error.message})`,
    );
  }
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return new NobodyListensError(path);
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new AdminError(
      'conflict',
      `${path} belongs to another user: run this as the user that the server runs as`,
    );
  }
  return new AdminError('failed', `cannot connect to ${path} (${error.code ?? error.message})`);
}

function parse(text: string): { result?: unknown; error?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
