import { createHmac } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import { plivo } from '../callbacks/plivo-sdk.js';
import type { Received, Receiver } from '../callbacks/receiver.js';
import { type InboxMessage, RECIPIENT, startCountersign, type Untyped } from '../e2e/support.js';
import { basic, type Credentials } from '../support/api-server.js';
import { section } from './section.js';
import { startWorld, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});

/** A session that calls back a customer's server, and its message. */
async function start(fields: object = {}, path?: string) {
  const customer = await world.customer();
  const session = await world.create({ url: customer.url(path), ...fields });
  const [message] = await world.messages(session);
  return { customer, session, message: message! };
}

/** What a customer hears of one SMS that is delivered. */
async function delivered(fields: object = {}, path?: string): Promise<readonly Received[]> {
  const { customer, message } = await start(fields, path);
  await world.report(message, 'delivered');
  return world.callbacks(customer, 3);
}

/** Every status that an attempt has in callbacks, with its error code, while its carrier reports these. */
async function walk(channel: string, reports: readonly string[]) {
  const { customer, session, message } = await start({ channel });
  if (channel === 'sms') await world.callbacks(customer, 2);
  for (const report of reports) {
    const [status, errorCode] = report.split(' ');
    await world.report(message, status!, errorCode === undefined ? undefined : Number(errorCode));
  }
  return { customer, session, reports };
}

type Walk = Awaited<ReturnType<typeof walk>>;

/** The whole of some walks: the callback of the expiry is the last of each. */
async function heardOf(walks: readonly Walk[]): Promise<string[][]> {
  await world.server.passUntilSwept(600_000);
  const isExpiry = ({ parameters }: Received) => parameters.SessionStatus === 'expired';
  await world.server.until('every session has expired', () =>
    walks.every(({ customer }) => customer.requests.some(isExpiry)),
  );
  return walks.map(({ customer }) =>
    customer.requests
      .filter((request) => !isExpiry(request))
      .map(({ parameters }) =>
        [parameters.ChannelStatus, parameters.ChannelErrorCode].filter(Boolean).join(' '),
      ),
  );
}

async function expectWalks(expected: [channel: string, reports: string[], heard: string[]][]) {
  const walks: Walk[] = [];
  for (const [channel, reports] of expected) walks.push(await walk(channel, reports));
  const heard = await heardOf(walks);
  expect(walks.map(({ reports }, index) => [reports, heard[index]])).toEqual(
    expected.map(([, reports, statuses]) => [reports, statuses]),
  );
}

/** A server of its own, whose inbox delivers at once, and that tells what became of callbacks. */
async function ownServer() {
  const server = await startCountersign();
  const retried = () => server.metric('countersign_callbacks_total{result="retried"}');
  return {
    ...server,
    create: (customer: Receiver, recipient = world.recipient()) =>
      server.sessions().create({ recipient, url: customer.url() }),
    arrive: (customer: Receiver, count: number) =>
      server.until(`${count} callbacks`, () => customer.requests.length >= count),
    /** Lets something make callbacks fail, and waits until so many are to be tried again. */
    failing: async (count: number, make: () => Promise<unknown>) => {
      const before = await retried();
      await make();
      await server.until('the failure is recorded', async () => (await retried()) === before + count);
    },
  };
}

const proves = section(6);

