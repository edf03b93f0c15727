import { type Static, Type } from 'typebox';
import type { CarrierContext, CarrierReport } from '../carrier.js';
import { SettingsError } from '../settings-error.js';
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
import { formOf, type Incoming, receiptUrl, reportedBy, type Told } from './provider/incoming.js';
import { basicAuthorization, form, secondsLeft, senderOf, withPlus } from './provider/message.js';
import { baseUrl, commonSettings, credential } from './provider/settings.js';
import { header, hmac, isSame, portForms } from './provider/signatures.js';
import { twilioVoice } from './twilio-voice.js';
import { voiceSettings } from './voice/settings.js';

const BASE_URL = 'https://api.twilio.com';

const settings = Type.Object(
  {
    account_sid: Type.String({
      pattern: '^AC[0-9a-fA-F]{32}$',
      description: 'the SID of the account, AC and 32 hexadecimal digits',
    }),
    auth_token: credential("the account's auth token, which also signs what Twilio sends"),
    api_key_sid: Type.Optional(
      Type.String({ pattern: '^SK[0-9a-fA-F]{32}$', description: 'the SID of an API key to send with' }),
    ),
    api_key_secret: Type.Optional(credential('the secret of that API key')),
    messaging_service_sid: Type.Optional(
      Type.String({
        pattern: '^MG[0-9a-fA-F]{32}$',
        description: 'the SID of a messaging service, which chooses the sender where nothing else does',
      }),
    ),
    base_url: baseUrl(BASE_URL),
    ...commonSettings,
    ...voiceSettings,
  },
  { additionalProperties: false },
);
type Settings = Static<typeof settings>;

/** Error codes of a submit: https://www.twilio.com/docs/api/errors */
const SUBMIT_ERRORS: ReadonlyMap<string, Meaning> = new Map([
  ['20003', trouble(20, 'the credentials are refused')],
  ['20005', trouble(20, 'the account is not active')],
  ['20404', trouble(20, 'there is no such account')],
  ['20429', trouble(20, 'too many requests')],
  ['14107', trouble(20, 'too many messages to send')],
  ['21211', refused(50, 'the recipient is no valid number')],
  ['21212', elsewhere(40, 'the sender is no valid number')],
  ['21265', refused(50, 'the recipient is a short code')],
  ['21266', refused(50, 'recipient and sender are the same number')],
  ['21408', elsewhere(450, "the account may not send to the recipient's country")],
  ['21602', refused(10, 'the text is missing')],
  ['21603', elsewhere(40, 'no sender is set')],
  ['21604', refused(50, 'the recipient is missing')],
  ['21605', refused(110, 'the text is too long')],
  ['21606', elsewhere(40, 'the sender is not of this account, or cannot send SMS')],
  ['21608', elsewhere(50, 'a trial account sends to verified numbers only')],
  ['21610', refused(200, 'the recipient has replied STOP')],
  ['21611', trouble(20, "the sender's queue is full")],
  ['21612', elsewhere(90, 'there is no route from this sender to the recipient')],
  ['21614', refused(50, 'the recipient is no mobile number')],
  ['21617', refused(110, 'the text is too long')],
  ['21619', refused(10, 'the text is missing')],
  ['21659', elsewhere(40, 'the sender is no number or short code of this account')],
  ['21660', elsewhere(40, 'the sender is not of this account')],
  ['21661', elsewhere(40, 'the sender cannot send SMS')],
  ['21701', elsewhere(40, 'there is no such messaging service')],
  ['21703', elsewhere(40, 'the messaging service has no senders')],
  ['21705', elsewhere(40, 'the messaging service is not valid')],
  ['21710', elsewhere(40, 'the messaging service has no such sender')],
  ['21712', elsewhere(40, 'the messaging service has no such sender')],
  ['30002', trouble(20, 'the account is suspended')],
  ['30485', elsewhere(100, 'the message is blocked for the recipient')],
  ['63038', trouble(20, 'the account has reached its daily limit')],
]);

/** Error codes of a status callback, as channel error codes. */
const RECEIPT_ERRORS: ReadonlyMap<string, number> = new Map([
  ['21610', 200],
  ['30001', 20],
  ['30002', 20],
  ['30003', 80],
  ['30004', 100],
  ['30005', 50],
  ['30006', 70],
  ['30007', 30],
  ['30008', 1000],
  ['30009', 20],
  ['30010', 90],
  ['30017', 80],
  ['30018', 40],
  ['30019', 110],
  ['30022', 20],
  ['30023', 20],
  ['30024', 40],
  ['30027', 20],
  ['30032', 40],
  ['30034', 40],
  ['30036', 80],
  ['30410', 20],
  ['30450', 452],
  ['30453', 452],
  ['30454', 452],
  ['30500', 20],
]);

/** Null: nothing that an attempt can show. */
const STATUSES: Readonly<Record<string, string | null>> = {
  accepted: null,
  scheduled: null,
  queued: null,
  sending: null,
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  undelivered: 'undelivered',
  failed: 'failed',
  canceled: 'failed',
};

/** Twilio retries a receipt on 5xx only if the URL's fragment says so; the fragment is no part of the signature. */
const RETRIES = '#rc=3&rp=5xx,ct,rt';

