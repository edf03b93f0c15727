import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemEnvironment } from '#environment.js';
import { openSqliteStore } from '#store/sqlite/store.js';
import type { Store } from '#store/store.js';
import type { Effect, StartAttempt } from '#verify/commands.js';
import type { Recipient } from '#verify/model.js';
import { codeOf, type Fixture, seed, start, validation } from '../support/rows.js';

let directory: string;
let store: Store;
let fixture: Fixture;
let effects: Effect[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-poison-'));
  store = await openSqliteStore({
    directory,
    environment: systemEnvironment,
    onFatal: (error) => {
      throw error;
    },
  });
  effects = [];
  store.onEffects((each) => effects.push(...each));
  fixture = await seed(store);
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

const recipient = (index: number) => `1415555${String(index).padStart(4, '0')}` as Recipient;

/** Commands that `decide` finds good and that the database does not take. */
const POISONS: Record<string, Partial<StartAttempt>> = {
  'a boolean, on which the driver would abort the process': { dtmf: true as never },
  'a function, which cannot be sent to the writer': { src: (() => 'no') as never },
  'an object': { src: { toString: 'no' } as never },
  'a NUL character': { brandName: 'Ac\0me' },
  'half of a surrogate pair': { brandName: 'Ac\ud83d' },
  'a number that is none': { dtmf: Number.NaN },
  'text where the schema demands an integer': { codeLength: 'six' as never },
};

test.each(Object.entries(POISONS))(
  'a command that the database refuses (%s) fails alone: its neighbours commit and announce their work once',
  async (_, poisoned) => {
    const earlier = start(fixture, store, { recipient: recipient(0) });
    await store.submit(earlier);
    const view = (await store.read.session(earlier.session))!;
    effects.length = 0;

    const before = Array.from({ length: 3 }, (_, index) =>
      start(fixture, store, { recipient: recipient(index + 1) }),
    );
    const after = Array.from({ length: 3 }, (_, index) =>
      start(fixture, store, { recipient: recipient(index + 4) }),
    );
    const poison = start(fixture, store, { recipient: recipient(99), ...poisoned });
    const right = validation(fixture, earlier.session, codeOf(fixture, view.session));
    const results = await Promise.allSettled(
      [...before, poison, ...after, right].map((command) => store.submit(command)),
    );

    expect(results.map(({ status }) => status)).toEqual([
      ...Array(3).fill('fulfilled'),
      'rejected',
      ...Array(4).fill('fulfilled'),
    ]);
    expect((results[3] as PromiseRejectedResult).reason).toMatchObject({
      name: 'StoreError',
      kind: 'failed',
    });
    expect((results[7] as PromiseFulfilledResult<unknown>).value).toEqual({ kind: 'validated' });
    const good = [...before, ...after];
    for (const { session } of good) expect((await store.read.session(session))?.attempts).toHaveLength(1);
    expect(await store.read.session(poison.session)).toBeNull();
    const delivered = effects.flatMap((effect) => (effect.kind === 'deliver' ? effect.delivery.attempt : []));
    expect(delivered.sort()).toEqual(good.map(({ attempt }) => attempt).sort());

    // Nothing of it stays behind: the same pair starts a session as if nothing had been.
    const again = start(fixture, store, { recipient: poison.recipient });
    expect(await store.submit(again)).toEqual({ kind: 'started', session: again.session, isNew: true });
  },
);
