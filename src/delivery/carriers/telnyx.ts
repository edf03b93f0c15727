import { createPublicKey, type KeyObject, verify as verifySignature } from 'node:crypto';
import { type Static, Type } from 'typebox';
import type { CarrierContext } from '../carrier.js';
import { SettingsError } from '../settings-error.js';
import {
  elsewhere,
  fieldsOf,
  firstOf,
  type Meaning,
  notUnderstood,
  parseJson,
  readFailure,
  refused,
  textOf,
  trouble,
} from './provider/answers.js';
import { type Connection, providerType } from './provider/carrier.js';
import { costOf, type Incoming, receiptUrl, reportedBy, type Told } from './provider/incoming.js';
import { senderOf, withPlus } from './provider/message.js';
import { baseUrl, commonSettings, credential } from './provider/settings.js';
import { header, isRecent } from './provider/signatures.js';

const BASE_URL = 'https://api.telnyx.com';

const settings = Type.Object(
  {
    api_key: credential('an API key, version 2'),
    public_key: Type.String({
      pattern: '^[A-Za-z0-9+/]{43}=$',
      description: "the account's public key, 44 characters of base64, which checks what Telnyx sends",
    }),
    messaging_profile_id: Type.Optional(
      Type.String({
        pattern: '^[0-9a-fA-F-]{36}$',
        description: 'a messaging profile, whose number pool chooses the sender where nothing else does',
      }),
    ),
    base_url: baseUrl(BASE_URL),
    ...commonSettings,
  },
  { additionalProperties: false },
);
type Settings = Static<typeof settings>;

/** https://developers.telnyx.com/docs/messaging/messages/error-codes */
const SUBMIT_ERRORS: ReadonlyMap<string, Meaning> = new Map([
  ['10002', refused(50, 'the recipient is no valid number')],
  ['10009', trouble(20, 'the credentials are refused')],
  ['10010', trouble(20, 'the credentials may not do this')],
  ['10011', trouble(20, 'too many requests')],
  ['10016', elsewhere(40, 'a number is not in +E.164 form')],
  ['20002', trouble(20, 'the API key is revoked')],
  ['20006', trouble(20, 'the API key has expired')],
  ['20012', trouble(20, 'the account is inactive')],
  ['20100', trouble(20, 'the account has no credit')],
  ['40001', refused(50, 'the recipient is a landline or cannot be routed')],
  ['40011', trouble(20, 'too many messages for the sender')],
  ['40012', refused(50, 'the recipient is no valid number')],
  ['40013', elsewhere(40, 'the sender is not valid')],
  ['40015', elsewhere(30, 'the message is blocked as spam')],
  ['40300', refused(200, 'the recipient has replied STOP')],
  ['40301', elsewhere(50, 'messages of this kind cannot be sent to the recipient')],
  ['40302', refused(110, 'the text is too long')],
  ['40304', refused(10, 'the text has characters that cannot be sent')],
  ['40305', elsewhere(40, 'the sender is not valid')],
  ['40306', elsewhere(40, 'the alphanumeric sender is not set up')],
  ['40308', elsewhere(40, 'the sender cannot send such messages')],
  ['40309', elsewhere(450, "the profile may not send to the recipient's country")],
  ['40310', refused(50, 'the recipient is no valid number')],
  ['40311', trouble(20, 'the messaging profile is not valid')],
  ['40312', trouble(20, 'the messaging profile is disabled')],
  ['40313', elsewhere(40, 'no messaging profile is set')],
  ['40316', refused(10, 'the text is missing')],
  ['40318', trouble(20, "the sender's queue is full")],
  ['40320', elsewhere(40, 'the sender cannot be used now')],
  ['40321', elsewhere(40, 'the number pool has no usable sender')],
  ['40322', elsewhere(30, 'the text is blocked')],
]);

const RECEIPT_ERRORS: ReadonlyMap<string, number> = new Map([
  ['40001', 50],
  ['40002', 30],
  ['40003', 30],
  ['40004', 100],
  ['40005', 80],
  ['40006', 80],
  ['40008', 1000],
  ['40009', 10],
  ['40010', 40],
  ['40011', 20],
  ['40012', 50],
  ['40013', 40],
  ['40014', 80],
  ['40015', 30],
  ['40016', 20],
  ['40017', 30],
  ['40018', 20],
  ['40300', 200],
]);

const STATUSES: Readonly<Record<string, string | null>> = {
  queued: null,
  sending: null,
  sent: 'sent',
  delivered: 'delivered',
  delivery_failed: 'undelivered',
  delivery_unconfirmed: null,
  sending_failed: 'failed',
  expired: 'undelivered',
};

