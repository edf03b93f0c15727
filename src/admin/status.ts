import type { AdminContext } from './context.js';

/** How things stand, for the doctor. */
export interface Status {
  readonly pid: number;
  readonly accounts: number;
  readonly commands_waiting: number;
  readonly deliveries_waiting: number;
  readonly callbacks_waiting: number;
  readonly active_key: string;
  readonly hints: readonly string[];
}

export async function readStatus({ store, holder, keys }: AdminContext): Promise<Status> {
  const [accounts, backlog] = await Promise.all([store.read.accounts(), store.read.backlog()]);
  return {
    pid: process.pid,
    accounts: accounts.length,
    commands_waiting: store.load().waiting,
    deliveries_waiting: backlog.deliveries,
    callbacks_waiting: backlog.callbacks,
    active_key: holder.current.active,
    hints: keys.hints,
  };
}
