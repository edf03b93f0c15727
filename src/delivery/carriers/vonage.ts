import { type Static, Type } from 'typebox';
import type { CarrierContext } from '../carrier.js';
import {
  elsewhere,
  fieldsOf,
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
import { basicAuthorization, secondsLeft, senderOf, withoutPlus } from './provider/message.js';
import { baseUrl, commonSettings, credential } from './provider/settings.js';
import { header, isRecent, isSame, readToken, sha256Hex } from './provider/signatures.js';

const BASE_URL = 'https://api.nexmo.com';
const ACCOUNT_URL = 'https://rest.nexmo.com';

const settings = Type.Object(
  {
    api_key: credential('the API key of the account'),
    api_secret: credential('the API secret of the account'),
    signature_secret: Type.Optional(
      credential(
        "the account's signature secret, which checks what Vonage sends; without it receipts are refused",
      ),
    ),
    base_url: baseUrl(BASE_URL),
    account_url: baseUrl(ACCOUNT_URL),
    ...commonSettings,
  },
  { additionalProperties: false },
);
type Settings = Static<typeof settings>;

/** https://developer.vonage.com/en/api-errors/messages */
const SUBMIT_ERRORS: ReadonlyMap<string, Meaning> = new Map([
  ['1000', trouble(20, 'too many messages')],
  ['1010', elsewhere(10, 'the request misses a parameter')],
  ['1020', elsewhere(10, 'a parameter is not valid')],
  ['1030', trouble(20, 'an error inside Vonage')],
  ['1040', refused(50, 'the recipient is no valid number')],
  ['1050', refused(100, 'the recipient is barred')],
  ['1060', trouble(20, 'the account is barred')],
  ['1070', trouble(20, 'the account has no credit')],
  ['1080', trouble(20, 'the account may not use this API')],
  ['1090', refused(110, 'the text is too long')],
  ['1100', trouble(20, 'an error inside Vonage')],
  ['1120', elsewhere(40, 'the sender is not allowed')],
  ['1160', elsewhere(50, 'the account sends to numbers of a list only')],
  ['1170', refused(50, 'the recipient is no valid number')],
  ['1210', elsewhere(30, 'the message is blocked as spam')],
  ['1240', refused(50, 'the recipient is no valid number')],
  ['1250', elsewhere(90, 'there is no route to the recipient')],
]);

const RECEIPT_ERRORS: ReadonlyMap<string, number> = new Map([
  ['1000', 20],
  ['1030', 20],
  ['1040', 10],
  ['1050', 100],
  ['1060', 20],
  ['1070', 20],
  ['1090', 110],
  ['1100', 20],
  ['1120', 40],
  ['1160', 50],
  ['1170', 50],
  ['1180', 80],
  ['1190', 70],
  ['1200', 70],
  ['1210', 30],
  ['1220', 80],
  ['1230', 20],
  ['1240', 50],
  ['1241', 451],
  ['1250', 90],
  ['1260', 70],
  ['1270', 100],
  ['1280', 100],
  ['1290', 80],
  ['1470', 452],
  ['1472', 452],
  ['1480', 100],
  ['1481', 40],
  ['1482', 30],
  ['1483', 100],
]);

const STATUSES: Readonly<Record<string, string>> = {
  submitted: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  undeliverable: 'undelivered',
  rejected: 'failed',
};

/** SMS over Vonage's Messages API, v1, with API key and secret. */
export const vonage = providerType<Settings>({
  type: 'vonage',
  title: 'Vonage',
  settings,
  baseUrl: ({ base_url }) => base_url ?? BASE_URL,
  connect,
  probe: ({ api_key, api_secret, account_url = ACCOUNT_URL }) => ({
    url: `${account_url.replace(/\/+$/, '')}/account/get-balance`,
    headers: { Authorization: basicAuthorization(api_key, api_secret), Accept: 'application/json' },
    urlKey: 'account_url',
    credentials: 'api_key and api_secret',
  }),
});

function connect(given: Settings, prefix: string, context: CarrierContext): Connection {
  const { environment } = context;
  const path = `${prefix}/v1/messages`;
  const headers = {
    Authorization: basicAuthorization(given.api_key, given.api_secret),
    'Content-Type': 'application/json',
    Accept: 'application/json',
  };
  const webhook = receiptUrl(context);
  return {
    request(message) {
      const sender = senderOf(message, given.from);
      const { entity_id, template_id } = message.parameters;
      const body = JSON.stringify({
        message_type: 'text',
        channel: 'sms',
        from: sender === null ? undefined : withoutPlus(sender),
        to: message.recipient,
        text: message.text,
        client_ref: message.hopId,
        ttl: secondsLeft(message, environment.now(), 20, 604_800),
        webhook_url: webhook ?? undefined,
        webhook_version: webhook === null ? undefined : 'v1',
        sms: entity_id || template_id ? { entity_id, content_id: template_id } : undefined,
      });
      return { method: 'POST', path, headers, body };
    },
    read(answer, message) {
      const fields = fieldsOf(parseJson(answer.body));
      if (answer.status >= 200 && answer.status < 300) {
        const id = textOf(fields.message_uuid);
        return id ? { kind: 'accepted', messageId: id } : notUnderstood(answer, message);
      }
      const code = codeOf(fields);
      return readFailure(answer, code, SUBMIT_ERRORS.get(code ?? ''), message, environment.now());
    },
    incoming: {
      methods: ['POST'],
      verify: (incoming) => verify(incoming, given, environment.now()),
      read,
      unbelieved: { status: 401, challenge: 'Bearer' },
    },
  };
}

/** RFC 9457: the code is the fragment of `type`, and in receipts the title too. */
function codeOf({ type, title }: Readonly<Record<string, unknown>>): string | null {
  const [, fragment] = /#([A-Za-z0-9-]{1,48})$/.exec(textOf(type)?.slice(0, 512) ?? '') ?? [];
  if (fragment !== undefined) return fragment;
  const text = textOf(title);
  return text !== null && /^[0-9]{1,6}$/.test(text) ? text : null;
}

/** https://developer.vonage.com/en/getting-started/concepts/webhooks: a JWT under the signature secret, with the body's hash. */
function verify({ headers, body }: Incoming, given: Settings, now: number): string | null {
  const { signature_secret: secret, api_key } = given;
  if (secret === undefined) return 'authorization: cannot be checked, signature_secret is not set';
  const [, token] = /^bearer +(\S+)$/i.exec(header(headers, 'authorization') ?? '') ?? [];
  if (token === undefined) return 'authorization: expected a bearer token';
  const claims = readToken(token, secret);
  if (!claims) return 'authorization: the token is not signed with signature_secret';
  if (typeof claims.iat !== 'number' || !isRecent(claims.iat, now)) {
    return 'authorization: the token is more than 5 minutes from now';
  }
  if (claims.api_key !== undefined && claims.api_key !== api_key) {
    return 'authorization: the token is for another api_key';
  }
  const hash = claims.payload_hash;
  return typeof hash === 'string' && isSame(hash.toLowerCase(), sha256Hex(body))
    ? null
    : 'authorization: the token is not for this body';
}

function read({ body }: Incoming): Told | null {
  const fields = fieldsOf(parseJson(body.toString('utf8')));
  const given = textOf(fields.status);
  if (given === null) {
    const [from, to, text] = [textOf(fields.from), textOf(fields.to), textOf(fields.text)];
    return from === null || to === null || text === null ? null : { messages: [{ from, to, text }] };
  }
  const status = Object.hasOwn(STATUSES, given) ? STATUSES[given] : undefined;
  const by = reportedBy(textOf(fields.client_ref), textOf(fields.message_uuid));
  if (!status || by === null) return null;
  const failed = status === 'undelivered' || status === 'failed';
  const errorCode = failed ? (RECEIPT_ERRORS.get(codeOf(fieldsOf(fields.error)) ?? '') ?? 1000) : null;
  const { price, currency } = fieldsOf(fields.usage);
  const cost = costOf(price, currency);
  return { reports: [{ by, status, errorCode, ...(cost && { cost }) }] };
}