describe('§6 Status callbacks', () => {
  proves(
    "To the session's url, on every change of an attempt's channel status and when the session expires",
    async () => {
      const { customer, session, message } = await start({}, '/hook?tenant=7');
      await world.report(message, 'delivered');
      await world.callbacks(customer, 3);
      await world.server.passUntilSwept(600_000);
      const heard = (await world.callbacks(customer, 4)).map(({ path, parameters }) => [
        path,
        parameters.SessionUUID,
        parameters.ChannelStatus,
        parameters.SessionStatus,
      ]);
      expect(heard).toEqual([
        ['/hook?tenant=7', session, 'queued', 'in-progress'],
        ['/hook?tenant=7', session, 'sent', 'in-progress'],
        ['/hook?tenant=7', session, 'delivered', 'in-progress'],
        ['/hook?tenant=7', session, 'delivered', 'expired'],
      ]);
    },
  );

  proves('POST: application/x-www-form-urlencoded body', async () => {
    for (const { method, path, headers, body, parameters } of await delivered({ brand_name: 'A&B = ü' })) {
      expect(`${method} ${path}`).toBe('POST /status');
      expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
      expect(body).toContain('BrandName=A%26B+%3D+%C3%BC&');
      expect(parameters.BrandName).toBe('A&B = ü');
    }
  });

  proves('GET: the same names as query parameters, appended to any query the URL already has', async () => {
    const [posted] = await delivered({ method: 'POST' });
    for (const [given, start] of [
      ['/status', '/status?'],
      ['/status?', '/status?'],
      ['/status?tenant=7&x=a%20b', '/status?tenant=7&x=a%20b&'],
    ]) {
      for (const { method, path, body } of await delivered({ method: 'GET' }, given)) {
        expect(method).toBe('GET');
        expect(path.startsWith(start!)).toBe(true);
        const ours = new URLSearchParams(path.slice(start!.length));
        expect([...ours.keys()]).toEqual(Object.keys(posted!.parameters));
        expect(body).toBe('');
      }
    }
  });

  proves(
    ['SessionUUID, SessionStatus (in-progress, verified, expired), AttemptUUID', 'Empty values are sent'],
    async () => {
      const recipient = world.recipient();
      const fields = { recipient, locale: 'pt-BR', code_length: 8, brand_name: 'Acme 2.0' };
      const { customer, session, message } = await start(fields);
      const created = new Date(world.server.time.now()).toISOString().replace('Z', '000Z');
      await world.callbacks(customer, 2);
      await world.server.time.advance(5_000);
      await world.validate(session, { otp: message.code });
      await world.report(message, 'undelivered', 80);
      const [first, second, third] = await world.callbacks(customer, 3);
      const { attempt_details } = await world.retrieve(session);
      expect(first!.parameters).toEqual({
        SessionUUID: session,
        SessionStatus: 'in-progress',
        AttemptUUID: attempt_details[0].attempt_uuid,
        AttemptSequence: '1',
        Channel: 'sms',
        ChannelStatus: 'queued',
        ChannelErrorCode: '',
        Recipient: recipient,
        RequestTime: created,
        Locale: 'pt-BR',
        BrandName: 'Acme 2.0',
        CodeLength: '8',
        AppHash: '',
      });
      const same = { ...first!.parameters, ChannelStatus: 'sent' };
      expect(second!.parameters).toEqual(same);
      expect(third!.parameters).toEqual({
        ...same,
        SessionStatus: 'verified',
        ChannelStatus: 'undelivered',
        ChannelErrorCode: '80',
      });
    },
  );

  proves('The expiry callback names the last attempt', async () => {
    const recipient = world.recipient();
    const { customer, session } = await start({ recipient });
    await world.callbacks(customer, 2);
    await world.create({ recipient, channel: 'voice' });
    const [, call] = await world.messages(session, 2);
    await world.report(call!, 'completed');
    const [, , , , completed] = await world.callbacks(customer, 5);
    expect(completed!.parameters).toMatchObject({ AttemptSequence: '2', ChannelStatus: 'completed' });
    await world.server.passUntilSwept(600_000);
    const [, , , , , expiry] = await world.callbacks(customer, 6);
    expect(expiry!.parameters).toEqual({ ...completed!.parameters, SessionStatus: 'expired' });
  });

  proves(
    'A GET leaves : unencoded, and omits BrandName when it has characters outside [A-Za-z0-9 ._-]',
    async () => {
      for (const [brand_name, shown] of [
        ['Acme 2.0_x-y', 'Acme 2.0_x-y'],
        ['Acme & Co', undefined],
        ['Acmé', undefined],
      ]) {
        const [{ path, parameters }] = (await delivered({ method: 'GET', brand_name })) as [Received];
        expect(path).toMatch(/[?&]RequestTime=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z&/);
        expect(parameters.BrandName).toBe(shown);
        const [posted] = (await delivered({ method: 'POST', brand_name })) as [Received];
        expect(posted.parameters.BrandName).toBe(brand_name);
      }
    },
  );
});

