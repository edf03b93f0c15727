import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { buildApi } from '#api/app.js';
import type { ApiContext } from '#api/context.js';
import type { OpenApiDocument } from '#api/reference/document.js';
import { loadConfig } from '#config.js';
import { carrierTypes } from '#delivery/carriers/index.js';
import { createReporter } from '#delivery/receipts.js';
import type { Environment } from '#environment.js';
import { Directory } from '#store/directory.js';
import { KeyringHolder } from '#store/keys.js';
import { type MemoryStore, openMemoryStore } from '#store/memory/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { defaultApplication } from '#verify/applications.js';
import { revealCode } from '#verify/codes.js';
import { tokenPlace } from '#verify/keyring.js';
import type { Limits } from '#verify/limits.js';
import type { Account, AccountId, Application, ApplicationId, SessionId } from '#verify/model.js';
import { createRates } from '#verify/rate-card.js';
import { checkAgainst, type Reference } from './reference.js';
import { newId, newKey, wrongCode } from './rows.js';

/** 2026-01-31T08:52:39.363Z, when every server of these tests starts. */
export const START = Date.UTC(2026, 0, 31, 8, 52, 39, 363);

export interface Credentials {
  readonly authId: AccountId;
  readonly token: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; every body is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what is on the wire has no static type
  readonly body: any;
}

