import { CHANNELS, type Channel } from '../../../verify/model.js';
import { formatTime } from '../../../verify/time.js';
import type { Carrier, CarrierContext, CarrierType, OutboundMessage } from '../../carrier.js';
import { createHttpCarrier, type HttpCarrierOptions } from '../provider/http-carrier.js';
import { readAnswer } from './answers.js';
import { checkWebhook } from './check.js';
import { receiptRoutes } from './receipts.js';
import { readSettings, type WebhookSettings, webhookSettings } from './settings.js';

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
  const { url, secret, timeout, connections, window, unanswered } = readSettings(settings);
  const path = `${url.pathname}${url.search}`;
  const channels = channelsOf(settings);
  const options: HttpCarrierOptions = {
    type: webhook.type,
    channels,
    origin: url.origin,
    connections,
    window,
    timeout,
    unanswered,
    request(message) {
      const headers = {
        Authorization: `Bearer ${secret}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': message.hopId,
      };
      return { method: 'POST', path, headers, body: JSON.stringify(bodyOf(message)) };
    },
    read: (exchange, message) => readAnswer(exchange, message, environment.now()),
    routes: () => receiptRoutes({ secret, channels, report: context.report, inbound: context.inbound }),
  };
  return createHttpCarrier(options, context);
}

function bodyOf(message: OutboundMessage) {
  return {
    hop_id: message.hopId,
    attempt_uuid: message.attempt,
    session_uuid: message.session,
    channel: message.channel,
    recipient: message.recipient,
    text: message.text,
    code: message.confirmByKey ? null : message.code,
    locale: message.locale,
    brand_name: message.brandName,
    dtmf: message.dtmf,
    ...(message.confirmByKey ? { confirm_by_key: true } : {}),
    src: message.src ?? message.sender,
    ...(Object.keys(message.parameters).length > 0 ? { parameters: message.parameters } : {}),
    expires_at: formatTime(message.expiresAt),
  };
}
