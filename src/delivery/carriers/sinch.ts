import { type Static, Type } from 'typebox';
import type { CarrierContext } from '../carrier.js';
import {
  elsewhere,
  fieldsOf,
  type Meaning,
  notUnderstood,
  parseJson,
  readFailure,
  textOf,
  trouble,
} from './provider/answers.js';
import { type Connection, providerType } from './provider/carrier.js';
import { type Incoming, receiptUrl, reportedBy, type Told } from './provider/incoming.js';
import { senderOf, withoutPlus } from './provider/message.js';
import { baseUrl, commonSettings, credential } from './provider/settings.js';
import { header, hmac, isRecent, isSame } from './provider/signatures.js';

const BASE_URL = 'https://us.sms.api.sinch.com';

const settings = Type.Object(
  {
    service_plan_id: Type.String({
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      description: 'the id of the service plan',
    }),
    api_token: credential("the service plan's API token"),
    callback_secret: Type.Optional(
      credential(
        'the secret that Sinch signs its callbacks with, on request; without it receipts are refused',
      ),
    ),
    base_url: baseUrl(BASE_URL),
    ...commonSettings,
  },
  { additionalProperties: false },
);
type Settings = Static<typeof settings>;

/** Sinch names no parameter in its codes, so none of them blames the recipient alone. */
const SUBMIT_ERRORS: ReadonlyMap<string, Meaning> = new Map([
  ['syntax_invalid_json', elsewhere(10, 'the request cannot be read')],
  ['syntax_invalid_parameter_format', elsewhere(10, 'the recipient, the sender or the text is not valid')],
  ['syntax_constraint_violation', elsewhere(10, 'the recipient, the sender or the text is not valid')],
  ['syntax_disallowed_parameter', elsewhere(10, 'the service plan does not allow a parameter')],
  ['missing_required_parameter', elsewhere(40, 'a parameter is missing, such as the sender')],
  ['missing_callback_url', elsewhere(10, 'the address for receipts is missing')],
  ['number_blocked', elsewhere(100, 'the recipient is blocked')],
  ['not_allowed', elsewhere(100, 'the service plan may not send this')],
  ['insufficient_balance', trouble(20, 'the account has no credit')],
  ['unauthorized', trouble(20, 'the credentials are refused')],
]);

/** https://developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports/ */
const RECEIPT_ERRORS: ReadonlyMap<number, number> = new Map([
  [402, 90],
  [403, 20],
  [404, 80],
  [405, 10],
  [406, 80],
  [407, 1000],
  [408, 100],
  [409, 90],
  [410, 40],
  [411, 110],
  [412, 450],
  [413, 100],
  [417, 70],
]);
/** Where the code explains nothing, the status does. */
const STATUS_ERRORS: Readonly<Record<string, number>> = { Expired: 80, Deleted: 70, Rejected: 100 };

const STATUSES: Readonly<Record<string, string | null>> = {
  Queued: null,
  Dispatched: 'sent',
  Delivered: 'delivered',
  Aborted: 'failed',
  Cancelled: 'failed',
  Rejected: 'failed',
  Deleted: 'undelivered',
  Failed: 'undelivered',
  Expired: 'undelivered',
  Unknown: null,
};

/** SMS over Sinch's SMS REST API (XMS), v1. Its reports tell no price. */
export const sinch = providerType<Settings>({
  type: 'sinch',
  title: 'Sinch',
  settings,
  baseUrl: ({ base_url }) => base_url ?? BASE_URL,
  connect,
  probe: ({ service_plan_id, api_token }, base) => ({
    url: `${base}/xms/v1/${service_plan_id}/batches?page_size=1`,
    headers: { Authorization: `Bearer ${api_token}` },
    credentials: 'service_plan_id and api_token',
  }),
});

function connect(given: Settings, prefix: string, context: CarrierContext): Connection {
  const { environment } = context;
  const path = `${prefix}/xms/v1/${given.service_plan_id}/batches`;
  const headers = { Authorization: `Bearer ${given.api_token}`, 'Content-Type': 'application/json' };
  const callback = receiptUrl(context);
  return {
    request(message) {
      const sender = senderOf(message, given.from);
      const body = JSON.stringify({
        from: sender === null ? undefined : withoutPlus(sender),
        to: [message.recipient],
        body: message.text,
        type: 'mt_text',
        expire_at: new Date(message.expiresAt).toISOString(),
        delivery_report: callback === null ? 'none' : 'per_recipient',
        callback_url: callback ?? undefined,
        client_reference: message.hopId,
      });
      return { method: 'POST', path, headers, body };
    },
    read(answer, message) {
      const fields = fieldsOf(parseJson(answer.body));
      if (answer.status >= 200 && answer.status < 300) {
        const id = textOf(fields.id);
        return id ? { kind: 'accepted', messageId: id } : notUnderstood(answer, message);
      }
      const code = textOf(fields.code);
      return readFailure(answer, code, SUBMIT_ERRORS.get(code ?? ''), message, environment.now());
    },
    incoming: {
      methods: ['POST'],
      verify: (incoming) => verifySinch(incoming, given.callback_secret, environment.now()),
      read,
    },
  };
}

const NAME = 'x-sinch-webhook-signature';

/** HMAC-SHA256 over body, nonce and timestamp, joined by dots. */
export function verifySinch(
  { headers, body }: Incoming,
  secret: string | undefined,
  now: number,
): string | null {
  if (secret === undefined) return `${NAME}: cannot be checked, callback_secret is not set`;
  const signature = header(headers, NAME);
  const nonce = header(headers, `${NAME}-nonce`);
  const timestamp = header(headers, `${NAME}-timestamp`);
  const algorithm = header(headers, `${NAME}-algorithm`) ?? 'HmacSHA256';
  if (signature === null || nonce === null || timestamp === null)
    return `${NAME}, -nonce, -timestamp: are missing`;
  if (algorithm !== 'HmacSHA256') return `${NAME}-algorithm: expected HmacSHA256`;
  if (!isRecent(timestamp, now)) return `${NAME}-timestamp: is more than 5 minutes from now`;
  return isSame(signature, hmac('sha256', secret, 'base64', body, `.${nonce}.${timestamp}`))
    ? null
    : `${NAME}: is not that of this body under callback_secret`;
}

function read({ body }: Incoming): Told | null {
  const fields = fieldsOf(parseJson(body.toString('utf8')));
  switch (fields.type) {
    case 'mo_text': {
      const [from, to, text] = [textOf(fields.from), textOf(fields.to), textOf(fields.body)];
      return from === null || to === null || text === null ? null : { messages: [{ from, to, text }] };
    }
    case 'recipient_delivery_report_sms':
      return readReceipt(fields);
    default:
      return typeof fields.type === 'string' ? {} : null;
  }
}

function readReceipt(fields: Readonly<Record<string, unknown>>): Told | null {
  const given = textOf(fields.status) ?? '';
  if (!Object.hasOwn(STATUSES, given)) return null;
  const status = STATUSES[given];
  if (!status) return {};
  const by = reportedBy(textOf(fields.client_reference), textOf(fields.batch_id));
  if (by === null) return null;
  const failed = status !== 'sent' && status !== 'delivered';
  const errorCode = failed ? (RECEIPT_ERRORS.get(Number(fields.code)) ?? STATUS_ERRORS[given] ?? 1000) : null;
  return { reports: [{ by, status, errorCode }] };
}
