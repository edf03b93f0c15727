import { type Static, Type } from 'typebox';
import type { Timer } from '../../environment.js';
import { NETWORK_ERROR } from '../../verify/channel-errors.js';
import { CHANNELS, type Channel } from '../../verify/model.js';
import { uuidv7 } from '../../verify/uuid.js';
import type { Carrier, CarrierContext, CarrierType, ReportResult, SubmitResult } from '../carrier.js';
import { channelsSetting } from './settings.js';

const settings = Type.Object({ channels: channelsSetting }, { additionalProperties: false });
type InboxSettings = Static<typeof settings>;

const REACHED = { sms: 'delivered', voice: 'completed' } as const satisfies Record<Channel, string>;

/** Waits before reports are repeated that the database was away for, in milliseconds: doubling. */
const RETRY_FIRST = 100;
const RETRY_LAST = 5_000;
/** Most messages whose report is not recorded yet; past it nothing more is taken. */
const MAX_UNREPORTED = 10_000;

/**
 * The built-in carrier for development and tests: nothing leaves the machine. It takes every message at once and
 * reports that it arrived. It keeps nothing of a message: what was sent is read back from the store, by the
 * carrier's name and its UUIDv7 message ids, and the code is derived again.
 */
export const inbox: CarrierType<InboxSettings> = {
  type: 'inbox',
  settings,
  channels: channelsOf,
  create,
  check: async () => [{ ok: true, text: 'the inbox needs nothing: what it takes never leaves this machine' }],
};

function channelsOf({ channels }: InboxSettings): readonly Channel[] {
  return channels ?? CHANNELS;
}

interface Arrival {
  readonly hopId: string;
  readonly channel: Channel;
}

function create(given: InboxSettings, context: CarrierContext): Carrier {
  const { environment } = context;
  const arrivals: Arrival[] = [];
  let reporting = 0;
  let timer: Timer | null = null;
  let backOff = 0;
  let stopped = false;
  let idle: (() => void) | null = null;

  const report = async ({ hopId, channel }: Arrival): Promise<ReportResult | 'failed'> => {
    try {
      return await context.report({ by: { kind: 'hop', hopId }, status: REACHED[channel], errorCode: null });
    } catch {
      // A defect of ours, which the reporter has logged; the same report would meet it again.
      return 'failed';
    }
  };

  const flush = async (): Promise<void> => {
    timer = null;
    const batch = arrivals.splice(0);
    reporting += batch.length;
    const results = await Promise.all(batch.map(report));
    reporting -= batch.length;
    const again = batch.filter((_, index) => results[index] === 'unavailable');
    backOff = again.length > 0 ? Math.min(Math.max(backOff * 2, RETRY_FIRST), RETRY_LAST) : 0;
    if (!stopped && again.length > 0) {
      arrivals.push(...again);
      timer ??= environment.after(backOff, flush);
    }
    if (reporting === 0) idle?.();
  };

  return {
    name: context.name,
    type: inbox.type,
    channels: channelsOf(given),
    window: 1024,
    async submit({ hopId, channel }): Promise<SubmitResult> {
      if (stopped || arrivals.length + reporting >= MAX_UNREPORTED) {
        const reason = stopped ? 'the inbox is stopped' : 'its reports wait for the database';
        return { kind: 'unavailable', errorCode: NETWORK_ERROR[channel], reason, down: true };
      }
      arrivals.push({ hopId, channel });
      // The next turn, not this one: so the acceptance is on its way to the store before the report is. One
      // timer serves all messages of a turn, and their reports share a commit.
      timer ??= environment.after(backOff, flush);
      const messageId = uuidv7(environment.now(), environment.randomBytes(10));
      return { kind: 'accepted', messageId };
    },
    /** Reports what it took once more, then lets go of what the database was away for. */
    async stop() {
      if (stopped) return;
      stopped = true;
      timer?.cancel();
      void flush();
      if (reporting > 0) await new Promise<void>((resolve) => (idle = resolve));
    },
  };
}
