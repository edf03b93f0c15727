import type { FastifyPluginAsync } from 'fastify';
import { NETWORK_ERROR } from '../../../verify/channel-errors.js';
import type { Channel } from '../../../verify/model.js';
import type { Carrier, CarrierContext, OutboundMessage, SubmitResult } from '../../carrier.js';
import { createHttpClient, type Exchange, type HttpRequest } from '../../http-client.js';

export interface HttpCarrierOptions {
  readonly type: string;
  readonly channels: readonly Channel[];
  readonly origin: string;
  /** Totals, of which this node takes its share. */
  readonly connections: number;
  readonly window: number;
  /** Milliseconds for a whole exchange. */
  readonly timeout: number;
  readonly unanswered?: 'resend' | 'wait';
  request(message: OutboundMessage): HttpRequest | Promise<HttpRequest>;
  read(exchange: Exchange, message: OutboundMessage): SubmitResult;
  /** @param count counts what became of what came in */
  routes?(count: (what: string) => void): FastifyPluginAsync;
}

/** A carrier for which a message is one HTTP request. */
export function createHttpCarrier(options: HttpCarrierOptions, context: CarrierContext): Carrier {
  const { type, channels, origin, timeout, unanswered } = options;
  const { name, environment, share } = context;
  const window = shareOf(options.window, share);
  const connections = shareOf(options.connections, share);
  const isShut = window === 0 || connections === 0;
  const client = createHttpClient({ origin, connections: Math.max(connections, 1), timeout, environment });
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  let inFlight = 0;
  let trouble: string | null = null;

  return {
    name,
    type,
    channels,
    window: Math.max(window, 1),
    unanswered,
    answerWithin: timeout,
    async submit(message) {
      if (isShut)
        return { kind: 'unavailable', errorCode: NETWORK_ERROR[message.channel], reason: SHUT, down: true };
      inFlight++;
      try {
        const exchange = await client.send(await options.request(message));
        const result = options.read(exchange, message);
        count(result.kind);
        const isDown = result.kind !== 'accepted' && result.kind !== 'refused' && result.down;
        trouble = isDown ? result.reason : null;
        return result;
      } finally {
        inFlight--;
      }
    },
    routes: options.routes?.(count),
    status: () => ({
      state: isShut || trouble !== null ? 'down' : 'up',
      detail: isShut ? SHUT : trouble,
      inFlight,
      window,
      rate: null,
      counts: { ...counts },
    }),
    stop: () => client.stop(),
  };
}

const SHUT = 'no connection is this node’s: there are more nodes than connections or places in the window';

/** This node's part of a total, which all nodes together never exceed. */
export function shareOf(total: number, { index, count }: CarrierContext['share']): number {
  return Math.floor(total / count) + (index < total % count ? 1 : 0);
}
