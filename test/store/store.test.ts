import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemEnvironment } from '#environment.js';
import { MemoryStore, openMemoryStore } from '#store/memory/store.js';
import { openSqliteStore } from '#store/sqlite/store.js';
import { type Store, StoreError } from '#store/store.js';
import { newApplication } from '#verify/applications.js';
import type { Command, Effect, StartAttempt } from '#verify/commands.js';
import type { AccountId, ApplicationId, Recipient, SessionId } from '#verify/model.js';
import { newAccount } from '#verify/new-account.js';
import {
  codeOf,
  type Fixture,
  NOW,
  newId,
  newKey,
  seed,
  start,
  validation,
  wrongCode,
} from '../support/rows.js';

/** One suite for every store: what `decide` says must come out the same on each of them. */
const STORES: Record<string, (directory: string) => Promise<Store>> = {
  memory: async () => openMemoryStore({ environment: systemEnvironment }),
  sqlite: (directory) =>
    openSqliteStore({
      directory,
      environment: systemEnvironment,
      onFatal: (error) => {
        throw error;
      },
    }),
};

/** Tries of callbacks that the database holds, whether or not a session leads to them. */
function triesIn(store: Store, directory: string): number {
  if (store instanceof MemoryStore) return store.database.tables.callbackTry.size;
  const database = new Database(join(directory, 'countersign.db'), { readonly: true } as Database.Options);
  const row = database.prepare('select count(*) as count from callback_try').get() as { count: number };
  database.close();
  return row.count;
}