export interface ApiServer {
  readonly url: string;
  readonly port: number;
  readonly main: Credentials;
  /** A subaccount of `main`. */
  readonly sub: Credentials;
  /** A main account that has nothing to do with `main`. */
  readonly stranger: Credentials;
  readonly application: Application;
  readonly store: MemoryStore;
  readonly context: ApiContext;
  readonly reference: Reference;
  /** Lines of the log so far. */
  readonly logged: string[];
  /** Moves both clocks. */
  advance(millis: number): void;
  /** Replaces rows of the main account and its default application, as another process would. */
  change(changes: { account?: Partial<Account>; application?: Partial<Application> }): void;
  addApplication(owner: AccountId, changes?: Partial<Application>): Promise<Application>;
  /**
   * A call as `main`, or with other credentials (null: none), below `/v1/Account/{auth_id}`. Rejects when the answer is
   * not as the reference says.
   */
  call(
    method: string,
    path: string,
    options?: { body?: unknown; as?: Credentials | null; of?: AccountId; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** Starts a session that must be accepted, and resolves to its uuid. */
  create(body?: Record<string, unknown>): Promise<SessionId>;
  /** The right code of a session, and one that is wrong. */
  codes(session: SessionId): Promise<{ right: string; wrong: string }>;
  /** Lets the inbox take the latest attempt of a session, a call, and have it answered. */
  take(session: SessionId): Promise<void>;
  /** Lets the carrier take and deliver the latest attempt of a session. */
  deliver(session: SessionId): Promise<void>;
  close(): Promise<void>;
}

let known: Reference | undefined;

/** The reference of these servers, which is the same for all of a file. */
async function documented(url: string): Promise<Reference> {
  known ??= checkAgainst((await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument);
  return known;
}

/** The defaults. */
export const LIMITS: Limits = loadConfig({}, carrierTypes).limits;

/** A real API on a real port, over a store in memory and a clock that moves only when it is told to. */
export async function startApi(
  overrides: Partial<ApiContext> = {},
  options: { readonly logLevel?: string; readonly mount?: (app: FastifyInstance) => void } = {},
): Promise<ApiServer> {
  let elapsed = 0;
  const environment: Environment = {
    now: () => START + elapsed,
    monotonic: () => elapsed,
    randomBytes: (size) => new Uint8Array(randomBytes(size)),
    after: () => ({ cancel: () => {} }),
  };
  const store = openMemoryStore({ environment });
  const keyring = new KeyringHolder();
  const data = newKey();
  keyring.use(data);
  await store.useKeyring(data);
  const directory = new Directory(store.read, () => keyring.current, environment);

  const addAccount = async (authId: string, token: string, parent: AccountId | null = null) => {
    const id = authId as AccountId;
    const application = defaultApplication(newId(START) as ApplicationId, id, START);
    await store.submit({
      type: 'create-account',
      account: {
        authId: id,
        parent,
        name: 'test',
        enabled: true,
        token: keyring.current.seal(tokenPlace(id), token, new Uint8Array(randomBytes(12))),
        previousToken: null,
        previousTokenUntil: null,
        countries: null,
        createdAt: START,
        modifiedAt: START,
      },
      application,
    });
    return { credentials: { authId: id, token }, application };
  };
  const newToken = () => randomBytes(30).toString('base64url');
  const main = await addAccount('MAMAIN00000000000000', newToken());
  const sub = await addAccount('SASUB000000000000000', newToken(), main.credentials.authId);
  const stranger = await addAccount('MASTRANGER0000000000', newToken());

  const logged: string[] = [];
  const log = createLog(options.logLevel ?? 'info', { write: (line) => void logged.push(line) });
  const metrics = createMetrics();
  const reporter = createReporter({ store, environment, log, metrics });
  const context: ApiContext = {
    store,
    directory,
    keyring,
    environment,
    limits: LIMITS,
    rates: createRates(null),
    retention: 90 * 86_400_000,
    trustProxy: false,
    log,
    metrics,
    plan: () => 'inbox',
    inbox: ['inbox'],
    confirm: (name, hopId) => {
      const by = { kind: 'hop', hopId } as const;
      return reporter.forCarrier(name)({ by, status: 'completed', errorCode: null, confirmed: true });
    },
    ready: () => ({ ok: true }),
    draining: () => false,
    ...overrides,
  };
  const app = buildApi(context);
  options.mount?.(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  const reference = await documented(url);
  logged.length = 0;

  const server: ApiServer = {
    reference,
    url,
    port,
    main: main.credentials,
    sub: sub.credentials,
    stranger: stranger.credentials,
    application: main.application,
    store,
    context,
    logged,
    advance: (millis) => {
      elapsed += millis;
    },
    change: ({ account, application }) => {
      const { tables } = store.database;
      if (account) {
        store.database.put('account', { ...tables.account.get(main.credentials.authId)!, ...account });
      }
      if (application) {
        const { uuid } = main.application;
        store.database.put('application', { ...tables.application.get(uuid)!, ...application });
      }
      directory.clear();
    },
    addApplication: async (owner, changes) => {
      const uuid = newId(START) as ApplicationId;
      const application = { ...defaultApplication(uuid, owner, START), isDefault: false, ...changes };
      store.database.put('application', application);
      return application;
    },
    call: async (method, path, { body, as = main.credentials, of, headers } = {}) => {
      const account = of ?? as?.authId ?? main.credentials.authId;
      const response = await fetch(`${url}/v1/Account/${account}${path}`, {
        method,
        headers: {
          ...(as ? { authorization: basic(as) } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        redirect: 'manual',
      });
      const text = await response.text();
      const complaints = reference.complaints({
        method,
        target: response.url.slice(url.length),
        status: response.status,
        header: (name) => response.headers.get(name),
        text,
      });
      if (complaints.length > 0) {
        throw new Error(`${method} ${path} is not as documented: ${complaints.join('; ')}\n${text}`);
      }
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? '' : JSON.parse(text),
      };
    },
    create: async (body) => {
      const answer = await server.call('POST', '/Verify/Session/', {
        body: { recipient: '14155551234', ...body },
      });
      if (answer.status !== 202) throw new Error(`${answer.status}: ${answer.body.error}`);
      return answer.body.session_uuid;
    },
    codes: async (uuid) => {
      const { session } = (await store.read.session(uuid))!;
      const right = revealCode(keyring.current, session.uuid, session.code);
      return { right, wrong: wrongCode(right) };
    },
    take: async (uuid) => {
      const attempt = (await store.read.session(uuid))!.attempts.at(-1)!;
      const hop = { now: environment.now(), owner: store.epoch, attempt: attempt.uuid, number: attempt.hop };
      const messageId = newId(hop.now);
      await store.submit({
        type: 'hop-accepted',
        ...hop,
        carrier: 'inbox',
        messageId,
        status: 'in-progress',
      });
    },
    deliver: async (uuid) => {
      const attempt = (await store.read.session(uuid))!.attempts.at(-1)!;
      const hop = { now: environment.now(), owner: store.epoch, attempt: attempt.uuid, number: attempt.hop };
      await store.submit({ type: 'hop-accepted', ...hop, carrier: 'inbox', messageId: newId(hop.now) });
      await store.submit({
        type: 'receipt',
        now: hop.now,
        owner: hop.owner,
        carrier: 'inbox',
        by: { kind: 'hop', attempt: hop.attempt, number: hop.number },
        status: attempt.channel === 'sms' ? 'delivered' : 'completed',
        errorCode: null,
      });
    },
    close: async () => {
      await app.close();
      await store.close();
    },
  };
  return server;
}

export function basic({ authId, token }: Credentials): string {
  return `Basic ${Buffer.from(`${authId}:${token}`).toString('base64')}`;
}

/** Sends bytes as they are and resolves to everything that came back until the server closed. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      received += text;
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}

/** Status, headers and JSON body of a raw HTTP/1.1 answer. */
export function parseRaw(text: string): { status: number; head: string; body: Record<string, unknown> } {
  const split = text.indexOf('\r\n\r\n');
  return {
    status: Number(text.slice(9, 12)),
    head: text.slice(0, split),
    body: JSON.parse(text.slice(split + 4)),
  };
}
