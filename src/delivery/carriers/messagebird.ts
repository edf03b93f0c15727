import { type Static, Type } from 'typebox';
import type { CarrierContext, OutboundMessage, SubmitResult } from '../carrier.js';
import type { Answer } from '../http-client.js';
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
import { secondsLeft, senderOf, withoutPlus } from './provider/message.js';
import { baseUrl, commonSettings, credential } from './provider/settings.js';
import { header, isSame, portForms, REPLAY_WINDOW, readToken, sha256Hex } from './provider/signatures.js';

const BASE_URL = 'https://rest.messagebird.com';

const settings = Type.Object(
  {
    access_key: credential('a live access key'),
    signing_key: Type.Optional(
      credential(
        'the signing key of the account, which checks what MessageBird sends; without it receipts are refused',
      ),
    ),
    base_url: baseUrl(BASE_URL),
    ...commonSettings,
  },
  { additionalProperties: false },
);
type Settings = Static<typeof settings>;

/** https://developers.messagebird.com/api/#api-errors; codes 9, 10 and 21 with the parameter that they name. */
const SUBMIT_ERRORS: ReadonlyMap<string, Meaning> = new Map([
  ['2', trouble(20, 'the credentials are refused')],
  ['9 originator', elsewhere(40, 'no sender is set')],
  ['9 recipients', refused(50, 'the recipient is missing')],
  ['9 recipient', refused(50, 'the recipient is missing')],
  ['9 body', refused(10, 'the text is missing')],
  ['10 originator', elsewhere(40, 'the sender is not valid')],
  ['10 recipients', refused(50, 'the recipient is no valid number')],
  ['10 recipient', refused(50, 'the recipient is no valid number')],
  ['10 body', refused(10, 'the text is not valid')],
  ['20', trouble(20, 'there is no such address')],
  ['25', trouble(20, 'the account has no credit')],
  ['98', trouble(20, 'there is no such API')],
  ['99', trouble(20, 'an error inside MessageBird')],
]);

/** `statusErrorCode` of a report, codes of GSM MAP mostly. */
const RECEIPT_ERRORS: ReadonlyMap<string, number> = new Map([
  ['1', 70],
  ['5', 70],
  ['6', 80],
  ['9', 70],
  ['11', 70],
  ['12', 70],
  ['13', 100],
  ['21', 70],
  ['27', 80],
  ['31', 80],
  ['32', 20],
  ['33', 80],
  ['34', 20],
  ['101', 20],
  ['102', 20],
  ['103', 200],
  ['104', 40],
  ['105', 30],
  ['106', 451],
  ['107', 20],
  ['108', 20],
  ['109', 20],
  ['110', 100],
]);

const REASONS: ReadonlyMap<string, number> = new Map([
  ['unknown subscriber', 70],
  ['unavailable subscriber', 80],
  ['expired', 80],
  ['opted out', 200],
  ['received network error', 20],
  ['insufficient balance', 20],
  ['carrier rejected', 100],
  ['capacity limit reached', 20],
  ['spam', 30],
]);

const STATUSES: Readonly<Record<string, string | null>> = {
  scheduled: null,
  buffered: null,
  sent: 'sent',
  delivered: 'delivered',
  expired: 'undelivered',
  delivery_failed: 'undelivered',
};

/** SMS over MessageBird's (Bird's) REST API. */
export const messagebird = providerType<Settings>({
  type: 'messagebird',
  title: 'MessageBird',
  settings,
  baseUrl: ({ base_url }) => base_url ?? BASE_URL,
  connect,
  probe: ({ access_key }, base) => ({
    url: `${base}/balance`,
    headers: { Authorization: `AccessKey ${access_key}` },
    credentials: 'access_key',
  }),
});

function connect(given: Settings, prefix: string, context: CarrierContext): Connection {
  const { environment } = context;
  const path = `${prefix}/messages`;
  const headers = { Authorization: `AccessKey ${given.access_key}`, 'Content-Type': 'application/json' };
  return {
    request(message) {
      const sender = senderOf(message, given.from);
      const body = JSON.stringify({
        originator: sender === null ? undefined : withoutPlus(sender),
        recipients: [message.recipient],
        body: message.text,
        type: 'sms',
        datacoding: 'auto',
        validity: secondsLeft(message, environment.now(), 1, 172_800),
        // Without a reference there is no report.
        reference: message.hopId,
        reportUrl: receiptUrl(context, message.hopId) ?? undefined,
      });
      return { method: 'POST', path, headers, body };
    },
    read: (answer, message) => readAnswer(answer, message, environment.now()),
    incoming: {
      methods: ['GET', 'POST'],
      verify: (incoming) => verify(incoming, given.signing_key, environment.now()),
      read,
    },
  };
}

