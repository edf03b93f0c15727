import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemEnvironment } from '#environment.js';
import { openMemoryStore } from '#store/memory/store.js';
import { openSqliteStore } from '#store/sqlite/store.js';
import type { Store } from '#store/store.js';
import type { Effect } from '#verify/commands.js';
import type { AccountId, Recipient } from '#verify/model.js';
import { type Fixture, NOW, newId, seed, start } from '../support/rows.js';

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

describe.each(Object.entries(STORES))('the %s store', (_, open) => {
  let directory: string;
  let store: Store;
  let fixture: Fixture;
  let effects: Effect[];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-failover-'));
    store = await open(directory);
    effects = [];
    store.onEffects((each) => effects.push(...each));
    fixture = await seed(store);
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  const numbered = (n: number) => `1415555010${n}` as Recipient;

  test('keeps what followed a submit without an answer, and what a message cost', async () => {
    const command = start(fixture, store, { carrier: 'one' });
    await store.submit(command);
    const at = { now: NOW, owner: store.epoch, attempt: command.attempt, number: 1, carrier: 'one' } as const;
    const next = { kind: 'retry', carrier: 'one', at: NOW + 1_000, sameHop: true } as const;
    const failed = { type: 'hop-failed', ...at, errorCode: 20, reason: 'no answer', next } as const;
    await store.submit({ ...failed, unanswered: 'wait' });
    const messageId = newId(NOW);
    const cost = { amount: '0.0075', currency: 'USD' };
    await store.submit({ type: 'hop-accepted', ...at, messageId, cost });
    const query = { carrier: 'one', account: fixture.account, since: NOW - 1_000, limit: 10 };
    expect((await store.read.taken(query)).map(({ hop }) => hop)).toEqual([
      {
        attempt: command.attempt,
        number: 1,
        carrier: 'one',
        messageId,
        state: 'accepted',
        reason: null,
        errorCode: null,
        createdAt: NOW,
        updatedAt: NOW,
        unanswered: 'wait',
        cost,
      },
    ]);
  });

  test('moves an attempt past a carrier, once, and says where it waits now', async () => {
    const command = start(fixture, store, { carrier: 'one' });
    await store.submit(command);
    effects.length = 0;
    const move = {
      type: 'reroute',
      now: NOW,
      owner: store.epoch,
      attempt: command.attempt,
      number: 1,
      tries: 0,
      carrier: 'two',
    } as const;
    const outcomes = await Promise.all([store.submit(move), store.submit({ ...move, carrier: 'three' })]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['recorded', 'stale']);
    expect(effects).toMatchObject([
      { kind: 'deliver', delivery: { carrier: 'two', hop: 1, alias: 'default' } },
    ]);
    expect(await store.read.deliveryLanes()).toEqual([{ lane: 'two', nextAt: NOW }]);
  });

  test('reads the rows of a lane page by page', async () => {
    const commands = [];
    for (let n = 0; n < 5; n++) {
      const command = start(fixture, store, { carrier: 'one', recipient: numbered(n), now: NOW + n });
      commands.push(command.attempt);
      await store.submit(command);
    }
    const page = async (limit: number, skip: number) =>
      (await store.read.dueDeliveries('one', NOW + 10, limit, skip)).items.map(({ attempt }) => attempt);
    expect(await page(2, 0)).toEqual(commands.slice(0, 2));
    expect(await page(2, 2)).toEqual(commands.slice(2, 4));
    expect(await page(2, 4)).toEqual(commands.slice(4));
    expect(await page(2, 5)).toEqual([]);
  });

  test('keeps opt-outs by account and recipient, newest first', async () => {
    const other = 'MA222222222222222222' as AccountId;
    const source = { source: 'message', carrier: 'one' } as const;
    for (let n = 0; n < 4; n++) {
      const optOut = { account: fixture.account, recipient: numbered(n), ...source, createdAt: NOW + n };
      await store.submit({ type: 'opt-out', optOut });
    }
    const elsewhere = { account: other, recipient: numbered(2), ...source, carrier: null, createdAt: NOW };
    await store.submit({ type: 'opt-out', optOut: elsewhere });

    const list = async (limit: number, offset: number) =>
      (await store.read.optOuts({ account: fixture.account, limit, offset })).map(
        ({ recipient }) => recipient,
      );
    expect(await list(10, 0)).toEqual([3, 2, 1, 0].map(numbered));
    expect(await list(2, 1)).toEqual([2, 1].map(numbered));
    expect(await store.read.optOut(other, numbered(2))).toEqual(elsewhere);
    expect(await store.read.optOut(other, numbered(1))).toBeNull();
    expect((await store.read.optOutsOf(numbered(2))).map(({ account }) => account)).toEqual(
      [fixture.account, other].sort(),
    );

    const { account } = fixture;
    expect(await store.submit({ type: 'opt-in', account, recipient: numbered(2) })).toEqual({ kind: 'done' });
    expect(await store.submit({ type: 'opt-in', account, recipient: numbered(2) })).toEqual({
      kind: 'not-found',
    });
    expect((await store.read.optOutsOf(numbered(2))).map((row) => row.account)).toEqual([other]);
  });

  test('an opt-out holds for a create of the same commit, and until the opt-in of a later one', async () => {
    const { account } = fixture;
    const recipient = numbered(1);
    const optOut = { account, recipient, source: 'api', carrier: null, createdAt: NOW } as const;
    const command = start(fixture, store, { recipient });
    await Promise.all([store.submit({ type: 'opt-out', optOut }), store.submit(command)]);
    const again = start(fixture, store, { recipient });
    await Promise.all([store.submit({ type: 'opt-in', account, recipient }), store.submit(again)]);
    const view = await store.read.session(command.session);
    expect(view!.attempts).toMatchObject([
      { status: 'failed', errorCode: 200, delivery: 'done' },
      { status: 'queued', errorCode: null, delivery: 'pending' },
    ]);
  });
});
