import { type Static, Type } from 'typebox';
import { isErrorOf } from '../../verify/channel-errors.js';
import type { CarrierContext, OutboundMessage, SubmitResult } from '../carrier.js';
import type { Answer } from '../http-client.js';
import { plivoVoice } from './plivo-voice.js';
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
import { costOf, formOf, type Incoming, receiptUrl, reportedBy, type Told } from './provider/incoming.js';
import { basicAuthorization, senderOf, withPlus } from './provider/message.js';
import { baseUrl, commonSettings, credential } from './provider/settings.js';
import { header, hmac, isSame, portForms } from './provider/signatures.js';
import { voiceSettings } from './voice/settings.js';

const BASE_URL = 'https://api.plivo.com';

const settings = Type.Object(
  {
    auth_id: Type.String({
      pattern: '^(MA|SA)[A-Z0-9]{18}$',
      description: 'the auth id of the account, MA or SA and 18 characters',
    }),
    auth_token: credential("the account's auth token, which also signs what Plivo sends"),
    powerpack_uuid: Type.Optional(
      Type.String({
        pattern: '^[0-9a-fA-F-]{36}$',
        description: 'a Powerpack, which chooses the sender where nothing else does',
      }),
    ),
    base_url: baseUrl(BASE_URL),
    ...commonSettings,
    ...voiceSettings,
  },
  { additionalProperties: false },
);
type Settings = Static<typeof settings>;

/** Plivo explains a 400 in a sentence only. What it is about is found by these words, in this order. */
const SENTENCES: readonly (readonly [words: RegExp, name: string, meaning: Meaning])[] = [
  [/\b(credit|balance|funds)\b/i, 'credit', trouble(20, 'the account has no credit')],
  [
    /\b(src|source|sender|powerpack|from)\b/i,
    'sender',
    elsewhere(40, 'the sender is missing or not allowed'),
  ],
  [/\b(opted out|opt-out|unsubscribed|stop)\b/i, 'opt-out', refused(200, 'the recipient has replied STOP')],
  [
    /\b(geo|country|region|permission)\b/i,
    'country',
    elsewhere(450, "the account may not send to the recipient's country"),
  ],
  [
    /\b(dst|destination|recipient|phone number)\b/i,
    'recipient',
    refused(50, 'the recipient is no valid number'),
  ],
  [/\b(too long|length|exceeds)\b/i, 'length', refused(110, 'the text is too long')],
  [/\btext\b/i, 'text', refused(10, 'the text is not valid')],
];

/** Codes of a receipt beyond those that Plivo and the contract share. */
const RECEIPT_ERRORS: ReadonlyMap<number, number> = new Map([
  [120, 100],
  [300, 20],
  [420, 80],
  [900, 20],
  [910, 90],
  [950, 20],
]);

const STATUSES: Readonly<Record<string, string | null>> = {
  queued: null,
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  undelivered: 'undelivered',
  failed: 'failed',
  rejected: 'failed',
};

/** SMS over Plivo's messaging API, v1, and calls over its voice API. */
export const plivo = providerType<Settings>({
  type: 'plivo',
  title: 'Plivo',
  settings,
  baseUrl: ({ base_url }) => base_url ?? BASE_URL,
  connect,
  voice: (given, prefix, calls, { environment }) =>
    plivoVoice({
      authId: given.auth_id,
      authorization: basicAuthorization(given.auth_id, given.auth_token),
      prefix,
      from: given.from,
      settings: calls,
      now: () => environment.now(),
      verify: (incoming) => verifyPlivo(incoming, given.auth_token, ['v3']),
    }),
  probe: ({ auth_id, auth_token }, base) => ({
    url: `${base}/v1/Account/${auth_id}/`,
    headers: { Authorization: basicAuthorization(auth_id, auth_token) },
    credentials: 'auth_id and auth_token',
  }),
});

function connect(given: Settings, prefix: string, context: CarrierContext): Connection {
  const { environment } = context;
  const path = `${prefix}/v1/Account/${given.auth_id}/Message/`;
  const headers = {
    Authorization: basicAuthorization(given.auth_id, given.auth_token),
    'Content-Type': 'application/json',
  };
  return {
    request(message) {
      const sender = senderOf(message, given.from);
      const url = receiptUrl(context, message.hopId);
      const { entity_id, template_id } = message.parameters;
      const body = JSON.stringify({
        src: sender === null ? undefined : withPlus(sender),
        powerpack_uuid: sender === null ? given.powerpack_uuid : undefined,
        dst: `+${message.recipient}`,
        text: message.text,
        type: 'sms',
        url: url ?? undefined,
        method: url === null ? undefined : 'POST',
        dlt_entity_id: entity_id,
        dlt_template_id: template_id,
      });
      return { method: 'POST', path, headers, body };
    },
    read: (answer, message) => readAnswer(answer, message, environment.now()),
    incoming: {
      methods: ['POST'],
      verify: (incoming) => verifyPlivo(incoming, given.auth_token, ['v3', 'v2']),
      read,
      thanks: {
        type: 'application/xml',
        body: '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
      },
    },
  };
}