describe.each(Object.entries(STORES))('the %s store', (_, open) => {
  let directory: string;
  let store: Store;
  let fixture: Fixture;
  let effects: Effect[];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-store-'));
    store = await open(directory);
    effects = [];
    store.onEffects((each) => effects.push(...each));
    fixture = await seed(store);
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  test('keeps a session with its attempt and announces the delivery before it answers', async () => {
    const command = start(fixture, store);
    const outcome = await store.submit(command);
    expect(outcome).toEqual({ kind: 'started', session: command.session, isNew: true });
    expect(effects.map((effect) => effect.kind)).toEqual(['deliver']);
    const view = await store.read.session(command.session);
    expect(view?.session).toMatchObject({
      account: fixture.account,
      recipient: '14155551234',
      status: 'in-progress',
      attempts: 1,
      expiresAt: NOW + 600_000,
      code: { keyId: fixture.keyring.active, length: 6, sealed: null },
    });
    expect(view?.attempts).toHaveLength(1);
    expect(view?.attempts[0]).toMatchObject({ uuid: command.attempt, status: 'queued', owner: store.epoch });
  });

  test('keeps what a message says with its application and its attempt', async () => {
    const authId = 'MA222222222222222222' as AccountId;
    const application = {
      ...fixture.application,
      uuid: newId() as ApplicationId,
      account: authId,
      template: '$' + '{brand_name}: $' + '{code}',
      domain: 'acme.example',
    };
    const account = { ...(await store.read.account(fixture.account))!, authId };
    await store.submit({ type: 'create-account', account, application });
    expect(await store.read.defaultApplication(authId)).toEqual(application);

    const command = start(fixture, store, { application });
    await store.submit(command);
    const message = { template: application.template, domain: application.domain, brandName: 'Acme' };
    expect((await store.read.session(command.session))?.attempts).toMatchObject([message]);
    expect(effects).toMatchObject([{ kind: 'deliver', delivery: message }]);
    const due = await store.read.dueDeliveries('inbox', NOW, 10);
    expect(due.items).toMatchObject([message]);
  });

  test('lets commands of one batch see what earlier ones did: one session for many creates of a pair', async () => {
    const commands = Array.from({ length: 5 }, () => start(fixture, store));
    const outcomes = await Promise.all(commands.map((command) => store.submit(command)));
    const sessions = new Set(outcomes.map((outcome) => outcome.kind === 'started' && outcome.session));
    expect(sessions.size).toBe(1);
    expect(outcomes.filter((outcome) => outcome.kind === 'started' && outcome.isNew)).toHaveLength(1);
    const view = await store.read.session([...sessions][0] as SessionId);
    expect(view?.attempts.map((attempt) => attempt.sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(await store.submit(start(fixture, store))).toEqual({ kind: 'refused', reason: 'attempts' });
  });

  test('accepts an idempotent request once, within a batch and later, and remembers no digest', async () => {
    const idempotency = { key: 'key', digest: new Uint8Array(32).fill(7) };
    const commands = Array.from({ length: 5 }, () => start(fixture, store, { idempotency }));
    const outcomes = await Promise.all(commands.map((command) => store.submit(command)));
    const { session } = commands[0]!;
    const repeated = { kind: 'repeated', session };
    expect(outcomes).toEqual([{ kind: 'started', session, isNew: true }, ...Array(4).fill(repeated)]);
    expect(await store.submit(start(fixture, store, { idempotency }))).toEqual(repeated);
    const other = { ...idempotency, digest: new Uint8Array(32).fill(8) };
    const refused = { kind: 'refused', reason: 'idempotency-key' };
    expect(await store.submit(start(fixture, store, { idempotency: other }))).toEqual(refused);
    expect((await store.read.session(session))?.attempts).toHaveLength(1);
    const row = await store.read.idempotency('key');
    expect(row).toMatchObject({ key: 'key', session, createdAt: NOW, keyId: fixture.keyring.active });
    expect(Buffer.from(row!.fingerprint).equals(idempotency.digest)).toBe(false);
    expect(await store.read.idempotency('none')).toBeNull();
  });

  test('forgets idempotent requests a day later, but not one that was made anew', async () => {
    const day = 24 * 3600_000;
    const digest = new Uint8Array(32);
    const at = (now: number, key: string) =>
      store.submit(start(fixture, store, { now, idempotency: { key, digest } }));
    await at(NOW, 'b');
    await at(NOW - 1, 'a');
    await at(NOW + 1, 'c');
    const now = NOW + day;
    expect(await store.read.overdueRequests(NOW, 10)).toEqual(['a', 'b']);
    expect(await store.read.overdueRequests(NOW, 1)).toEqual(['a']);
    expect(await at(now, 'a')).toMatchObject({ kind: 'started' });
    expect(await store.submit({ type: 'forget-requests', now, keys: ['a', 'b', 'c', 'd'] })).toEqual({
      kind: 'done',
    });
    const left = await Promise.all(['a', 'b', 'c'].map((key) => store.read.idempotency(key)));
    expect(left.map((row) => row?.createdAt)).toEqual([now, undefined, NOW + 1]);
  });

  test('gives exactly one success to concurrent validations with the right code', async () => {
    const command = start(fixture, store);
    await store.submit(command);
    const { session } = (await store.read.session(command.session))!;
    const code = codeOf(fixture, session);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => store.submit(validation(fixture, session.uuid, code))),
    );
    expect(outcomes.filter((outcome) => outcome.kind === 'validated')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.kind === 'already-verified')).toHaveLength(19);
  });

  test('counts validations and refuses even the right code after ten', async () => {
    const command = start(fixture, store);
    await store.submit(command);
    const { session } = (await store.read.session(command.session))!;
    const code = codeOf(fixture, session);
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () => store.submit(validation(fixture, session.uuid, wrongCode(code)))),
    );
    expect(outcomes.map((outcome) => outcome.kind)).toEqual([
      ...Array(10).fill('invalid'),
      'too-many-validations',
      'too-many-validations',
    ]);
    expect((await store.submit(validation(fixture, session.uuid, code))).kind).toBe('too-many-validations');
    expect(await store.submit(start(fixture, store))).toEqual({ kind: 'refused', reason: 'validations' });
  });

  test('keeps the failed validations of a recipient over sessions, to the last one', async () => {
    const other = { ...fixture, application: { ...fixture.application, uuid: newId() as never } };
    for (const owner of [fixture, other]) {
      const command = start(owner, store);
      await store.submit(command);
      const { session } = (await store.read.session(command.session))!;
      for (let failure = 0; failure < 3; failure++) {
        const wrong = wrongCode(codeOf(fixture, session));
        const limited = validation(fixture, session.uuid, wrong, { failedValidationsLimit: 5 });
        const expected = owner === other && failure === 2 ? 'recipient-exhausted' : 'invalid';
        expect((await store.submit(limited)).kind).toBe(expected);
      }
    }
    const refused = await store.submit(start(fixture, store, { failedValidationsLimit: 5 }));
    expect(refused).toEqual({ kind: 'refused', reason: 'recipient' });
    const aDayLater = start(fixture, store, { now: NOW + 86_400_000 + 2000, failedValidationsLimit: 5 });
    expect((await store.submit(aDayLater)).kind).toBe('started');
  });

  test('verifies a session by a key that was pressed, with all that goes with it', async () => {
    const call = start(fixture, store, { channel: 'voice' });
    const confirming = { ...call, application: { ...call.application, confirmByKey: true } };
    const message = start(fixture, store);
    for (const command of [confirming, message]) await store.submit(command);
    effects.length = 0;
    const claim = {
      type: 'hop-accepted',
      now: NOW + 10,
      owner: store.epoch,
      attempt: call.attempt,
      number: 1,
      carrier: 'inbox',
      messageId: null,
      claim: true,
    } as const;
    const outcomes = await Promise.all([store.submit(claim), store.submit(claim)]);
    expect(outcomes).toMatchObject([{ kind: 'recorded', verified: true }, { kind: 'stale' }]);
    expect(effects).toEqual([{ kind: 'drop', attempt: message.attempt }]);
    const view = (await store.read.session(call.session))!;
    expect(view.session.status).toBe('verified');
    expect(view.attempts).toMatchObject([
      { status: 'completed', delivery: 'done', confirmByKey: true },
      { delivery: 'done', confirmByKey: false },
    ]);
    expect(await store.read.droppedAttempts(NOW + 9, 10)).toEqual([]);
    expect(await store.read.droppedAttempts(NOW + 10, 10)).toEqual([message.attempt]);
    const { epoch: owner } = store;
    const notSent = {
      type: 'give-up',
      now: NOW + 20,
      owner,
      attempt: message.attempt,
      errorCode: null,
    } as const;
    expect(await store.submit(notSent)).toMatchObject({ kind: 'recorded', status: 'failed' });
    expect(await store.read.droppedAttempts(NOW + 20, 10)).toEqual([]);
    expect(await store.read.overdueSessions(NOW + 3_600_000, 10)).toEqual([]);
    const next = start(fixture, store);
    expect(await store.submit(next)).toMatchObject({ kind: 'started', session: next.session });
  });

  test('knows the messages that carriers have and may still report on, among the newest attempts', async () => {
    const texts = ['14155551235', '14155551236', '14155551237', '14155551238'].map((recipient, index) =>
      start(fixture, store, {
        now: NOW + index * 1_000,
        recipient: recipient as Recipient,
        carrier: 'one',
        src: index === 3 ? 'Acme' : null,
        country: index === 3 ? null : 'US',
      }),
    );
    const call = start(fixture, store, { now: NOW + 9_000, channel: 'voice', carrier: 'one' });
    for (const command of [...texts, call]) await store.submit(command);
    const { epoch: owner } = store;
    for (const { attempt, now } of [...texts.filter((_, index) => index !== 2), call]) {
      const hop = { attempt, number: 1, carrier: 'one', messageId: null } as const;
      await store.submit({ type: 'hop-accepted', now: now + 400, owner, ...hop });
    }
    const by = { kind: 'hop', attempt: texts[1]!.attempt, number: 1 } as const;
    const delivered = { status: 'delivered', errorCode: null } as const;
    await store.submit({ type: 'receipt', now: NOW + 2_000, owner, carrier: 'one', by, ...delivered });
    const of = (index: number) => ({
      attempt: texts[index]!.attempt,
      carrier: 'one',
      handedAt: NOW + index * 1_000 + 400,
      recipient: texts[index]!.recipient,
      country: texts[index]!.country,
      application: fixture.application.uuid,
      alias: fixture.application.alias,
      src: texts[index]!.src,
    });
    expect(await store.read.handedMessages(NOW, 10)).toEqual([of(3), of(0)]);
    expect(await store.read.handedMessages(NOW + 1, 10)).toEqual([of(3)]);
    expect(await store.read.handedMessages(NOW, 2)).toEqual([of(3)]);
  });

  test('knows the calls of an earlier life that were marked and never told of again', async () => {
    const calls = [
      start(fixture, store, { channel: 'voice', carrier: 'trunk' }),
      start(fixture, store, { channel: 'voice', carrier: 'trunk', recipient: '14155551235' as Recipient }),
      start(fixture, store, { channel: 'voice', carrier: 'other', recipient: '14155551236' as Recipient }),
      start(fixture, store, { channel: 'voice', carrier: 'trunk', recipient: '14155551237' as Recipient }),
      start(fixture, store, { channel: 'sms', carrier: 'trunk', recipient: '14155551238' as Recipient }),
    ];
    for (const command of calls) await store.submit(command);
    const [lost, ended, other, , sms] = calls.map(({ attempt, carrier }) => ({
      now: NOW + 10,
      owner: store.epoch,
      attempt,
      number: 1,
      carrier: carrier!,
    }));
    for (const at of [lost!, ended!, other!, sms!]) {
      await store.submit({ type: 'hop-accepted', ...at, messageId: null, claim: at !== sms });
    }
    const by = { kind: 'hop', attempt: ended!.attempt, number: 1 } as const;
    await store.submit({ type: 'receipt', ...ended!, by, status: 'completed', errorCode: null });
    expect(await store.read.lostCalls('trunk', 10)).toEqual([]);

    const { database } = store as MemoryStore;
    await store.close();
    store = database ? openMemoryStore({ environment: systemEnvironment, database }) : await open(directory);
    expect(await store.read.lostCalls('trunk', 10)).toEqual([{ attempt: lost!.attempt, number: 1 }]);
    expect(await store.read.lostCalls('other', 10)).toEqual([{ attempt: other!.attempt, number: 1 }]);
  });

  test('keeps a chosen code sealed, and brings hops, receipts and callbacks back as they were', async () => {
    const command = start(fixture, store, {
      otp: '00421337',
      url: 'https://example.com/status?a=1',
      method: 'GET',
      dtmf: 0,
    });
    await store.submit(command);
    const at = { now: NOW + 10, owner: store.epoch, attempt: command.attempt, number: 1, carrier: 'inbox' };
    const messageId = newId(NOW + 10);
    await store.submit({ type: 'hop-accepted', ...at, messageId });
    const receipt = {
      type: 'receipt',
      now: NOW + 20,
      owner: store.epoch,
      carrier: 'inbox',
      by: { kind: 'message', messageId },
      status: 'delivered',
      errorCode: null,
    } as const;
    expect(await store.submit(receipt)).toMatchObject({ kind: 'recorded', status: 'delivered' });
    expect(await store.submit({ ...receipt, by: { kind: 'message', messageId: 'none' } })).toEqual({
      kind: 'unknown',
    });

    const view = (await store.read.session(command.session))!;
    expect(codeOf(fixture, view.session)).toBe('00421337');
    expect(view.attempts[0]).toMatchObject({
      status: 'delivered',
      delivery: 'done',
      dtmf: 0,
      callbacksMade: 3,
    });
    const taken = await store.read.taken({
      carrier: 'inbox',
      account: fixture.account,
      recipient: '14155551234' as Recipient,
      since: NOW,
      limit: 10,
    });
    expect(taken.map(({ hop }) => hop)).toMatchObject([{ number: 1, messageId, state: 'delivered' }]);

    expect(await store.read.handedMessages(NOW, 10)).toEqual([]);

    const due = await store.read.dueCallbacks('example.com:443', NOW + 20, 10);
    expect(due.items).toHaveLength(1);
    expect(new URLSearchParams(due.items[0]!.body).get('ChannelStatus')).toBe('queued');
    const tried = {
      type: 'callback-tried',
      now: NOW + 30,
      owner: store.epoch,
      attempt: command.attempt,
      sequence: 1,
      ok: true,
      retriable: true,
      httpStatus: 200,
      reason: null,
      latency: 12,
      triesBefore: 0,
    } as const;
    effects.length = 0;
    await store.submit(tried);
    expect(effects).toMatchObject([{ kind: 'callback', callback: { sequence: 2, state: 'ready' } }]);
    await store.submit({ ...tried, sequence: 2, ok: false, httpStatus: 500, reason: 'answered 500' });
    expect(await store.read.dueCallbacks('example.com:443', NOW + 40, 10)).toEqual({
      items: [],
      nextAt: NOW + 30 + 60_000,
    });
    expect(await store.read.callbackLanes()).toEqual([
      { lane: 'example.com:443', nextAt: NOW + 30 + 60_000 },
    ]);

    const records = await store.read.callbacks(command.session, 20);
    expect(records.map(({ callback }) => callback)).toMatchObject([
      { sequence: 1, state: 'delivered', tries: 1, triesBefore: 0 },
      { sequence: 2, state: 'ready', tries: 1 },
      { sequence: 3, state: 'held', tries: 0 },
    ]);
    const entry = { attempt: command.attempt, number: 1, at: NOW + 30, latency: 12, byHand: false };
    expect(records.map(({ tries }) => tries)).toEqual([
      [{ ...entry, sequence: 1, httpStatus: 200, reason: null, nextAt: null }],
      [{ ...entry, sequence: 2, httpStatus: 500, reason: 'answered 500', nextAt: NOW + 60_030 }],
      [],
    ]);
  });

  test('redelivers a callback that is settled, as often as it is asked, and keeps the latest tries apart', async () => {
    const command = start(fixture, store, { url: 'https://example.com/' });
    await store.submit(command);
    const { session, attempt } = command;
    const at = { now: NOW + 5, owner: store.epoch, attempt, sequence: 1 };
    const redeliver = { type: 'redeliver-callback', account: fixture.account, session, ...at } as const;
    const answered = { ok: true, retriable: true, httpStatus: 204, reason: null };
    const tried = (triesBefore: number, latency: number | null) =>
      store.submit({ type: 'callback-tried', ...at, ...answered, triesBefore, latency });
    expect(await store.submit(redeliver)).toEqual({ kind: 'unsettled', state: 'ready', nextAt: NOW });
    await tried(0, 1);
    for (let round = 1; round <= 5; round++) {
      effects.length = 0;
      // Within one batch the second sees what the first did.
      const outcomes = [store.submit(redeliver), store.submit(redeliver)];
      expect(await Promise.all(outcomes)).toMatchObject([{ kind: 'accepted' }, { kind: 'unsettled' }]);
      expect(effects).toMatchObject([
        { kind: 'callback', callback: { state: 'ready', triesBefore: round, tries: round, nextAt: NOW + 5 } },
      ]);
      expect((await store.read.dueCallbacks('example.com:443', NOW + 5, 10)).items).toHaveLength(1);
      await tried(round, round === 5 ? null : 1 + round);
    }
    const [record] = await store.read.callbacks(session, 3);
    expect(record?.callback).toMatchObject({ state: 'delivered', tries: 6, triesBefore: 5 });
    expect(record?.tries.map(({ number, latency, byHand }) => [number, latency, byHand])).toEqual([
      [4, 4, true],
      [5, 5, true],
      [6, null, true],
    ]);
    const stranger = { ...redeliver, account: 'MA333333333333333333' as AccountId };
    expect(await store.submit(stranger)).toEqual({ kind: 'not-found' });
    expect(await store.read.callbacks(newId() as SessionId, 3)).toEqual([]);
  });

  test('lists sessions newest first, by status, recipient, application, time and page', async () => {
    const commands = Array.from({ length: 6 }, (_, index) =>
      start(fixture, store, { now: NOW + index, recipient: `1415555123${index}` as Recipient }),
    );
    for (const command of commands) await store.submit(command);
    const base = {
      main: fixture.account,
      since: NOW,
      until: NOW + 100,
      now: NOW + 100,
      limit: 20,
      offset: 0,
    };
    const ids = async (query: object) =>
      (await store.read.sessions({ ...base, ...query })).map(({ session }) => session.uuid);
    const newestFirst = commands.map((command) => command.session).reverse();
    expect(await ids({})).toEqual(newestFirst);
    expect(await ids({ limit: 2, offset: 3 })).toEqual(newestFirst.slice(3, 5));
    expect(await ids({ since: NOW + 1, until: NOW + 3 })).toEqual([
      commands[2]!.session,
      commands[1]!.session,
    ]);
    expect(await ids({ recipient: '14155551234' })).toEqual([commands[4]!.session]);
    expect(await ids({ application: newId() })).toEqual([]);
    expect(await ids({ main: 'MAZZZZZZZZZZZZZZZZZZ' as AccountId })).toEqual([]);

    const { session } = (await store.read.session(commands[0]!.session))!;
    await store.submit(validation(fixture, session.uuid, codeOf(fixture, session)));
    expect(await ids({ status: 'verified' })).toEqual([session.uuid]);
    expect(await ids({ status: 'in-progress' })).toEqual(newestFirst.slice(0, 5));
    expect(await ids({ status: 'expired', now: NOW + 700_000 })).toEqual(newestFirst.slice(0, 5));
    expect(await ids({ status: 'in-progress', now: NOW + 700_000 })).toEqual([]);
  });

  test('lists by alias and country, and by brand and hash of any attempt', async () => {
    const login = { ...fixture.application, uuid: newId() as never, alias: 'login' };
    const [french, branded] = [
      start(fixture, store, { recipient: '33612345678' as Recipient, country: 'FR' }),
      start({ ...fixture, application: login }, store, { now: NOW + 1, brandName: 'Umbrella' }),
    ];
    for (const command of [french, branded]) await store.submit(command);
    const again = {
      now: NOW + 2,
      recipient: french.recipient,
      brandName: 'Umbrella',
      appHash: 'FA+9qCX9VSu',
    };
    await store.submit(start(fixture, store, again));
    const base = { main: fixture.account, since: NOW, until: NOW + 9, now: NOW + 9, limit: 20, offset: 0 };
    const ids = async (query: object) =>
      (await store.read.sessions({ ...base, ...query })).map(({ session }) => session.uuid);
    const [older, newer] = [french.session, branded.session];
    expect(await ids({ alias: 'login' })).toEqual([newer]);
    expect(await ids({ alias: 'logi' })).toEqual([]);
    expect(await ids({ country: 'FR' })).toEqual([older]);
    expect(await ids({ brandName: 'Umbrella' })).toEqual([newer, older]);
    expect(await ids({ brandName: 'Umbrella', limit: 1, offset: 1 })).toEqual([older]);
    expect(await ids({ brandName: 'Acme' })).toEqual([older]);
    expect(await ids({ appHash: 'FA+9qCX9VSu' })).toEqual([older]);
    expect(await ids({ brandName: 'Acme', appHash: 'FA+9qCX9VSu', country: 'FR' })).toEqual([older]);
    expect(await ids({ brandName: 'Umbrella', alias: 'login' })).toEqual([newer]);
    expect(await ids({ brandName: 'Umbrella', status: 'expired', now: NOW + 700_000 })).toEqual([
      newer,
      older,
    ]);
    expect(await ids({ country: 'FR', alias: 'login' })).toEqual([]);
    expect(await ids({ main: 'MAZZZZZZZZZZZZZZZZZZ', brandName: 'Umbrella' })).toEqual([]);
  });

  test('pages of a list stay the same while others start sessions', async () => {
    const numbered = (index: number, now: number) =>
      start(fixture, store, { now, recipient: String(14155550000 + index) as Recipient });
    const early = Array.from({ length: 30 }, (_, index) => numbered(index, NOW + index));
    await Promise.all(early.map((command) => store.submit(command)));
    const query = { main: fixture.account, since: NOW, until: NOW + 30, now: NOW + 99, limit: 4 };
    const writing = Promise.all(
      Array.from({ length: 200 }, (_, index) => store.submit(numbered(100 + index, NOW + 30 + index))),
    );
    const pages: SessionId[] = [];
    for (let offset = 0; offset < 30; offset += 4) {
      const page = await store.read.sessions({ ...query, offset });
      pages.push(...page.map(({ session }) => session.uuid));
    }
    await writing;
    expect(pages).toEqual(early.map((command) => command.session).reverse());
  });

  describe('retention', () => {
    const DAY = 86_400_000;
    /** Starts a session of a recipient, lets its attempt be delivered, and expires it. */
    const finished = async (now: number, recipient: string, url: string | null = null) => {
      const command = start(fixture, store, { now, recipient: recipient as Recipient, url });
      await store.submit(command);
      const at = { now, owner: store.epoch, attempt: command.attempt, number: 1, carrier: 'inbox' };
      await store.submit({ type: 'hop-accepted', ...at, messageId: newId(now) });
      const ends = { now: now + 600_000, owner: store.epoch, session: command.session, force: false };
      await store.submit({ type: 'expire', ...ends });
      return command;
    };
    const shown = async (...commands: { session: SessionId }[]) => {
      const views = await Promise.all(commands.map(({ session }) => store.read.session(session)));
      return views.map((view) => view !== null);
    };
    const olderThan = (sessions: number) => ({ sessions, budgets: 0 });

    test('deletes sessions by age, the oldest first, a few at a time, with all that belongs to them', async () => {
      const first = await finished(NOW, '14155550001');
      const second = await finished(NOW + DAY, '14155550002');
      const third = await finished(NOW + 2 * DAY, '14155550003');
      expect(await store.purge(olderThan(NOW), 10)).toEqual({ sessions: 0, budgets: 0 });
      expect(await store.purge(olderThan(NOW + 2 * DAY), 1)).toEqual({ sessions: 1, budgets: 0 });
      expect(await shown(first, second, third)).toEqual([false, true, true]);
      expect(await store.purge(olderThan(NOW + 2 * DAY), 10)).toEqual({ sessions: 1, budgets: 0 });
      expect(await store.purge(olderThan(NOW + 2 * DAY), 10)).toEqual({ sessions: 0, budgets: 0 });
      expect(await shown(first, second, third)).toEqual([false, false, true]);
      const taken = { carrier: 'inbox', account: fixture.account, since: 0, limit: 10 };
      expect((await store.read.taken(taken)).map(({ session }) => session.uuid)).toEqual([third.session]);
      const late = { now: NOW + DAY, owner: store.epoch, carrier: 'inbox', errorCode: null } as const;
      const by = { kind: 'hop', attempt: first.attempt, number: 1 } as const;
      const receipt = { type: 'receipt', ...late, by, status: 'delivered' } as const;
      expect(await store.submit(receipt)).toEqual({ kind: 'unknown' });
    });

    test('leaves sessions that are in progress or have callbacks to make, and goes past them', async () => {
      const live = start(fixture, store);
      await store.submit(live);
      const calling = await finished(NOW + 1, '14155550001', 'https://example.com/');
      const silent = await finished(NOW + 2, '14155550002');
      expect(await store.purge(olderThan(NOW + DAY), 1)).toEqual({ sessions: 1, budgets: 0 });
      expect(await store.purge(olderThan(NOW + DAY), 1)).toEqual({ sessions: 0, budgets: 0 });
      expect(await shown(live, calling, silent)).toEqual([true, true, false]);
      for (let sequence = 1; sequence <= 3; sequence++) {
        const result = {
          ok: true,
          retriable: true,
          httpStatus: 200,
          reason: null,
          latency: 1,
          triesBefore: 0,
        };
        const at = { now: NOW + 3, owner: store.epoch, attempt: calling.attempt, sequence };
        await store.submit({ type: 'callback-tried', ...at, ...result });
      }
      // One that is to be made again by hand is one to make.
      const at = { now: NOW + 4, owner: store.epoch, attempt: calling.attempt, sequence: 2 };
      const asked = { account: fixture.account, session: calling.session, ...at };
      await store.submit({ type: 'redeliver-callback', ...asked });
      expect(await store.purge(olderThan(NOW + DAY), 10)).toEqual({ sessions: 0, budgets: 0 });
      const result = { ok: true, retriable: true, httpStatus: 200, reason: null, latency: 1, triesBefore: 1 };
      await store.submit({ type: 'callback-tried', ...at, ...result });
      expect((await store.read.callbacks(calling.session, 20)).map(({ tries }) => tries.length)).toEqual([
        1, 2, 1,
      ]);
      // The last try of each is in its own row.
      expect(triesIn(store, directory)).toBe(1);
      expect(await store.purge(olderThan(NOW + DAY), 10)).toEqual({ sessions: 1, budgets: 0 });
      expect(await shown(live, calling)).toEqual([true, false]);
      expect(await store.read.callbacks(calling.session, 20)).toEqual([]);
      expect(triesIn(store, directory)).toBe(0);
    });

    test('forgets the failed validations of a recipient once the last has aged', async () => {
      const command = start(fixture, store);
      await store.submit(command);
      const { session } = (await store.read.session(command.session))!;
      const wrong = wrongCode(codeOf(fixture, session));
      for (const now of [NOW + 1000, NOW + 2000]) {
        await store.submit(validation(fixture, session.uuid, wrong, { now }));
      }
      expect(await store.purge({ sessions: 0, budgets: NOW + 1999 }, 10)).toEqual({
        sessions: 0,
        budgets: 0,
      });
      expect(await store.purge({ sessions: 0, budgets: NOW + 2000 }, 10)).toEqual({
        sessions: 0,
        budgets: 1,
      });
      expect(await store.purge({ sessions: 0, budgets: NOW + 2000 }, 10)).toEqual({
        sessions: 0,
        budgets: 0,
      });
    });

    test('goes on beside commits', async () => {
      for (let index = 0; index < 20; index++) await finished(NOW + index, String(14155550000 + index));
      const fresh = Array.from({ length: 50 }, (_, index) =>
        start(fixture, store, { now: NOW + DAY, recipient: String(14155551000 + index) as Recipient }),
      );
      const started = Promise.all(fresh.map((command) => store.submit(command)));
      const purged = await Promise.all(Array.from({ length: 5 }, () => store.purge(olderThan(NOW + DAY), 5)));
      expect(purged.map(({ sessions }) => sessions)).toEqual([5, 5, 5, 5, 0]);
      expect((await started).every((outcome) => outcome.kind === 'started')).toBe(true);
      expect(await shown(...fresh)).toEqual(fresh.map(() => true));
    });
  });

  test('finds overdue sessions, expires them once, and starts anew where a live row has passed its time', async () => {
    const first = start(fixture, store);
    await store.submit(first);
    expect(await store.read.overdueSessions(NOW + 599_999, 10)).toEqual([]);
    expect(await store.read.overdueSessions(NOW + 600_000, 10)).toEqual([first.session]);
    const second = start(fixture, store, { now: NOW + 600_000 });
    expect(await store.submit(second)).toEqual({ kind: 'started', session: second.session, isNew: true });
    expect((await store.read.session(first.session))?.session.status).toBe('expired');
    const expire = {
      type: 'expire',
      now: NOW + 1_200_000,
      owner: store.epoch,
      session: second.session,
      force: false,
    } as const;
    expect(await store.submit(expire)).toMatchObject({ kind: 'recorded' });
    expect(await store.submit(expire)).toMatchObject({ kind: 'stale' });
    expect(await store.read.overdueSessions(NOW + 9_000_000, 10)).toEqual([]);
  });

  test('fails one command that throws, alone, and commits its neighbours', async () => {
    const poison = { type: 'no such command' } as unknown as Command;
    const good = [start(fixture, store), start(fixture, store, { recipient: '14155550000' as Recipient })];
    const results = await Promise.allSettled([good[0]!, poison, good[1]!].map((each) => store.submit(each)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({
      name: 'StoreError',
      kind: 'failed',
    });
    for (const command of good) expect(await store.read.session(command.session)).not.toBeNull();
  });

  test('reads and counts pending work by lane', async () => {
    await store.submit(start(fixture, store, { carrier: 'a' }));
    await store.submit(start(fixture, store, { carrier: 'b', recipient: '14155550000' as Recipient }));
    expect(await store.read.deliveryLanes()).toEqual([
      { lane: 'a', nextAt: NOW },
      { lane: 'b', nextAt: NOW },
    ]);
    const due = await store.read.dueDeliveries('a', NOW, 10);
    expect(due.items).toMatchObject([{ carrier: 'a', recipient: '14155551234', hop: 1 }]);
    expect(due.nextAt).toBeNull();
    expect(await store.read.backlog()).toEqual({ deliveries: 2, callbacks: 0 });
    // It fails at once: its first callback is to be sent, the second one waits for that.
    const url = 'https://customer.example/status';
    await store.submit(start(fixture, store, { carrier: null, url, recipient: '14155550001' as Recipient }));
    expect(await store.read.backlog()).toEqual({ deliveries: 2, callbacks: 1 });
  });

  test('tracks keys, what refers to them, and what a change of key leaves to be sealed again', async () => {
    const command = start(fixture, store, { otp: '4711' });
    await store.submit(command);
    const next = newKey();
    const both = { active: next.active, keys: [...fixture.keyring.data.keys, ...next.keys] };
    const old = fixture.keyring.active;
    await store.submit({
      type: 'add-key',
      key: { id: next.active, check: new Uint8Array(16), createdAt: NOW + 1 },
    });
    expect((await store.read.keys()).map(({ state }) => state)).toEqual(['active', 'standby']);
    expect(await store.submit({ type: 'close-key', id: old, as: 'retired', references: 0 })).toMatchObject({
      kind: 'conflict',
    });
    await store.submit({ type: 'activate-key', id: next.active });
    await store.useKeyring(both);
    expect(await store.read.keyReferences(old)).toBe(2);
    expect(await store.read.liveSessionsOf(old, 10)).toEqual([command.session]);
    const { accounts, sessions } = await store.read.sealedUnderOthers(next.active);
    expect({ accounts, sessions }).toEqual({ accounts: [fixture.account], sessions: [command.session] });
    const nonces = [new Uint8Array(12).fill(1), new Uint8Array(12).fill(2)] as const;
    await store.submit({ type: 'reseal', row: { kind: 'account', authId: accounts[0]! }, nonces });
    await store.submit({ type: 'reseal', row: { kind: 'session', session: sessions[0]! }, nonces });
    expect(await store.read.keyReferences(old)).toBe(0);
    expect((await store.submit(validation(fixture, command.session, '4711'))).kind).toBe('validated');
    expect(await store.submit({ type: 'close-key', id: old, as: 'retired', references: 0 })).toEqual({
      kind: 'done',
    });
  });

  test('keeps the countries of an account, and that it has none', async () => {
    const { account: authId } = fixture;
    for (const countries of [['US'], ['US', 'DE'], null]) {
      await store.submit({ type: 'update-account', now: NOW, authId, changes: { countries } });
      expect(await store.read.account(authId)).toMatchObject({ countries, enabled: true, name: 'test' });
    }
  });

  test('keeps applications, lists them newest first, and moves the default in one commit', async () => {
    const { account } = fixture;
    const rules = {
      channels: ['voice'] as const,
      url: 'https://example.com/',
      resendCooldown: 30,
      testNumbers: [{ recipient: '14155550100' as Recipient, otp: '0042' }],
      numberTypes: ['fixed-line', 'pager'] as const,
    };
    const made = [1, 2].map((later) =>
      newApplication(newId(NOW + later) as ApplicationId, account, rules, NOW + later),
    );
    for (const application of made) {
      expect(await store.submit({ type: 'create-application', application })).toEqual({ kind: 'done' });
    }
    const page = { account, withSubaccounts: false, limit: 10, offset: 0 };
    const [second, first, original] = await store.read.applications(page);
    expect([first, second]).toEqual(made);
    expect(original).toEqual(fixture.application);
    expect(await store.read.applications({ ...page, limit: 1, offset: 1 })).toEqual([first]);

    // Both ways round: whichever row is written first must not collide with the other.
    for (const next of [made[0]!.uuid, fixture.application.uuid, made[1]!.uuid]) {
      const changes = { isDefault: true };
      const now = NOW + 10;
      await store.submit({ type: 'update-application', now, account, application: next, changes });
      const all = await store.read.applications(page);
      expect(all.filter(({ isDefault }) => isDefault).map(({ uuid }) => uuid)).toEqual([next]);
      expect((await store.read.defaultApplication(account))?.uuid).toBe(next);
    }
    const replacing = newApplication(newId(NOW + 3) as ApplicationId, account, { isDefault: true }, NOW);
    await store.submit({ type: 'create-application', application: replacing });
    expect((await store.read.defaultApplication(account))?.uuid).toBe(replacing.uuid);
  });

  test('deletes an application once its sessions have ended, within one batch too', async () => {
    const { account } = fixture;
    const application = newApplication(newId() as ApplicationId, account, {}, NOW);
    await store.submit({ type: 'create-application', application });
    const command = start({ ...fixture, application }, store);
    await store.submit(command);
    const remove = (now: number) =>
      store.submit({ type: 'delete-application', now, account, application: application.uuid });
    expect(await remove(NOW + 1)).toMatchObject({ kind: 'conflict' });
    const { session } = (await store.read.session(command.session))!;
    const [validated, removed] = await Promise.all([
      store.submit(validation(fixture, session.uuid, codeOf(fixture, session))),
      remove(NOW + 1),
    ]);
    expect([validated.kind, removed.kind]).toEqual(['validated', 'done']);
    expect(await store.read.application(application.uuid)).toBeNull();
    expect((await store.read.session(session.uuid))?.session.status).toBe('verified');
  });

  test('keeps the sessions of a subaccount for its main account when it is deleted', async () => {
    const main = fixture.account;
    const authId = 'SA000000000000000000' as AccountId;
    const application = newId(NOW + 1) as ApplicationId;
    const nonce = new Uint8Array(12).fill(3);
    const values = { authId, authToken: 't', parent: main, name: 'sub', enabled: true };
    const create = newAccount(fixture.keyring, { ...values, application, now: NOW + 1, nonce });
    await store.submit(create);
    expect(await store.read.subaccounts(main, 10, 0)).toEqual({ accounts: [create.account], total: 1 });
    expect(await store.read.subaccounts(main, 10, 1)).toEqual({ accounts: [], total: 1 });
    expect((await store.read.subaccounts(authId, 10, 0)).total).toBe(0);
    const page = { account: main, withSubaccounts: true, limit: 10, offset: 0 };
    expect((await store.read.applications(page)).map(({ account }) => account)).toEqual([authId, main]);
    expect(await store.read.applications({ ...page, account: authId })).toEqual([create.application]);

    const own = start({ ...fixture, application: create.application }, store);
    const others = start(fixture, store, { now: NOW + 1 });
    await store.submit(own);
    await store.submit(others);
    const base = { since: NOW, until: NOW + 100, now: NOW + 100, limit: 20, offset: 0, main };
    const ids = async (query: object) =>
      (await store.read.sessions({ ...base, ...query })).map(({ session }) => session.uuid);
    const expectLists = async () => {
      expect(await ids({})).toEqual([others.session, own.session]);
      expect(await ids({ account: authId })).toEqual([own.session]);
      expect(await ids({ account: main })).toEqual([others.session]);
      expect(await ids({ account: authId, recipient: '14155551234' })).toEqual([own.session]);
      expect(await ids({ recipient: '14155551234' })).toEqual([others.session, own.session]);
      expect(await ids({ account: authId, main: authId })).toEqual([]);
    };
    await expectLists();
    const at = { now: NOW + 10, owner: store.epoch, attempt: own.attempt, number: 1, carrier: 'inbox' };
    await store.submit({ type: 'hop-accepted', ...at, messageId: newId(NOW + 10) });
    const taken = (account: AccountId) =>
      store.read.taken({ carrier: 'inbox', account, since: NOW, limit: 10 });
    expect((await taken(authId)).map(({ session }) => session.uuid)).toEqual([own.session]);
    expect((await taken(main)).map(({ session }) => session.uuid)).toEqual([own.session]);

    const remove = (now: number) => store.submit({ type: 'delete-account', now, authId, parent: main });
    expect(await remove(NOW + 50)).toMatchObject({ kind: 'conflict' });
    expect(await remove(NOW + 600_000)).toEqual({ kind: 'done' });
    expect(await store.read.account(authId)).toBeNull();
    expect(await store.read.application(application)).toBeNull();
    await expectLists();
    expect((await store.read.session(own.session))?.session).toMatchObject({ account: authId, main });
  });

  test('brings back a session to a test number as it was', async () => {
    const application = { ...fixture.application, resendCooldown: 30 };
    const command = start({ ...fixture, application }, store, { test: true, otp: '0042' });
    await store.submit(command);
    expect(effects).toEqual([]);
    const { session, attempts } = (await store.read.session(command.session))!;
    expect(session).toMatchObject({ test: true, resendCooldown: 30, main: fixture.account });
    expect(attempts).toMatchObject([{ status: 'delivered', delivery: 'done' }]);
    expect(codeOf(fixture, session)).toBe('0042');
    const early = start({ ...fixture, application }, store, { now: NOW + 1 });
    expect(await store.submit(early)).toEqual({ kind: 'cooling', wait: 29_999 });
  });

  test('keeps what sessions and attempts cost, and changes of it', async () => {
    const priced = (changes: Partial<StartAttempt>) =>
      start(fixture, store, { validationPrice: 99_999_999_999_999, ...changes });
    const sms = priced({ price: { price: 99_999_999_999_998, increment: null } });
    const call = priced({ channel: 'voice', price: { price: 0, increment: 6 } });
    await store.submit(sms);
    await store.submit(call);
    const view = async () => (await store.read.session(sms.session))!;
    const rows = [
      { price: 99_999_999_999_998, segments: 1, increment: null, taken: false, duration: null },
      { price: 0, segments: null, increment: 6, taken: false, duration: null },
    ];
    expect(await view()).toMatchObject({
      session: { validationPrice: 99_999_999_999_999 },
      attempts: rows,
    });
    const at = { owner: store.epoch, attempt: call.attempt, number: 1, carrier: 'inbox' };
    await store.submit({ type: 'hop-accepted', now: NOW + 1, ...at, messageId: 'one' });
    expect((await view()).attempts).toMatchObject([rows[0], { ...rows[1], taken: true }]);
    await store.submit({
      type: 'receipt',
      now: NOW + 2,
      owner: store.epoch,
      carrier: 'inbox',
      by: { kind: 'message', messageId: 'one' },
      status: 'completed',
      errorCode: null,
      duration: 13,
    });
    expect((await view()).attempts[1]).toMatchObject({ ...rows[1], taken: true, duration: 13 });
  });

  test('refuses commands once it is closed', async () => {
    await store.close();
    await expect(store.submit(start(fixture, store))).rejects.toThrow(StoreError);
  });
});