/** SMS over Telnyx's messaging API, v2. */
export const telnyx = providerType<Settings>({
  type: 'telnyx',
  title: 'Telnyx',
  settings,
  baseUrl: ({ base_url }) => base_url ?? BASE_URL,
  connect,
  probe: ({ api_key }, base) => ({
    url: `${base}/v2/balance`,
    headers: { Authorization: `Bearer ${api_key}` },
    credentials: 'api_key',
  }),
});

function connect(given: Settings, prefix: string, context: CarrierContext): Connection {
  const { environment } = context;
  const path = `${prefix}/v2/messages`;
  const headers = { Authorization: `Bearer ${given.api_key}`, 'Content-Type': 'application/json' };
  const key = readKey(given.public_key);
  const webhook = receiptUrl(context);
  return {
    request(message) {
      const sender = senderOf(message, given.from);
      const body = JSON.stringify({
        from: sender === null ? undefined : withPlus(sender),
        messaging_profile_id: given.messaging_profile_id,
        to: `+${message.recipient}`,
        text: message.text,
        type: 'SMS',
        webhook_url: webhook ?? undefined,
        use_profile_webhooks: webhook === null ? undefined : false,
      });
      return { method: 'POST', path, headers, body };
    },
    read(answer, message) {
      const fields = fieldsOf(parseJson(answer.body));
      if (answer.status >= 200 && answer.status < 300) {
        const data = fieldsOf(fields.data);
        const id = textOf(data.id);
        if (!id) return notUnderstood(answer, message);
        const { amount, currency } = fieldsOf(data.cost);
        const cost = costOf(amount, currency);
        return { kind: 'accepted', messageId: id, ...(cost && { cost }) };
      }
      const code = textOf(fieldsOf(firstOf(fields.errors)).code);
      return readFailure(answer, code, SUBMIT_ERRORS.get(code ?? ''), message, environment.now());
    },
    incoming: {
      methods: ['POST'],
      verify: (incoming) => verify(incoming, key, environment.now()),
      read,
    },
  };
}

/** @throws SettingsError when it is no Ed25519 key */
function readKey(text: string): KeyObject {
  const x = Buffer.from(text, 'base64').toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    throw new SettingsError('public_key', 'expected the public key of the account, as the portal shows it');
  }
}

/** https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks: Ed25519 over `timestamp|body`. */
function verify({ headers, body }: Incoming, key: KeyObject, now: number): string | null {
  const timestamp = header(headers, 'telnyx-timestamp');
  const signature = header(headers, 'telnyx-signature-ed25519');
  if (timestamp === null || signature === null)
    return 'telnyx-signature-ed25519, telnyx-timestamp: are missing';
  if (!isRecent(timestamp, now)) return 'telnyx-timestamp: is more than 5 minutes from now';
  const signed = Buffer.concat([Buffer.from(`${timestamp}|`), body]);
  return verifySignature(null, signed, key, Buffer.from(signature, 'base64'))
    ? null
    : 'telnyx-signature-ed25519: is not that of this body under public_key';
}

function read({ body }: Incoming): Told | null {
  const { event_type: event, payload: given } = fieldsOf(fieldsOf(parseJson(body.toString('utf8'))).data);
  const payload = fieldsOf(given);
  const to = fieldsOf(firstOf(payload.to));
  if (event === 'message.received') {
    const from = textOf(fieldsOf(payload.from).phone_number);
    const number = textOf(to.phone_number);
    const text = textOf(payload.text);
    return from === null || number === null || text === null
      ? null
      : { messages: [{ from, to: number, text }] };
  }
  if (event !== 'message.sent' && event !== 'message.finalized') return typeof event === 'string' ? {} : null;
  const known = textOf(to.status) ?? '';
  if (!Object.hasOwn(STATUSES, known)) return null;
  const status = STATUSES[known];
  if (!status) return {};
  const by = reportedBy(null, textOf(payload.id));
  if (by === null) return null;
  const failed = status === 'undelivered' || status === 'failed';
  const code = textOf(fieldsOf(firstOf(payload.errors)).code);
  const errorCode = failed ? (RECEIPT_ERRORS.get(code ?? '') ?? 1000) : null;
  const { amount, currency } = fieldsOf(payload.cost);
  const cost = costOf(amount, currency);
  return { reports: [{ by, status, errorCode, ...(cost && { cost }) }] };
}
