import { type Received, Receiver } from '../callbacks/receiver.js';
import { AUTH_ID, type Countersign, startCountersign, TOKEN, type Untyped } from '../e2e/support.js';
import { type Answer, basic, type Credentials } from '../support/api-server.js';

const SECRET = 'the-secret-of-the-contract-tests-gateway';

export interface CallOptions {
  readonly body?: unknown;
  readonly as?: Credentials;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A message as the gateway got it. */
export interface Message {
  readonly hop_id: string;
  readonly session_uuid: string;
  readonly channel: string;
  readonly recipient: string;
  readonly text: string;
  readonly code: string;
  readonly locale: string;
  readonly dtmf: number | null;
  readonly src: string | null;
}

/** The whole server with the embedded database, a gateway that takes its messages, and time that tests let pass. */
export interface World {
  readonly server: Countersign;
  readonly gateway: Receiver;
  readonly main: Credentials;
  /** A call below `/v1/Account/{auth_id}`, as the main account or with other credentials. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** A number that no test had. */
  recipient(): string;
  /** A create that must be accepted, for a new recipient unless one is named; resolves to the session's uuid. */
  create(fields?: object, options?: CallOptions): Promise<string>;
  retrieve(session: string): Promise<Untyped>;
  validate(session: string, body: object): Promise<Answer>;
  /** The session's messages at the gateway, in order, once there are so many. */
  messages(session: string, count?: number): Promise<Message[]>;
  /** The gateway says what became of a message. */
  report(message: Message, status: string, errorCode?: number, more?: object): Promise<void>;
  /** A customer's server, for one test. */
  customer(): Promise<Receiver>;
  /** What has arrived at a customer's server, once that is so much. */
  callbacks(customer: Receiver, count: number): Promise<readonly Received[]>;
  /** Creates an application; resolves to its uuid. */
  application(fields: object): Promise<string>;
}

export interface WorldOptions {
  /** Whether it serves every test of the file, which starts it in `beforeAll`, or the one that starts it. */
  readonly lifetime?: 'file' | 'test';
  /** Keys of `limits` in `countersign.yaml`. */
  readonly limits?: object;
  /** The rate card; none: nothing is charged. */
  readonly rates?: object;
}

export async function startWorld({ lifetime = 'file', limits, rates }: WorldOptions = {}): Promise<World> {
  const gateway = (await new Receiver().start()).keep();
  const server = await startCountersign({
    lifetime,
    // JSON is YAML.
    yaml: JSON.stringify({
      carriers: { gateway: { type: 'webhook', url: gateway.url('/send'), secret: SECRET } },
      limits: { lists_per_minute: 10_000, redeliveries_per_account: 'off', ...limits },
      ...(rates === undefined ? {} : { rates }),
    }),
  });
  const main = { authId: AUTH_ID, token: TOKEN } as Credentials;
  let recipients = 0;
  const sent = (session: string) =>
    gateway.requests
      .map(({ body }): Message => JSON.parse(body))
      .filter(({ session_uuid }) => session_uuid === session);

  const world: World = {
    server,
    gateway,
    main,
    call: async (method, path, { body, as = main, headers } = {}) => {
      const response = await fetch(`${server.url}/v1/Account/${as.authId}${path}`, {
        method,
        headers: { authorization: basic(as), 'content-type': 'application/json', ...headers },
        body: body === undefined ? null : JSON.stringify(body),
        redirect: 'manual',
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? '' : JSON.parse(text),
      };
    },
    recipient: () => `1415${5_600_000 + recipients++}`,
    create: async (fields, options) => {
      const body = { recipient: world.recipient(), ...fields };
      const answer = await world.call('POST', '/Verify/Session/', { ...options, body });
      if (answer.status !== 202) throw new Error(`${answer.status}: ${answer.body.error}`);
      return answer.body.session_uuid;
    },
    retrieve: async (session) => (await world.call('GET', `/Verify/Session/${session}/`)).body,
    validate: (session, body) => world.call('POST', `/Verify/Session/${session}/`, { body }),
    messages: async (session, count = 1) => {
      await server.until(`${count} messages`, () => sent(session).length >= count);
      return sent(session);
    },
    report: async ({ hop_id }, status, errorCode, more = {}) => {
      const response = await fetch(`${server.url}/carriers/gateway/receipts`, {
        method: 'POST',
        headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
        body: JSON.stringify({ hop_id, status, error_code: errorCode, ...more }),
      });
      if (response.status !== 200) throw new Error(await response.text());
    },
    customer: () => new Receiver().start(),
    callbacks: async (customer, count) => {
      await server.until(`${count} callbacks`, () => customer.requests.length >= count);
      return customer.requests;
    },
    application: async (fields) => {
      const answer = await world.call('POST', '/Verify/Application/', { body: fields });
      if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.body.error}`);
      return answer.body.app_uuid;
    },
  };
  return world;
}