describe('§6 the statuses', () => {
  proves(
    [
      'ChannelStatus for SMS: queued, sent, delivered, undelivered, failed',
      'For voice: ringing, in-progress, completed, and busy, no-answer, failed',
    ],
    async () => {
      await expectWalks([
        ['sms', [], ['queued', 'sent']],
        ['sms', ['delivered'], ['queued', 'sent', 'delivered']],
        ['sms', ['undelivered 80'], ['queued', 'sent', 'undelivered 80']],
        ['sms', ['failed 50'], ['queued', 'sent', 'failed 50']],
        ['voice', ['ringing', 'in-progress', 'completed'], ['ringing', 'in-progress', 'completed']],
        ['voice', ['busy 3010'], ['busy 3010']],
        ['voice', ['ringing', 'no-answer 3000'], ['ringing', 'no-answer 3000']],
        ['voice', ['failed 3090'], ['failed 3090']],
      ]);
    },
  );

  proves(['Statuses only move forward', 'a step that the carrier never reported is filled in'], async () => {
    await expectWalks([
      ['sms', ['delivered', 'undelivered 80', 'sent', 'delivered'], ['queued', 'sent', 'delivered']],
      ['sms', ['failed 50', 'sent'], ['queued', 'sent', 'failed 50']],
      ['voice', ['in-progress', 'ringing'], ['ringing', 'in-progress']],
      ['voice', ['completed', 'ringing', 'busy 3010'], ['ringing', 'in-progress', 'completed']],
      ['voice', ['no-answer 3000'], ['ringing', 'no-answer 3000']],
    ]);
  });
});

describe('§6 delivery of callbacks', () => {
  proves(['At least once, in order per attempt', 'The body is fixed when the event happens'], async () => {
    const server = await ownServer();
    const customer = await world.customer();
    customer.answer = (response) => response.writeHead(503).end();
    await server.failing(1, () => server.create(customer, RECIPIENT));
    // The session goes on while its first callback waits for the next try.
    const [{ session_uuid: id, otp }] = (await server.inbox(1)) as [InboxMessage];
    await server.sessions().validate({ id, otp });
    customer.answer = (response) => response.writeHead(204).end();
    await server.time.advance(60_000);
    await server.arrive(customer, 4);
    const heard = customer.requests.map(({ parameters }) => parameters.ChannelStatus);
    expect(heard).toEqual(['queued', 'queued', 'sent', 'delivered']);
    expect(customer.requests[1]!.body).toBe(customer.requests[0]!.body);
    expect(customer.requests[1]!.parameters.SessionStatus).toBe('in-progress');
  });

  proves(
    'A callback holds back the later ones of its attempt until it succeeds or its last retry fails',
    async () => {
      const server = await ownServer();
      for (const last of [204, 500]) {
        const customer = await world.customer();
        customer.answer = (response, { parameters }) =>
          response.writeHead(parameters.ChannelStatus === 'queued' ? 500 : 204).end();
        await server.failing(1, () => server.create(customer));
        await server.failing(1, () => server.time.advance(60_000));
        await server.failing(1, () => server.time.advance(120_000));
        expect(customer.requests).toHaveLength(3);
        customer.answer = (response, { parameters }) =>
          response.writeHead(parameters.ChannelStatus === 'queued' ? last : 204).end();
        await server.time.advance(240_000);
        await server.arrive(customer, 6);
        expect(customer.requests.map(({ parameters }) => parameters.ChannelStatus)).toEqual([
          ...['queued', 'queued', 'queued', 'queued'],
          'sent',
          'delivered',
        ]);
      }
    },
  );

  proves('After a crash one that had just succeeded may be sent again, with the same content', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'countersign-crash-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const [alive, crashed] = [join(directory, 'alive'), join(directory, 'crashed')];
    const customer = await world.customer();
    customer.answer = (response, { parameters }) => {
      // What a crash would leave now: the customer has the callback, and that is not recorded.
      if (parameters.ChannelStatus === 'sent' && !existsSync(crashed)) {
        cpSync(alive, crashed, { recursive: true, filter: (path) => !path.endsWith('.sock') });
      }
      response.writeHead(204).end();
    };
    const server = await startCountersign({ env: { COUNTERSIGN_DATA_DIR: alive } });
    await server.sessions().create({ recipient: world.recipient(), url: customer.url() });
    await server.until('3 callbacks', () => customer.requests.length >= 3);
    const restarted = await startCountersign({ env: { COUNTERSIGN_DATA_DIR: crashed } });
    await restarted.until('5 callbacks', () => customer.requests.length >= 5);

    const [queued, sent, delivered, ...again] = customer.requests.map(({ body }) => body);
    expect(queued).toContain('ChannelStatus=queued');
    expect(again).toEqual([sent, delivered]);
  });

  proves(
    'An answer other than 2xx, or none within 5 s (the whole exchange), is retried after 60 s',
    async () => {
      const server = await ownServer();
      const redirected = await world.customer();
      const failures: [answer: Receiver['answer'], after: number][] = [
        [(response) => response.writeHead(302, { Location: redirected.url() }).end(), 0],
        [(response) => response.writeHead(404).end(), 0],
        [(response) => response.writeHead(500).end(), 0],
        [() => {}, 5_000],
        [(response) => response.writeHead(200).write('a beginning without an end'), 5_000],
      ];
      for (const [answer, after] of failures) {
        const customer = await world.customer();
        customer.answer = answer;
        const isTried = async (count: number) => {
          await server.arrive(customer, count);
          if (after === 0) return;
          await server.failing(0, () => server.time.advance(after - 1));
          await server.time.advance(1);
        };
        await server.failing(1, async () => {
          await server.create(customer);
          await isTried(1);
        });
        for (const [tried, wait] of [
          [1, 60_000],
          [2, 120_000],
          [3, 240_000],
        ] as const) {
          await server.failing(0, () => server.time.advance(wait - 1));
          expect(customer.requests).toHaveLength(tried);
          if (tried === 3) customer.answer = (response) => response.writeHead(204).end();
          await server.failing(tried === 3 ? 0 : 1, async () => {
            await server.time.advance(1);
            if (tried < 3) await isTried(tried + 1);
          });
        }
        await server.arrive(customer, 6);
        const [first, ...others] = customer.requests.slice(0, 4);
        expect(others.map(({ body }) => body)).toEqual([first!.body, first!.body, first!.body]);
      }
      expect(redirected.connections).toBe(0);

      const content = [];
      for (const status of [200, 202, 299]) {
        const customer = await world.customer();
        customer.answer = (response) => response.writeHead(status).end();
        await server.failing(0, () => server.create(customer));
        await server.arrive(customer, 3);
        content.push(customer);
      }
      await server.time.advance(420_000);
      expect(content.map(({ requests }) => requests.length)).toEqual([3, 3, 3]);
    },
  );
});

