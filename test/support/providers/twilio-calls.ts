import {
  type CallStub,
  elementsOf,
  expectOnly,
  type PlacedCall,
  redirectOf,
  type Said,
  wordsOf,
} from './calls.js';
import { basic, type Push } from './server.js';
import { SID, signTwilio, TOKEN, twilioError } from './twilio.js';
import type { Element } from './xml.js';

const KNOWN = new Set([
  'To',
  'From',
  'Url',
  'Method',
  'StatusCallback',
  'StatusCallbackMethod',
  'StatusCallbackEvent',
  'Timeout',
  'TimeLimit',
  'MachineDetection',
]);
const EVENTS = new Set(['initiated', 'ringing', 'answered', 'completed']);
const PATH = `/2010-04-01/Accounts/${SID}/Calls`;

function push(url: string, parameters: Record<string, string>): Push {
  const [whole = ''] = url.split('#');
  return {
    method: 'POST',
    url: whole,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': signTwilio(whole, parameters),
    },
    body: new URLSearchParams(parameters).toString(),
  };
}

/** One id for each number that is called. */
const callSid = (to: string) => `CA${to.replace(/\D/g, '').padStart(32, '0')}`;

/** What each request for TwiML says of the call. */
function underWay({ callId, from, to }: PlacedCall): Record<string, string> {
  return {
    AccountSid: SID,
    ApiVersion: '2010-04-01',
    CallSid: callId,
    CallStatus: 'in-progress',
    Called: to,
    Caller: from,
    Direction: 'outbound-api',
    From: from,
    To: to,
    ToCity: '',
  };
}

function say(element: Element) {
  expectOnly(element, ['voice', 'language', 'loop']);
  const { voice = '', language = '' } = element.attributes;
  return { voice, language, text: wordsOf(element) };
}

