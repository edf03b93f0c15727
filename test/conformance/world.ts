import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { remove } from '../support/remove.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const AUTH_ID = 'MACONFORMANCE0000000';
const AUTH_TOKEN = 'conformance-uses-this-token-of-40-chars-';
/** How long a driver waits for messages and callbacks at most, in milliseconds. */
const PATIENCE = 60_000;

/** A server of a client's own, and what stands around it: the recipient's phone and the customer's web server. */
export interface World {
  /** The server's address, without a trailing slash. */
  readonly url: string;
  readonly authId: string;
  readonly authToken: string;
  /** What drivers read from their environment. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface Callback {
  readonly method: string;
  /** As it arrived, from the scheme to the query. */
  readonly url: string;
  readonly nonceV2: string;
  readonly signatureV2: string;
  readonly nonceV3: string;
  readonly signatureV3: string;
  /** Of the body of a POST; empty for a GET, whose parameters are in the URL. */
  readonly parameters: Record<string, string>;
}

/** Starts the built server on a free port, with an empty data directory and the inbox. */
export async function startWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-conformance-world-'));
  const config = join(directory, 'countersign.yaml');
  writeFileSync(config, 'limits:\n  countries: [US]\n');
  const child = spawn(
    process.execPath,
    ['--import', new URL('clock.js', import.meta.url).href, join(ROOT, 'dist/cli.js'), 'serve'],
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: {
        PATH: process.env.PATH,
        COUNTERSIGN_PORT: '0',
        COUNTERSIGN_METRICS_ADDRESS: 'off',
        COUNTERSIGN_LOG_LEVEL: 'warn',
        COUNTERSIGN_CONFIG: config,
        COUNTERSIGN_DATA_DIR: join(directory, 'data'),
        COUNTERSIGN_CALLBACK_ALLOW: '127.0.0.1/32',
        COUNTERSIGN_BOOTSTRAP_AUTH_ID: AUTH_ID,
        COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: AUTH_TOKEN,
      },
    },
  );
  const url = await addressOf(child);
  const surroundings = await startSurroundings(child, url);
  const applicationId = await defaultApplication(url);
  return {
    url,
    authId: AUTH_ID,
    authToken: AUTH_TOKEN,
    env: {
      COUNTERSIGN_URL: url,
      AUTH_ID,
      AUTH_TOKEN,
      APP_UUID: applicationId,
      SURROUNDINGS_URL: surroundings.url,
      // French, where only numbers of the United States are permitted.
      BARRED_RECIPIENT: '33612345678',
    },
    close: async () => {
      await surroundings.close();
      child.kill('SIGTERM');
      // What its end is like other tests say: a driver that failed may have left it much to wait for.
      const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      clearTimeout(patience);
      remove(directory);
    },
  };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      const match = /answers at (http:\S+)/.exec(text);
      if (match) resolve(match[1]!);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
  });
}

async function ask(url: string, path: string, body?: object) {
  const response = await fetch(`${url}/v1/Account/${AUTH_ID}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Basic ${btoa(`${AUTH_ID}:${AUTH_TOKEN}`)}`,
      'content-type': 'application/json',
    },
    body: body ? JSON.stringify(body) : null,
  });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

async function defaultApplication(url: string): Promise<string> {
  const created = await ask(url, '/Verify/Session/', { recipient: '14155550100' });
  const session = await ask(url, `/Verify/Session/${created.body.session_uuid}/`);
  return session.body.app_uuid!;
}

/**
 * What a driver needs beside the server, so that none has to poll or to write an HTTP server:
 * - `GET /inbox?recipient=…&count=n`: the recipient's messages, newest first, once there are so many
 * - `GET /callbacks?session=…&count=n`: the session's callbacks so far, once there are so many
 * - `POST /clock?seconds=n`: lets time pass on the server
 * - any other path takes a callback
 */
async function startSurroundings(child: ChildProcess, server: string) {
  const callbacks: Callback[] = [];
  const http = createServer(async (request, response) => {
    const url = new URL(request.url!, `http://${request.headers.host}`);
    const count = Number(url.searchParams.get('count'));
    switch (url.pathname) {
      case '/inbox': {
        const path = `/Inbox/?recipient=${url.searchParams.get('recipient')}`;
        return answer(response, count, async () => (await ask(server, path)).body.messages!);
      }
      case '/callbacks': {
        const session = url.searchParams.get('session');
        const found = () =>
          callbacks.filter((each) => `${each.url} ${JSON.stringify(each.parameters)}`.includes(session!));
        return answer(response, count, async () => found());
      }
      case '/clock': {
        child.send({ pass: Number(url.searchParams.get('seconds')) * 1000 });
        await once(child, 'message');
        return response.writeHead(204).end();
      }
      default:
        callbacks.push(await readCallback(request));
        return response.writeHead(204).end();
    }
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

async function readCallback(request: IncomingMessage): Promise<Callback> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  const header = (name: string) => String(request.headers[`x-plivo-signature-${name}`]);
  return {
    method: request.method!,
    url: `http://${request.headers.host}${request.url}`,
    nonceV2: header('v2-nonce'),
    signatureV2: header('v2'),
    nonceV3: header('v3-nonce'),
    signatureV3: header('v3'),
    parameters: Object.fromEntries(new URLSearchParams(body)),
  };
}

/** Answers with what is found as soon as it is enough, or with 504. */
async function answer(response: ServerResponse, count: number, find: () => Promise<readonly unknown[]>) {
  const deadline = performance.now() + PATIENCE;
  let found = await find();
  while (found.length < count && performance.now() < deadline) {
    await wait(20);
    found = await find();
  }
  response.writeHead(found.length < count ? 504 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(found));
}
