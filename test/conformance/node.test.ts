import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLIENTS } from './clients.js';
import { conform } from './conform.js';
import { type Judgement, STEPS } from './scenario.js';
import { startWorld, type World } from './world.js';

let world: World;
let judgements: Judgement[];

beforeAll(async () => {
  world = await startWorld();
  const node = CLIENTS.find(({ name }) => name === 'node')!;
  judgements = await conform(node, await node.prepare(process.version), world);
}, 120_000);
afterAll(() => world?.close());

for (const [step, meaning] of Object.entries(STEPS)) {
  it(`the SDK for Node.js: ${meaning}`, (context) => {
    const mine = judgements.filter((judgement) => judgement.step === step);
    const leftOut = mine.find(({ result }) => result === 'left out');
    context.skip(leftOut !== undefined, leftOut?.detail);
    expect(mine).toEqual([{ step, result: 'passed', detail: expect.any(String) }]);
  });
}

it('the driver for Node.js does nothing that the scenario does not ask for', () => {
  expect(judgements.filter(({ step }) => !Object.hasOwn(STEPS, step))).toEqual([]);
});
