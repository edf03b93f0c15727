import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import type { AdminContext } from './context.js';
import { AdminError, type AdminErrorKind } from './error.js';
import { type Administration, administrationOf, isOperation } from './operations.js';
import { socketAddress } from './socket-address.js';

export interface AdminServer {
  /** Takes no more operations and waits for those that run. */
  close(): Promise<void>;
}

const MAX_BODY = 64 * 1024;
const STATUS: Record<AdminErrorKind, number> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  failed: 500,
  unavailable: 503,
};

/**
 * Serves the operations on a Unix socket (0600): `POST /{operation}` with its input as JSON. Who may connect is
 * decided by the file's mode, which is right before the socket has its name. Replaces what an earlier process
 * left: only who holds the data directory gets here.
 * @throws AdminError when the path cannot be a socket's
 */
export async function serveAdmin(context: AdminContext, path: string): Promise<AdminServer> {
  const administration = oneByOne(administrationOf(context));
  const running = new Set<Promise<void>>();
  const server = createServer(async (request, response) => {
    const input = await readBody(request).catch((error: unknown) => error as Error);
    const answered = answer(request, input, response, administration);
    running.add(answered);
    await answered;
    running.delete(answered);
  });
  // An operation may take long; a client that sends nothing may not.
  server.requestTimeout = 10_000;
  server.keepAliveTimeout = 1;
  server.maxConnections = 64;

  const temporary = join(dirname(path), 'admin.new');
  refuseOtherFile(path);
  rmSync(temporary, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketAddress(temporary), () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
  const { ino } = lstatSync(path);

  return {
    async close() {
      // Node removes the name that it listened on; ours is another, and maybe no longer ours.
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true });
      const closed = new Promise((resolve) => server.close(resolve));
      while (running.size > 0) await Promise.all(running);
      // What is left has asked for nothing.
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuseOtherFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isSocket()) {
    throw new AdminError('conflict', `${path} is in the way of the administration socket: move it elsewhere`);
  }
}

/** Operations of several clients never interleave: a rotation never meets a resealing half done. */
function oneByOne(administration: Administration): Administration {
  let last: Promise<unknown> = Promise.resolve();
  return (name, input) => {
    const result = last.then(() => administration(name, input));
    last = result.catch(() => {});
    return result;
  };
}

/** Resolves when the answer is on its way, or the client is gone. */
async function answer(
  request: IncomingMessage,
  input: unknown,
  response: ServerResponse,
  administration: Administration,
): Promise<void> {
  const [status, body] = await handle(request, input, administration).then(
    (result) => [200, { result }] as const,
    (error: unknown) => {
      const known = error instanceof AdminError;
      const kind = known ? error.kind : 'failed';
      const message = known
        ? error.message
        : `a defect: ${error instanceof Error ? error.message : typeof error}`;
      return [STATUS[kind], { error: { kind, message } }] as const;
    },
  );
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    if (response.destroyed) resolve();
    response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
    response.end(JSON.stringify(body));
  });
}

async function handle(
  request: IncomingMessage,
  input: unknown,
  administration: Administration,
): Promise<unknown> {
  const name = request.url?.slice(1) ?? '';
  if (request.method !== 'POST' || !isOperation(name)) {
    throw new AdminError('not-found', 'there is no such operation: is the server of another version?');
  }
  if (input instanceof Error) throw input;
  return administration(name, input as never);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    // What is too long is read to its end, or the answer would not arrive; `requestTimeout` bounds it.
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
  }
  if (size > MAX_BODY) throw new AdminError('invalid', `expected at most ${MAX_BODY} bytes`);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new AdminError('invalid', 'expected JSON');
  }
}
