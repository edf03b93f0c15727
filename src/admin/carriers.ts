import type { AdminContext, CarrierLine, LiveCarriers, TestLine } from './context.js';
import { AdminError } from './error.js';

/** How the carriers of the running server stand. */
export async function listCarriers(context: AdminContext): Promise<readonly CarrierLine[]> {
  return live(context).list();
}

/** Begins to send one message through one carrier; `testState` tells what comes of it. */
export async function startTest(
  context: AdminContext,
  message: Parameters<LiveCarriers['test']>[0],
): Promise<{ readonly id: string }> {
  const started = live(context).test(message);
  if ('why' in started) throw new AdminError('invalid', started.why);
  return started;
}

export async function testState(context: AdminContext, { id }: { id: string }): Promise<TestLine> {
  const state = live(context).testState(id);
  if (!state) throw new AdminError('not-found', 'there is no such test any more');
  return state;
}

function live({ carriers }: AdminContext): LiveCarriers {
  if (carriers) return carriers;
  throw new AdminError('unavailable', 'no server runs: start it, as carriers live in it');
}
