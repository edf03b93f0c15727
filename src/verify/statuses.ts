import type { AttemptStatus, Channel } from './model.js';

/**
 * Each status with the statuses that come before it on its way, and its rank. An attempt moves to a higher
 * rank only, steps that the carrier never reported are filled in (contract §6), and what was delivered never
 * goes back; a `delivered` that comes after a failure wins.
 */
const LADDER: Record<Channel, Record<string, { rank: number; before: readonly AttemptStatus[] }>> = {
  sms: {
    queued: { rank: 0, before: [] },
    sent: { rank: 1, before: ['queued'] },
    undelivered: { rank: 2, before: ['queued', 'sent'] },
    failed: { rank: 2, before: ['queued'] },
    delivered: { rank: 3, before: ['queued', 'sent'] },
  },
  voice: {
    queued: { rank: 0, before: [] },
    ringing: { rank: 1, before: ['queued'] },
    'in-progress': { rank: 2, before: ['queued', 'ringing'] },
    busy: { rank: 3, before: ['queued'] },
    'no-answer': { rank: 3, before: ['queued', 'ringing'] },
    failed: { rank: 3, before: ['queued'] },
    completed: { rank: 4, before: ['queued', 'ringing', 'in-progress'] },
  },
};

function rank(channel: Channel, status: AttemptStatus): number {
  return LADDER[channel][status]?.rank ?? -1;
}

/** Whether a channel knows this status: `delivered` is none of voice. */
export function isStatusOf(channel: Channel, status: string): status is AttemptStatus {
  return Object.hasOwn(LADDER[channel], status);
}

/** Every status that a channel knows. */
export function statusesOf(channel: Channel): AttemptStatus[] {
  return Object.keys(LADDER[channel]) as AttemptStatus[];
}

/** The statuses to pass through, in order, from `from` to `to` included; empty when that is not forward. */
export function stepsTo(channel: Channel, from: AttemptStatus, to: AttemptStatus): AttemptStatus[] {
  const target = LADDER[channel][to];
  const reached = rank(channel, from);
  if (!target || target.rank <= reached) return [];
  return [...target.before.filter((status) => rank(channel, status) > reached), to];
}

/** Whether the status says that the attempt did not reach the recipient. */
export function isFailure(status: AttemptStatus): boolean {
  return ['undelivered', 'failed', 'busy', 'no-answer'].includes(status);
}

/** Whether the status says that the attempt reached the recipient. */
export function isSuccess(status: AttemptStatus): boolean {
  return status === 'delivered' || status === 'completed';
}
