import { Pool } from 'undici';
import { CHANNELS, type Channel } from '../../../verify/model.js';
import { formatTime } from '../../../verify/time.js';
import type { Carrier, CarrierContext, CarrierType, OutboundMessage } from '../../carrier.js';
import { post } from '../../http-client.js';
import { readAnswer } from './answers.js';
import { checkWebhook } from './check.js';
import { receiptRoutes } from './receipts.js';
import { readSettings, type WebhookSettings, webhookSettings } from './settings.js';
import { createTurns } from './turns.js';

/** Most bytes of a gateway's answer that are read. */
const MAX_ANSWER = 64 * 1024;

/**
 * Hands each message to the operator's own gateway with an HTTP POST, and takes its receipts at
 * `POST /carriers/{name}/receipts`. The hop's id is the idempotency key: a repeat after an answer that was lost
 * is recognisable.
 */
export const webhook: CarrierType<WebhookSettings> = {
  type: 'webhook',
  settings: webhookSettings,
  channels: channelsOf,
  create,
  check: checkWebhook,
};

function channelsOf({ channels }: WebhookSettings): readonly Channel[] {
  return channels ?? CHANNELS;
}

function create(settings: WebhookSettings, context: CarrierContext): Carrier {
  const { environment } = context;
  const { url, secret, timeout, connections, window } = readSettings(settings);
  const pool = new Pool(url.origin, {
    connections,
    pipelining: 1,
    // The whole exchange has one deadline, by the environment's clock.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout },
  });
  const inTurn = createTurns(connections);
  const channels = channelsOf(settings);

  return {
    name: context.name,
    type: webhook.type,
    channels,
    window,
    submit: (message) =>
      // A message's time runs from when it has a connection, or a long queue would look like a dead gateway.
      inTurn(async () => {
        const request = {
          path: `${url.pathname}${url.search}`,
          headers: {
            Authorization: `Bearer ${secret}`,
            'Content-Type': 'application/json',
            'Idempotency-Key': message.hopId,
          },
          body: JSON.stringify(bodyOf(message)),
          timeout,
          maxAnswer: MAX_ANSWER,
        };
        const exchange = await post(pool, request, environment);
        return readAnswer(exchange, message, environment.now());
      }),
    routes: receiptRoutes({ secret, channels, report: context.report }),
    /** Waits for what is in flight, which its timeout bounds. */
    stop: () => (pool.closed ? Promise.resolve() : pool.close()),
  };
}

function bodyOf(message: OutboundMessage) {
  return {
    hop_id: message.hopId,
    attempt_uuid: message.attempt,
    session_uuid: message.session,
    channel: message.channel,
    recipient: message.recipient,
    text: message.text,
    code: message.code,
    locale: message.locale,
    brand_name: message.brandName,
    dtmf: message.dtmf,
    src: message.src ?? message.sender,
    ...(Object.keys(message.parameters).length > 0 ? { parameters: message.parameters } : {}),
    expires_at: formatTime(message.expiresAt),
  };
}