describe('§6 the log and redelivery', () => {
  const pathOf = (session: string) => `/Verify/Session/${session}/Callback/`;
  const logOf = async (session: string, { call } = world): Promise<Untyped[]> => {
    const { status, body } = await call('GET', pathOf(session));
    expect(status).toBe(200);
    return body.callbacks;
  };
  /** The log, once its states are these. */
  const settled = async (session: string, states: readonly string[], of = world) => {
    await of.server.until(`callbacks ${states}`, async () => {
      return (await logOf(session, of)).map(({ state }) => state).join() === states.join();
    });
    return logOf(session, of);
  };
  /** The log, once so many tries of a callback, the first unless said otherwise, are recorded. */
  const tried = async (session: string, count: number, { of = world, index = 0 } = {}) => {
    await of.server.until(
      `${count} tries`,
      async () => (await logOf(session, of))[index]?.tries_made === count,
    );
    return logOf(session, of);
  };
  const redeliver = (session: string, callback: Untyped, { call } = world) =>
    call('POST', `${pathOf(session)}${callback.callback_id}/Redeliver/`);
  const now = () => new Date(world.server.time.now()).toISOString().replace('Z', '000Z');
  const later = (seconds: number) =>
    new Date(world.server.time.now() + seconds * 1_000).toISOString().replace('Z', '000Z');
  const answering = (status: number) => (response: Untyped) => response.writeHead(status).end();

  proves('The log (ours): GET …/Verify/Session/{session_uuid}/Callback/ → 200', async () => {
    const customer = await world.customer();
    let fail = () => {};
    customer.answer = (response) => {
      fail = () => response.writeHead(503).end();
    };
    const session = await world.create({ url: customer.url('/hook?tenant=7') });
    const created = now();
    const { attempt_uuid } = (await world.retrieve(session)).attempt_details[0];
    await world.callbacks(customer, 1);
    await settled(session, ['pending', 'held']);
    await world.server.time.advance(200);
    fail();
    await tried(session, 1);
    const failed = {
      time: now(),
      status: 503,
      reason: expect.stringContaining('503'),
      latency_ms: 200,
      next_retry_at: later(60),
      manual: false,
    };
    const first = {
      callback_id: `${attempt_uuid}.1`,
      attempt_uuid,
      sequence: 1,
      url: customer.url('/hook?tenant=7'),
      method: 'POST',
      state: 'pending',
      session_status: 'in-progress',
      channel: 'sms',
      channel_status: 'queued',
      created_at: created,
      next_retry_at: later(60),
      tries_made: 1,
      tries: [failed],
    };
    const second = {
      ...first,
      callback_id: `${attempt_uuid}.2`,
      sequence: 2,
      state: 'held',
      channel_status: 'sent',
      next_retry_at: null,
      tries_made: 0,
      tries: [],
    };
    const { body } = await world.call('GET', pathOf(session));
    expect(body).toEqual({
      api_id: expect.stringMatching(/^.{36}$/),
      session_uuid: session,
      callbacks: [first, second],
    });

    customer.answer = answering(204);
    await world.server.time.advance(60_000);
    const delivered = { state: 'delivered', next_retry_at: null };
    const succeeded = {
      ...failed,
      time: now(),
      status: 204,
      reason: null,
      latency_ms: 0,
      next_retry_at: null,
    };
    expect(await settled(session, ['delivered', 'delivered'])).toEqual([
      { ...first, ...delivered, tries_made: 2, tries: [failed, succeeded] },
      { ...second, ...delivered, tries_made: 1, tries: [succeeded] },
    ]);

    // One that cannot be sent at all: nothing answered, and nobody waited.
    const refused = await world.create({ url: 'http://10.0.0.1/status', method: 'GET' });
    expect((await settled(refused, ['failed', 'failed']))[0]).toMatchObject({
      method: 'GET',
      next_retry_at: null,
      tries: [{ status: null, reason: expect.any(String), latency_ms: null, next_retry_at: null }],
    });
    expect(await logOf(await world.create())).toEqual([]);
  });

  proves(
    'Redelivery (ours): POST …/Verify/Session/{session_uuid}/Callback/{callback_id}/Redeliver/',
    async () => {
      const customer = await world.customer();
      customer.answer = (response, { parameters }) =>
        response.writeHead(parameters.ChannelStatus === 'queued' ? 204 : 503).end();
      const session = await world.create({ url: customer.url() });
      const [delivered] = await tried(session, 1, { index: 1 });
      expect(delivered.state).toBe('delivered');
      await world.server.time.advance(1_000);

      // Out of order: the later one goes on waiting for its retry, and is not sent again.
      const before = customer.requests.length;
      const { callback_id } = delivered;
      const answer = await redeliver(session, delivered);
      expect([answer.status, answer.body]).toEqual([
        202,
        {
          api_id: expect.stringMatching(/^.{36}$/),
          message: expect.stringMatching(/./),
          session_uuid: session,
          callback_id,
        },
      ]);
      await world.callbacks(customer, before + 1);
      const log = await tried(session, 2);
      expect(log).toMatchObject([
        { state: 'delivered', tries: [{ manual: false }, { manual: true, status: 204 }] },
        { state: 'pending', tries_made: 1 },
      ]);
      expect(customer.requests).toHaveLength(before + 1);
      const [original, again] = [customer.requests[0]!, customer.requests.at(-1)!];
      expect([again.method, again.path, again.body]).toEqual([original.method, original.path, original.body]);
      const nonce = 'x-plivo-signature-v3-nonce';
      expect(again.headers[nonce]).not.toBe(original.headers[nonce]);
      for (const { headers, path, parameters } of [original, again]) {
        const [id, signature] = [headers[nonce], headers['x-plivo-signature-v3']];
        const url = customer.url(path);
        const { token } = world.main;
        expect(plivo.validateV3Signature('POST', url, String(id), token, String(signature), parameters)).toBe(
          true,
        );
      }

      // Failures of its own, not of the other one too, after which the host would be tried less often.
      customer.answer = answering(204);
      await world.server.time.advance(60_000);
      await settled(session, ['delivered', 'delivered']);

      // The schedule of retries begins anew, and one that failed for good can be sent again.
      customer.answer = answering(500);
      expect((await redeliver(session, delivered)).status).toBe(202);
      for (const [index, wait] of [60, 120, 240].entries()) {
        const [callback] = await tried(session, 3 + index);
        expect(callback).toMatchObject({ state: 'pending', next_retry_at: later(wait) });
        await world.server.time.advance(wait * 1_000 - 1);
        expect((await logOf(session))[0].tries_made).toBe(3 + index);
        await world.server.time.advance(1);
      }
      const [failed] = await tried(session, 6);
      expect(failed).toMatchObject({ state: 'failed', next_retry_at: null });
      customer.answer = answering(204);
      expect((await redeliver(session, failed)).status).toBe(202);
      expect((await tried(session, 7))[0]).toMatchObject({ state: 'delivered' });
    },
  );

  proves('durable before the answer', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'countersign-crash-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const [alive, crashed] = [join(directory, 'alive'), join(directory, 'crashed')];
    const customer = await world.customer();
    const server = await startCountersign({ env: { COUNTERSIGN_DATA_DIR: alive } });
    const { sessionUuid } = await server.sessions().create({ recipient: RECIPIENT, url: customer.url() });
    const path = pathOf(sessionUuid);
    const log = async () => (await server.get(path)).callbacks as Untyped[];
    await server.until('all are delivered', async () => {
      const callbacks = await log();
      return callbacks.length === 3 && callbacks.every(({ state }) => state === 'delivered');
    });
    customer.answer = () => {};
    const [{ callback_id }] = await log();
    const response = await fetch(
      `${server.url}/v1/Account/${world.main.authId}${path}${callback_id}/Redeliver/`,
      { method: 'POST', headers: { authorization: basic(world.main) } },
    );
    expect(response.status).toBe(202);
    // What a crash would leave now.
    cpSync(alive, crashed, { recursive: true, filter: (each) => !each.endsWith('.sock') });
    await server.until('the redelivery', () => customer.requests.length >= 4);
    const restarted = await startCountersign({ env: { COUNTERSIGN_DATA_DIR: crashed } });
    await restarted.until('the redelivery after the crash', () => customer.requests.length >= 5);
    const [queued, , , ...again] = customer.requests.map(({ body }) => body);
    expect(again).toEqual([queued, queued]);
  });

  proves('409 while it is pending or held, and after 100 tries', async () => {
    const customer = await world.customer();
    customer.answer = answering(503);
    const session = await world.create({ url: customer.url() });
    const refused = async (callback: Untyped) => {
      const { status, body } = await redeliver(session, callback);
      expect(status).toBe(409);
      return body.error;
    };
    await tried(session, 1);
    const [pending, held] = await settled(session, ['pending', 'held']);
    expect(await refused(pending)).toContain(pending.next_retry_at);
    expect(await refused(held)).toContain('waits for an earlier one');
    customer.answer = answering(204);
    await world.server.time.advance(60_000);
    let [callback] = await settled(session, ['delivered', 'delivered']);
    while (callback.tries_made < 100) {
      expect((await redeliver(session, callback)).status).toBe(202);
      [callback] = await tried(session, callback.tries_made + 1);
    }
    expect(await refused(callback)).toContain('maximum');
    // Of so many tries the log shows the latest.
    expect(callback.tries).toHaveLength(20);
    expect(callback.tries.every(({ manual }: Untyped) => manual)).toBe(true);
  });

  proves('429 past a configurable rate', async () => {
    const limited = await startWorld({ lifetime: 'test', limits: { redeliveries_per_account: '2/m' } });
    const customer = await world.customer();
    const session = await limited.create({ url: customer.url() });
    const [callback] = await settled(session, ['delivered', 'delivered'], limited);
    for (const tries of [2, 3]) {
      expect((await redeliver(session, callback, limited)).status).toBe(202);
      await tried(session, tries, { of: limited });
    }
    const answer = await redeliver(session, callback, limited);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '30']);
    await limited.server.time.advance(30_000);
    expect((await redeliver(session, callback, limited)).status).toBe(202);
  });
});