function readAnswer(answer: Answer, message: OutboundMessage, now: number): SubmitResult {
  const fields = fieldsOf(parseJson(answer.body));
  if (answer.status >= 200 && answer.status < 300) {
    const id = textOf(firstOf(fields.message_uuid));
    if (id) return { kind: 'accepted', messageId: id };
    const { invalid_number: invalid } = fields;
    if (Array.isArray(invalid) && invalid.length > 0) {
      return { kind: 'refused', errorCode: 50, reason: 'the recipient is no valid number' };
    }
    return notUnderstood(answer, message);
  }
  const sentence = answer.status === 400 ? textOf(fields.error)?.slice(0, 512) : undefined;
  const [, name = null, meaning] =
    (sentence !== undefined && SENTENCES.find(([words]) => words.test(sentence))) || [];
  return readFailure(answer, name, meaning, message, now);
}

/**
 * V3 covers URL and body and is asked for where it is there; Plivo's messages are documented with V2, which covers the
 * URL's path only: that names the hop. Calls are signed with V3, and only that vouches for the token in the query.
 * @param versions those that are believed, the better one first
 */
export function verifyPlivo(
  { url, ...incoming }: Incoming,
  token: string,
  versions: readonly ('v3' | 'v2')[],
): string | null {
  if (url === null) return 'the signature cannot be checked: COUNTERSIGN_PUBLIC_URL is not set';
  const { headers } = incoming;
  const version =
    versions.find((each) => headers[`x-plivo-signature-${each}-nonce`] !== undefined) ?? versions[0]!;
  const nonce = header(headers, `x-plivo-signature-${version}-nonce`);
  const given = ['', '-ma'].flatMap(
    (main) => header(headers, `x-plivo-signature${main}-${version}`)?.split(',', 16) ?? [],
  );
  if (nonce === null || given.length === 0)
    return `${versions.map((each) => `x-plivo-signature-${each}`).join(' or ')}: is missing`;
  const [base = '', query = ''] = url.split('?', 2);
  const signed = version === 'v2' ? '' : `?${parametersV3(query, formOf({ url, ...incoming }))}.`;
  const expected = portForms(base).map((form) => hmac('sha256', token, 'base64', `${form}${signed}${nonce}`));
  return given.some((each) => expected.some((one) => isSame(each.trim(), one)))
    ? null
    : `x-plivo-signature-${version}: is not that of this URL under auth_token`;
}

/** As Plivo's SDKs put the text of a POST together: the query's parameters, a dot, the body's. */
function parametersV3(query: string, body: URLSearchParams): string {
  const asked = sorted(new URLSearchParams(query)).map(([name, value]) => `${name}=${value}`);
  const sent = sorted(body).map(([name, value]) => `${name}${value}`);
  return `${asked.join('&')}${asked.length > 0 && sent.length > 0 ? '.' : ''}${sent.join('')}`;
}

function sorted(parameters: URLSearchParams): [string, string][] {
  return [...parameters].sort(([a, x], [b, y]) => byUnits(a, b) || byUnits(x, y));
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function read(incoming: Incoming): Told | null {
  const fields = formOf(incoming);
  const given = fields.get('Status');
  if (given === null) {
    const [from, to, text] = [fields.get('From'), fields.get('To'), fields.get('Text')];
    return from === null || to === null || text === null ? null : { messages: [{ from, to, text }] };
  }
  if (!Object.hasOwn(STATUSES, given)) return null;
  const status = STATUSES[given];
  if (!status) return {};
  // Each part of a long message has an id of its own; the submit's answer told the parent's.
  const by = reportedBy(incoming.hopId, fields.get('ParentMessageUUID') ?? fields.get('MessageUUID'));
  if (by === null) return null;
  const failed = status !== 'sent' && status !== 'delivered';
  const cost = costOf(fields.get('TotalAmount'), 'USD');
  const errorCode = failed ? errorOf(fields.get('ErrorCode')) : null;
  return { reports: [{ by, status, errorCode, ...(cost && { cost }) }] };
}

function errorOf(text: string | null): number {
  const code = Number(text);
  return isErrorOf('sms', code) ? code : (RECEIPT_ERRORS.get(code) ?? 1000);
}