/** SMS over Twilio's Programmable Messaging API of 2010-04-01, whose receipts tell no price, and calls. */
export const twilio = providerType<Settings>({
  type: 'twilio',
  title: 'Twilio',
  settings,
  baseUrl: ({ base_url }) => base_url ?? BASE_URL,
  connect,
  voice: (given, prefix, calls, { environment }) =>
    twilioVoice({
      accountSid: given.account_sid,
      authorization: authorization(given),
      prefix,
      from: given.from,
      settings: calls,
      now: () => environment.now(),
      verify: (incoming) => verifyTwilio(incoming, given.auth_token),
    }),
  probe: (given, base) => {
    // A standard API key may not read its account.
    const path = given.api_key_sid === undefined ? '.json' : '/IncomingPhoneNumbers.json?PageSize=1';
    return {
      url: `${base}/2010-04-01/Accounts/${given.account_sid}${path}`,
      headers: { Authorization: authorization(given) },
      credentials:
        given.api_key_sid === undefined ? 'account_sid and auth_token' : 'api_key_sid and api_key_secret',
      explain: ({ status, body }) => {
        const state = fieldsOf(parseJson(body)).status;
        return status === 200 && (state === 'suspended' || state === 'closed')
          ? `has ${state} this account: see its console`
          : null;
      },
    };
  },
});

function authorization({ account_sid, auth_token, api_key_sid, api_key_secret }: Settings): string {
  return basicAuthorization(api_key_sid ?? account_sid, api_key_secret ?? auth_token);
}

function connect(given: Settings, prefix: string, context: CarrierContext): Connection {
  const { environment } = context;
  if ((given.api_key_sid === undefined) !== (given.api_key_secret === undefined)) {
    throw new SettingsError('api_key_sid', 'expected together with api_key_secret');
  }
  const path = `${prefix}/2010-04-01/Accounts/${given.account_sid}/Messages.json`;
  const headers = {
    Authorization: authorization(given),
    'Content-Type': 'application/x-www-form-urlencoded',
    Accept: 'application/json',
  };

  return {
    request(message) {
      const sender = senderOf(message, given.from);
      const callback = receiptUrl(context, message.hopId);
      const body = form({
        To: `+${message.recipient}`,
        From: sender && withPlus(sender),
        MessagingServiceSid: sender === null ? given.messaging_service_sid : null,
        Body: message.text,
        ValidityPeriod: String(secondsLeft(message, environment.now(), 1, 36_000)),
        StatusCallback: callback && `${callback}${RETRIES}`,
      });
      return { method: 'POST', path, headers, body };
    },
    read(answer, message) {
      const fields = fieldsOf(parseJson(answer.body));
      if (answer.status >= 200 && answer.status < 300) {
        const id = textOf(fields.sid);
        return id ? { kind: 'accepted', messageId: id } : notUnderstood(answer, message);
      }
      const code = textOf(fields.code);
      return readFailure(answer, code, SUBMIT_ERRORS.get(code ?? ''), message, environment.now());
    },
    incoming: {
      methods: ['POST'],
      verify: (incoming) => verifyTwilio(incoming, given.auth_token),
      read,
      thanks: { type: 'text/xml', body: '<?xml version="1.0" encoding="UTF-8"?><Response></Response>' },
    },
  };
}

/** https://www.twilio.com/docs/usage/webhooks/webhooks-security: HMAC-SHA1 over the URL and the sorted parameters. */
export function verifyTwilio(incoming: Incoming, token: string): string | null {
  if (incoming.url === null) return 'the signature cannot be checked: COUNTERSIGN_PUBLIC_URL is not set';
  const given = header(incoming.headers, 'x-twilio-signature');
  if (given === null) return 'x-twilio-signature: is missing';
  const parameters = [...new Set([...formOf(incoming)].map(([name, value]) => `${name}\0${value}`))]
    .sort()
    .map((pair) => pair.replace('\0', ''))
    .join('');
  const matches = portForms(incoming.url).some((url) =>
    isSame(given, hmac('sha1', token, 'base64', url, parameters)),
  );
  return matches ? null : 'x-twilio-signature: is not that of this URL and body under auth_token';
}

function read(incoming: Incoming): Told | null {
  const fields = formOf(incoming);
  const status = fields.get('MessageStatus');
  if (status !== null) return readReceipt(status, fields, incoming.hopId);
  const [from, to, text] = [fields.get('From'), fields.get('To'), fields.get('Body')];
  return from === null || to === null || text === null ? null : { messages: [{ from, to, text }] };
}

function readReceipt(given: string, fields: URLSearchParams, hopId: string | null): Told | null {
  if (!Object.hasOwn(STATUSES, given)) return null;
  const status = STATUSES[given];
  if (!status) return {};
  const by = reportedBy(hopId, fields.get('MessageSid'));
  if (by === null) return null;
  const code = fields.get('ErrorCode');
  const errorCode = status === 'sent' || status === 'delivered' ? null : errorOf(code);
  const report: CarrierReport = { by, status, errorCode };
  return { reports: [report] };
}

function errorOf(code: string | null): number {
  return RECEIPT_ERRORS.get(code ?? '') ?? 1000;
}
