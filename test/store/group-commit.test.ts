import { describe, expect, it } from 'vitest';
import { BatchError, GroupCommit } from '#store/group-commit.js';
import type { CommandResult } from '#store/working-set.js';
import type { Command, Effect } from '#verify/commands.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

const done: CommandResult = { ok: true, outcome: { kind: 'done' }, effects: [] };
const command = (type: string, id = 0) => ({ type, id }) as unknown as Command;
const idOf = (each: Command) => (each as unknown as { id: number }).id;

/** Commits that a test lets through one by one. */
function open(options: { maxBatch?: number; maxWaiting?: number; maxInFlight?: number } = {}) {
  const batches: Command[][] = [];
  const gates: ((results: CommandResult[] | Error) => void)[] = [];
  const told: Effect[] = [];
  const commits = new GroupCommit({
    environment: new VirtualEnvironment(),
    onEffects: (effects) => told.push(...effects),
    commit: (commands) => {
      batches.push([...commands]);
      return new Promise((resolve, reject) =>
        gates.push((results) => (results instanceof Error ? reject(results) : resolve(results))),
      );
    },
    ...options,
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const finish = async (results?: CommandResult[] | Error) => {
    await turn();
    gates.shift()!(results ?? batches.at(-1)!.map(() => done));
    await turn();
  };
  return { commits, batches, finish, told, turn };
}

describe('group commit', () => {
  it('commits a lone command at once, and together what comes while a commit runs', async () => {
    const { commits, batches, finish, turn } = open();
    void commits.submit(command('start-attempt'));
    await turn();
    expect(batches.map((batch) => batch.length)).toEqual([1]);
    for (let id = 1; id <= 7; id++) void commits.submit(command('start-attempt', id));
    await turn();
    expect(batches).toHaveLength(1);
    await finish();
    expect(batches.map((batch) => batch.length)).toEqual([1, 7]);
    await finish();
    expect(commits.waiting).toBe(0);
  });

  it('puts reports before validations and validations before creates, and bounds a batch', async () => {
    const { commits, batches, finish, turn } = open({ maxBatch: 4 });
    void commits.submit(command('start-attempt', 0));
    await turn();
    const types = ['start-attempt', 'validate', 'start-attempt', 'receipt', 'validate', 'hop-accepted'];
    for (const [index, type] of types.entries()) void commits.submit(command(type, index + 1));
    await finish();
    await finish();
    await finish();
    expect(batches.map((batch) => batch.map(idOf))).toEqual([[0], [4, 6, 2, 5], [1, 3]]);
  });

  it('starts a further batch, where it may, once that is half as large as what is in flight', async () => {
    const { commits, batches, finish, turn } = open({ maxInFlight: 2 });
    const submit = (count: number) => {
      for (let each = 0; each < count; each++) void commits.submit(command('start-attempt'));
      return turn();
    };
    await submit(8);
    await submit(3);
    expect(batches.map((batch) => batch.length)).toEqual([8]);
    await submit(1);
    expect(batches.map((batch) => batch.length)).toEqual([8, 4]);
    await submit(50);
    expect(batches).toHaveLength(2);
    await finish(batches[0]!.map(() => done));
    expect(batches.map((batch) => batch.length)).toEqual([8, 4, 50]);
    await finish(batches[1]!.map(() => done));
    const closed = commits.close();
    await finish();
    await closed;
    expect(commits.waiting).toBe(0);
  });

  it('refuses what is past the bound, a class at a time', async () => {
    const { commits, finish } = open({ maxWaiting: 2 });
    const creates = Array.from({ length: 4 }, () => commits.submit(command('start-attempt')));
    const validation = commits.submit(command('validate'));
    const settled = Promise.allSettled([...creates, validation]);
    await finish();
    const results = await settled;
    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect((results[2] as PromiseRejectedResult).reason).toMatchObject({ kind: 'unavailable' });
  });

  it('tells of effects before it answers', async () => {
    const { commits, finish, told } = open();
    const effect: Effect = { kind: 'drop', attempt: 'a' as never };
    let toldBefore = -1;
    const answered = commits.submit(command('validate')).then(() => {
      toldBefore = told.length;
    });
    await finish([{ ...done, effects: [effect] } as CommandResult]);
    await answered;
    expect(toldBefore).toBe(1);
  });

  it('commits the commands of a broken batch one by one: only the culprit fails', async () => {
    const { commits, batches, finish } = open();
    const all = Promise.allSettled([1, 2, 3].map((id) => commits.submit(command('validate', id))));
    await finish(new BatchError('broken', 'constraint'));
    await finish();
    await finish(new BatchError('broken', 'constraint'));
    await finish();
    expect(batches.map((batch) => batch.map(idOf))).toEqual([[1, 2, 3], [1], [2], [3]]);
    const results = await all;
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ kind: 'failed' });
  });

  it('answers everyone `unavailable` while the database is away, and goes on afterwards', async () => {
    const { commits, batches, finish } = open();
    const all = Promise.allSettled([1, 2].map((id) => commits.submit(command('validate', id))));
    await finish(new BatchError('away', 'full'));
    for (const result of await all) {
      expect((result as PromiseRejectedResult).reason).toMatchObject({ kind: 'unavailable' });
    }
    const later = commits.submit(command('validate', 3));
    await finish();
    expect(await later).toEqual({ kind: 'done' });
    expect(batches).toHaveLength(2);
  });
});