function readAnswer(answer: Answer, message: OutboundMessage, now: number): SubmitResult {
  const fields = fieldsOf(parseJson(answer.body));
  if (answer.status >= 200 && answer.status < 300) {
    const id = textOf(fields.id);
    return id ? { kind: 'accepted', messageId: id } : notUnderstood(answer, message);
  }
  const error = fieldsOf(firstOf(fields.errors));
  const code = textOf(error.code);
  const meaning = SUBMIT_ERRORS.get(`${code} ${textOf(error.parameter)}`) ?? SUBMIT_ERRORS.get(code ?? '');
  return readFailure(answer, code, meaning, message, now);
}

/** https://developers.messagebird.com/docs/verify-http-requests: a JWT with the hashes of the URL and the body. */
function verify({ url, headers, body }: Incoming, key: string | undefined, now: number): string | null {
  const name = 'messagebird-signature-jwt';
  if (key === undefined) return `${name}: cannot be checked, signing_key is not set`;
  if (url === null) return 'the signature cannot be checked: COUNTERSIGN_PUBLIC_URL is not set';
  const token = header(headers, name);
  if (token === null) return `${name}: is missing`;
  const claims = readToken(token, key);
  if (!claims) return `${name}: is not signed with signing_key`;
  const { iss, nbf, exp, url_hash: urlHash, payload_hash: payloadHash } = claims;
  if (iss !== 'MessageBird') return `${name}: is not issued by MessageBird`;
  const isTimely =
    typeof nbf === 'number' &&
    typeof exp === 'number' &&
    nbf * 1000 <= now + REPLAY_WINDOW &&
    exp * 1000 >= now - REPLAY_WINDOW;
  if (!isTimely) return `${name}: is not valid at this time`;
  const isOfUrl =
    typeof urlHash === 'string' &&
    portForms(url).some((form) => isSame(urlHash.toLowerCase(), sha256Hex(form)));
  if (!isOfUrl) return `${name}: is not for this URL`;
  const isOfBody =
    body.length === 0 && payloadHash === undefined
      ? true
      : typeof payloadHash === 'string' && isSame(payloadHash.toLowerCase(), sha256Hex(body));
  return isOfBody ? null : `${name}: is not for this body`;
}

function read(incoming: Incoming): Told | null {
  const field = fieldReader(incoming);
  const given = field('status');
  if (given === null) {
    const [from, to, text] = [field('originator'), field('recipient'), field('body')];
    return from === null || to === null || text === null ? null : { messages: [{ from, to, text }] };
  }
  if (!Object.hasOwn(STATUSES, given)) return null;
  const status = STATUSES[given];
  if (!status) return {};
  const by = reportedBy(incoming.hopId ?? field('reference'), field('id'));
  if (by === null) return null;
  const cost = costOf(field('price[amount]'), field('price[currency]'));
  const errorCode =
    status === 'undelivered'
      ? (RECEIPT_ERRORS.get(field('statusErrorCode') ?? '') ??
        REASONS.get(field('statusReason') ?? '') ??
        REASONS.get(given) ??
        1000)
      : null;
  return { reports: [{ by, status, errorCode, ...(cost && { cost }) }] };
}

/** Reports come as a query; inbound messages as a query, a form or JSON, as the flow is set up. */
function fieldReader(incoming: Incoming): (name: string) => string | null {
  const { headers, body, query } = incoming;
  if (body.length === 0) return (name) => query.get(name);
  if (headers['content-type']?.startsWith('application/json')) {
    const fields = fieldsOf(parseJson(body.toString('utf8')));
    return (name) => textOf(Object.hasOwn(fields, name) ? fields[name] : null);
  }
  const form = formOf(incoming);
  return (name) => form.get(name);
}