describe('§6 the url', () => {
  proves('url is normalised when accepted: lower-case host, default port dropped, empty path /', async () => {
    for (const [url, kept] of [
      ['HTTP://Customer.EXAMPLE:80', 'http://customer.example/'],
      ['https://Customer.Example:443?a=1', 'https://customer.example/?a=1'],
      ['https://customer.example:8443/Path', 'https://customer.example:8443/Path'],
    ]) {
      const answer = await world.call('POST', '/Verify/Application/', { body: { url } });
      expect(answer.body.url).toBe(kept);
    }
    const customer = await world.customer();
    await world.create({ url: `HTTP://127.0.0.1:${customer.port}?a=1` });
    const [{ path, headers }] = (await world.callbacks(customer, 2)) as [Received];
    expect([path, headers.host]).toEqual(['/?a=1', `127.0.0.1:${customer.port}`]);
  });

  proves(
    'Refused with 400: user info, a fragment, duplicate query names, more than 2,048 characters',
    async () => {
      const longest = `https://customer.example/${'a'.repeat(2048 - 'https://customer.example/'.length)}`;
      for (const url of [
        'https://user@customer.example/',
        'https://user:secret@customer.example/',
        'https://customer.example/#top',
        'https://customer.example/?a=1&a=2',
        'https://customer.example/?a=1&%61=2',
        `${longest}a`,
      ]) {
        for (const path of ['/Verify/Session/', '/Verify/Application/']) {
          const body = path.includes('Session') ? { recipient: world.recipient(), url } : { url };
          const answer = await world.call('POST', path, { body });
          expect([url, answer.status, answer.body.error]).toEqual([url, 400, expect.stringMatching(/^url /)]);
        }
      }
      await world.create({ url: longest });
    },
  );

  proves('percent-encoded paths are kept as they are', async () => {
    const path = '/a%2Fb%20c/%C3%A9/%41%7e/../d';
    const kept = '/a%2Fb%20c/%C3%A9/d';
    for (const method of ['POST', 'GET']) {
      for (const request of await delivered({ method }, path)) {
        expect(request.path.split('?')[0]).toBe(kept);
      }
    }
  });
});

