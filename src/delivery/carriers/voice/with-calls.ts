import type { Carrier, CarrierContext } from '../../carrier.js';
import { createHttpClient } from '../../http-client.js';
import { shareOf } from '../provider/http-carrier.js';
import { createCalls } from './carrier.js';
import type { VoiceProvider } from './provider.js';
import type { ReadVoiceSettings } from './settings.js';

export interface WithCallsOptions {
  readonly provider: VoiceProvider;
  readonly settings: ReadVoiceSettings;
  readonly context: CarrierContext;
  readonly origin: string;
  /** Most connections for calls, a total of which this node takes its share. */
  readonly connections: number;
  /** Milliseconds for a whole exchange. */
  readonly timeout: number;
}

/** A carrier of messages that places calls too. Calls have room of their own beside the messages'. */
export function withCalls(messages: Carrier, options: WithCallsOptions): Carrier {
  const { provider, settings, context, origin, timeout } = options;
  const window = shareOf(settings.calls, context.share);
  const connections = Math.max(shareOf(options.connections, context.share), 1);
  const client = createHttpClient({ origin, connections, timeout, environment: context.environment });
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const calls = createCalls({ provider, settings, window, client, context, count });
  const isAlone = !messages.channels.includes('sms');
  let trouble: string | null = null;
  return {
    ...messages,
    // A lane needs a place, even where every call is refused since none is this node's.
    window: isAlone ? Math.max(window, 1) : messages.window + window,
    async submit(message, claim = async () => true, unwanted) {
      if (message.channel !== 'voice') return messages.submit(message);
      const result = await calls.submit(message, claim, unwanted);
      const isDown = (result.kind === 'unavailable' || result.kind === 'unanswered') && result.down;
      trouble = isDown ? result.reason : null;
      count(`call_${result.kind}`);
      return result;
    },
    routes: async (routes) => {
      if (messages.routes) await routes.register(messages.routes);
      await routes.register(calls.routes);
    },
    status: () => {
      const status = messages.status!();
      return {
        ...status,
        state: trouble === null ? status.state : 'down',
        detail: trouble ?? status.detail,
        inFlight: status.inFlight + calls.inFlight,
        window: isAlone ? window : status.window + window,
        counts: { ...status.counts, ...counts },
      };
    },
    async stop() {
      await calls.stop();
      await Promise.all([messages.stop(), client.stop()]);
    },
  };
}