export const twilioCalls: CallStub = {
  type: 'twilio',
  settings: { account_sid: SID, auth_token: TOKEN, channels: ['voice'], voice: { from: '+15005550006' } },
  answer(request) {
    if (request.headers.authorization !== basic(SID, TOKEN)) return twilioError(401, 20003, 'Authenticate');
    const fields = new URLSearchParams(request.body);
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded')
      return twilioError(400, 21201);
    const update = request.url.startsWith(`${PATH}/CA`);
    if (request.method !== 'POST' || !(update || request.url === `${PATH}.json`))
      return twilioError(404, 20404);
    if (update) {
      const isEnd = ['completed', 'canceled'].includes(fields.get('Status') ?? '');
      return isEnd ? { status: 200, body: { status: 'completed' } } : twilioError(400, 21218);
    }
    for (const name of fields.keys()) if (!KNOWN.has(name)) return twilioError(400, 20001);
    if (!/^\+[1-9]\d{1,14}$/.test(fields.get('To') ?? '')) return twilioError(400, 21211);
    if (!fields.has('From')) return twilioError(400, 21213);
    if (!/^\+?\d{3,15}$/.test(fields.get('From')!)) return twilioError(400, 21212);
    for (const name of ['Url', 'StatusCallback']) {
      if (!URL.canParse(fields.get(name) ?? '')) return twilioError(400, 21205);
    }
    for (const event of fields.getAll('StatusCallbackEvent')) {
      if (!EVENTS.has(event)) return twilioError(400, 21626);
    }
    const [ring, limit] = [Number(fields.get('Timeout')), Number(fields.get('TimeLimit'))];
    if (!(ring >= 1 && ring <= 600 && limit >= 1 && limit <= 14_400)) return twilioError(400, 21220);
    const detection = fields.get('MachineDetection');
    if (detection !== null && detection !== 'Enable' && detection !== 'DetectMessageEnd') {
      return twilioError(400, 20001);
    }
    const to = fields.get('To')!;
    return {
      status: 201,
      body: {
        sid: callSid(to),
        account_sid: SID,
        status: 'queued',
        to,
        direction: 'outbound-api',
        price: null,
      },
    };
  },
  placed(request) {
    if (request.url !== `${PATH}.json`) return null;
    const fields = new URLSearchParams(request.body);
    const text = (name: string) => fields.get(name) ?? '';
    return {
      callId: callSid(text('To')),
      from: text('From'),
      to: text('To'),
      answerUrl: text('Url'),
      statusUrl: text('StatusCallback'),
      ringSeconds: Number(text('Timeout')),
      machineDetection: fields.has('MachineDetection'),
    };
  },
  ended: ({ url }) => /\/Calls\/(CA[0-9a-f]{32})\.json$/.exec(url)?.[1] ?? null,
  fetch: (call, url, { key, machine } = {}) =>
    push(url, {
      ...underWay(call),
      ...(machine === undefined ? {} : { AnsweredBy: machine ? 'machine_start' : 'human' }),
      ...(key === undefined ? {} : { Digits: key, msg: 'Gather End' }),
    }),
  // https://www.twilio.com/docs/voice/twiml/redirect: as any request for TwiML.
  redirect: (call, url, left = false) =>
    push(url, { ...underWay(call), ...(left ? { CallStatus: 'completed' } : {}) }),
  tell: ({ callId, from, to, statusUrl }, what) =>
    push(statusUrl, {
      AccountSid: SID,
      ApiVersion: '2010-04-01',
      CallSid: callId,
      CallStatus: what === 'ringing' ? what : what.status,
      CallbackSource: 'call-progress-events',
      Direction: 'outbound-api',
      From: from,
      SequenceNumber: '1',
      Timestamp: 'Sat, 31 Jan 2026 08:52:39 +0000',
      To: to,
      ...(what !== 'ringing' && what.seconds !== undefined
        ? { CallDuration: String(what.seconds), Duration: String(Math.ceil(what.seconds / 60)) }
        : {}),
      ...(what !== 'ringing' && what.code !== undefined ? { SipResponseCode: what.code } : {}),
    }),
  read: (document) =>
    elementsOf(document).map((element): Said => {
      switch (element.name) {
        case 'Say':
          return { do: 'say', ...say(element) };
        case 'Gather': {
          expectOnly(element, ['input', 'numDigits', 'finishOnKey', 'timeout', 'action', 'method']);
          const { input, numDigits, method, action = '', timeout } = element.attributes;
          const [prompt, ...rest] = element.children;
          if (input !== 'dtmf' || numDigits !== '1' || method !== 'POST' || rest.length > 0) {
            throw new Error('a Gather that asks for no key');
          }
          return { do: 'ask', url: action, seconds: Number(timeout), ...say(prompt as Element) };
        }
        case 'Redirect':
          return redirectOf(element);
        case 'Hangup':
          expectOnly(element, []);
          return { do: 'hang-up' };
        default:
          throw new Error(`<${element.name}> is no verb that is known`);
      }
    }),
  cost: null,
  errors: [
    ['21211: no valid number', twilioError(400, 21211), { kind: 'refused', errorCode: 2000 }],
    [
      '21210: caller id not verified',
      twilioError(400, 21210),
      { kind: 'unavailable', errorCode: 3040, down: false },
    ],
    [
      '21215: the country is off',
      twilioError(403, 21215),
      { kind: 'unavailable', errorCode: 2030, down: false },
    ],
    ['10004: too many calls', twilioError(429, 10004), { kind: 'unavailable', errorCode: 3090, down: false }],
    ['20003: credentials', twilioError(401, 20003), { kind: 'unavailable', errorCode: 5000, down: true }],
    [
      '20429: too many requests',
      twilioError(429, 20429),
      { kind: 'unavailable', errorCode: 3090, down: true },
    ],
    ['one that nobody knows', twilioError(400, 29999), { kind: 'unavailable', errorCode: 5010, down: false }],
  ],
  failures: [
    ['404', 'failed', 3050],
    ['486', 'busy', 3010],
    ['480', 'no-answer', 3000],
    ['603', 'failed', 3110],
    ['604', 'failed', 3120],
  ],
  carriersFault: '503',
};