describe('§6 the signatures', () => {
  const hmac = (token: string, text: string) => createHmac('sha256', token).update(text).digest('base64');
  const header = ({ headers }: Received, name: string) => String(headers[`x-plivo-signature-${name}`]);
  /** The URL that the customer gave. */
  const given = ({ headers, path }: Received) => `http://${headers.host}${path}`;
  const withoutQuery = (url: string) => url.split('?')[0]!;
  const withoutPort = (url: string) => url.replace(/:\d+\//, '/');
  const bytewise = ([a]: [string, string], [b]: [string, string]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b));
  const pairs = (parameters: string) =>
    [...new URLSearchParams(parameters)]
      .sort(bytewise)
      .map(([name, value]) => `${name}=${value}`)
      .join('&');
  /** What V3 signs, from the URL as it is called. */
  const baseOf = ({ method, body }: Received, url: string) => {
    const query = url.split('?')[1] ?? '';
    const ofBody = [...new URLSearchParams(body)].sort(bytewise).flat().join('');
    const ofPost = `${query === '' ? '' : `${pairs(query)}.`}${ofBody}`;
    return `${withoutQuery(url)}?${method === 'GET' ? pairs(query) : ofPost}`;
  };
  /** Both, over the URL with its port and without. */
  const v3 = (request: Received, token: string) =>
    [given(request), withoutPort(given(request))]
      .map((url) => hmac(token, `${baseOf(request, url)}.${header(request, 'v3-nonce')}`))
      .join(',');
  const v2 = (request: Received, token: string) =>
    hmac(token, `${withoutQuery(given(request))}${header(request, 'v2-nonce')}`);

  /** Sorted otherwise as UTF-16 than as bytes; decoded, with values that are empty. */
  const QUERY = '/a%2Fb?%EF%BF%BD=5&%F0%9F%98%80=4&z=2&empty=&A=b%20c%26d&%C3%A9=1';

  proves(
    [
      'Signed with the auth token of the account that owns the session, a fresh random nonce per request',
      'X-Plivo-Signature-Ma-V2 / -Ma-V3: the same with the main account',
    ],
    async () => {
      const made = await world.call('POST', '/Subaccount/', { body: { name: 'x', enabled: true } });
      const sub = { authId: made.body.auth_id, token: made.body.auth_token } as Credentials;
      const nonces: string[] = [];
      for (const as of [world.main, sub]) {
        const customer = await world.customer();
        await world.create({ url: customer.url() }, { as });
        await world.create({ url: customer.url() }, { as });
        await world.callbacks(customer, 4);
        for (const request of customer.requests) {
          expect(header(request, 'v2')).toBe(v2(request, as.token));
          expect(header(request, 'v3')).toBe(v3(request, as.token));
          expect(header(request, 'ma-v2')).toBe(v2(request, world.main.token));
          expect(header(request, 'ma-v3')).toBe(v3(request, world.main.token));
          nonces.push(header(request, 'v3-nonce'));
        }
      }
      expect(new Set(nonces).size).toBe(nonces.length);
    },
  );

  proves('V2: X-Plivo-Signature-V2-Nonce, and X-Plivo-Signature-V2 =', async () => {
    for (const method of ['POST', 'GET']) {
      for (const request of await delivered({ method }, '/hook?tenant=7')) {
        const nonce = header(request, 'v2-nonce');
        expect(nonce).toMatch(/^.{16,}$/);
        const signed = `http://${request.headers.host}/hook${nonce}`;
        expect(header(request, 'v2')).toBe(hmac(world.main.token, signed));
      }
    }
  });

  proves(
    [
      'V3: X-Plivo-Signature-V3-Nonce, and X-Plivo-Signature-V3 =',
      'POST: base = URL without query + ?',
      'The ? is always there, as every callback has body parameters',
    ],
    async () => {
      for (const [path, before] of [
        ['/hook', '/hook?'],
        ['/hook?b=2&a=1', '/hook?a=1&b=2.'],
      ]) {
        for (const request of await delivered({ brand_name: 'A B' }, path)) {
          const sorted = Object.entries(request.parameters).sort(bytewise).flat().join('');
          expect(sorted).toMatch(
            /^AppHashAttemptSequence1AttemptUUID.+BrandNameA BChannelsmsChannelErrorCode/,
          );
          const base = `http://${request.headers.host}${before}${sorted}`;
          const [withPort] = header(request, 'v3').split(',');
          expect(withPort).toBe(hmac(world.main.token, `${base}.${header(request, 'v3-nonce')}`));
        }
      }
    },
  );

  proves(
    "GET: base = URL without query + ? + all parameters, the URL's and ours together, sorted",
    async () => {
      for (const request of await delivered({ method: 'GET', brand_name: 'A B' }, '/hook?Zebra=1&Apple=2')) {
        const all = Object.entries(request.parameters).sort(bytewise);
        const joined = all.map(([name, value]) => `${name}=${value}`).join('&');
        expect(joined).toMatch(/^AppHash=&Apple=2&.+&BrandName=A B&.+&Zebra=1$/);
        const base = `http://${request.headers.host}/hook?${joined}`;
        const [withPort] = header(request, 'v3').split(',');
        expect(withPort).toBe(hmac(world.main.token, `${base}.${header(request, 'v3-nonce')}`));
      }
    },
  );

  proves('Decoded values, byte-order sort, empty values kept', async () => {
    expect(pairs(QUERY.split('?')[1]!)).toBe('A=b c&d&empty=&z=2&é=1&\uFFFD=5&😀=4');
    for (const method of ['POST', 'GET']) {
      for (const request of await delivered({ method }, QUERY)) {
        expect(header(request, 'v3')).toBe(v3(request, world.main.token));
      }
    }
  });

  proves('If the URL names a port, the V3 header carries two signatures joined by a comma', async () => {
    for (const request of await delivered()) {
      const signatures = header(request, 'v3').split(',');
      expect(given(request)).toMatch(/:\d+\/status$/);
      const portless = `${baseOf(request, withoutPort(given(request)))}.${header(request, 'v3-nonce')}`;
      expect(signatures).toHaveLength(2);
      expect(signatures[1]).toBe(hmac(world.main.token, portless));
      expect(header(request, 'v2').split(',')).toHaveLength(1);
    }
  });
});
