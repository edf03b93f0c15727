import plivo from 'plivo';
import { type CallStub, elementsOf, expectOnly, redirectOf, type Said, wordsOf } from './calls.js';
import { AUTH_ID, NONCE, plivoError, plivoPush, signV3, TOKEN } from './plivo.js';
import { basic, jsonBody, type Push } from './server.js';
import type { Element } from './xml.js';

const KNOWN = new Set([
  'from',
  'to',
  'answer_url',
  'answer_method',
  'ring_url',
  'ring_method',
  'hangup_url',
  'hangup_method',
  'fallback_url',
  'fallback_method',
  'ring_timeout',
  'time_limit',
  'machine_detection',
  'machine_detection_time',
]);
const PATH = `/v1/Account/${AUTH_ID}/Call/`;

/** Two ids for each number that is called: of the request and of the call. */
const requestUuid = (to: string) => `9834029e-58b6-11e1-b8b7-${to.padStart(12, '0')}`;
const callUuid = (to: string) => `eac94337-b1cd-499b-82d1-${to.padStart(12, '0')}`;

// biome-ignore lint/suspicious/noExplicitAny: the SDK does not declare what it exports here
const sdk = plivo as any;

/** A push whose signature Plivo's own SDK finds right. */
function push(url: string, parameters: Record<string, string>): Push {
  const signature = signV3(url, parameters);
  if (!sdk.validateV3Signature('POST', url, NONCE, TOKEN, signature, parameters)) {
    throw new Error('the stand-in signs other than Plivo does');
  }
  return plivoPush(url, parameters);
}

function say(element: Element) {
  expectOnly(element, ['voice', 'language', 'loop']);
  const { voice = '', language = '' } = element.attributes;
  const text = wordsOf(element);
  if (text.length > 3_000) throw new Error('more than 3,000 characters to speak');
  return { voice, language, text };
}

export const plivoCalls: CallStub = {
  type: 'plivo',
  settings: { auth_id: AUTH_ID, auth_token: TOKEN, channels: ['voice'], voice: { from: '+15005550006' } },
  answer(request) {
    if (request.headers.authorization !== basic(AUTH_ID, TOKEN)) {
      return plivoError(401, 'Could not verify your access level for that URL.');
    }
    if (request.method === 'DELETE' && /\/(Call|Request)\/[0-9a-f-]{36}\/$/.test(request.url)) {
      return { status: 204, body: '' };
    }
    if (request.method !== 'POST' || request.url !== PATH) return plivoError(404, 'not found');
    const fields = jsonBody(request);
    if (!fields) return plivoError(400, 'Invalid JSON');
    for (const name of Object.keys(fields)) {
      if (!KNOWN.has(name)) return plivoError(400, `${name} is not known`);
    }
    if (!/^[1-9]\d{4,14}$/.test(String(fields.to))) return plivoError(400, 'to parameter is not valid');
    if (!/^\d{3,15}$/.test(String(fields.from))) return plivoError(400, 'from parameter not present');
    for (const name of ['answer_url', 'ring_url', 'hangup_url']) {
      if (!URL.canParse(String(fields[name]))) return plivoError(400, `${name} is not valid`);
    }
    for (const name of ['ring_timeout', 'time_limit']) {
      if (!Number.isInteger(fields[name])) return plivoError(400, `${name} should be an integer`);
    }
    if (fields.machine_detection !== undefined && fields.machine_detection !== 'hangup') {
      return plivoError(400, 'machine_detection should be true or hangup');
    }
    const body = { api_id: '97ceeb52-58b6-11e1-86da-77300b68f8bb', message: 'call fired' };
    return { status: 201, body: { ...body, request_uuid: requestUuid(String(fields.to)) } };
  },
  placed(request) {
    const fields = request.url === PATH ? jsonBody(request) : null;
    return (
      fields && {
        callId: callUuid(String(fields.to)),
        from: String(fields.from),
        to: String(fields.to),
        answerUrl: String(fields.answer_url),
        statusUrl: String(fields.hangup_url),
        ringSeconds: Number(fields.ring_timeout),
        machineDetection: fields.machine_detection !== undefined,
      }
    );
  },
  ended: ({ method, url }) =>
    method === 'DELETE' ? (/\/(?:Call|Request)\/([0-9a-f-]{36})\/$/.exec(url)?.[1] ?? null) : null,
  fetch: ({ callId, from, to }, url, { key, machine } = {}) =>
    push(url, {
      ALegRequestUUID: requestUuid(to),
      ALegUUID: callId,
      CallStatus: 'in-progress',
      CallUUID: callId,
      Direction: 'outbound',
      Event: 'StartApp',
      From: from,
      RequestUUID: requestUuid(to),
      To: to,
      ...(machine === undefined ? {} : { Machine: String(machine) }),
      ...(key === undefined ? {} : { Digits: key, InputType: 'dtmf' }),
    }),
  // https://docs.plivo.com/docs/voice/xml/redirect: no id of the request.
  redirect: ({ callId, from, to }, url, left = false) =>
    push(url, {
      CallStatus: left ? 'completed' : 'in-progress',
      CallUUID: callId,
      CallerName: from,
      Direction: 'outbound',
      Event: 'Redirect',
      From: from,
      To: to,
    }),
  tell: ({ callId, from, to, statusUrl }, what) =>
    push(statusUrl, {
      CallStatus: what === 'ringing' ? what : what.status === 'canceled' ? 'cancel' : what.status,
      CallUUID: callId,
      Direction: 'outbound',
      Event: what === 'ringing' ? 'Ring' : 'Hangup',
      From: from,
      RequestUUID: requestUuid(to),
      To: to,
      ...(what === 'ringing'
        ? {}
        : {
            BillDuration: String(Math.ceil((what.seconds ?? 0) / 60) * 60),
            Duration: String(what.seconds ?? 0),
            HangupCause: 'NORMAL_CLEARING',
            HangupCauseCode: what.code ?? '4000',
            HangupSource: 'Callee',
            TotalCost: '0.01200',
          }),
    }),
  read: (document) =>
    elementsOf(document).map((element): Said => {
      switch (element.name) {
        case 'Speak':
          return { do: 'say', ...say(element) };
        case 'GetInput': {
          const known = [
            'action',
            'method',
            'redirect',
            'inputType',
            'numDigits',
            'finishOnKey',
            'executionTimeout',
          ];
          expectOnly(element, [...known, 'log']);
          const { inputType, numDigits, method, action = '', executionTimeout, log } = element.attributes;
          const seconds = Number(executionTimeout);
          const [prompt, ...rest] = element.children;
          if (inputType !== 'dtmf' || numDigits !== '1' || method !== 'POST' || rest.length > 0) {
            throw new Error('a GetInput that asks for no key');
          }
          if (!(seconds >= 5 && seconds <= 60) || log !== 'false')
            throw new Error('a GetInput out of bounds');
          return { do: 'ask', url: action, seconds, ...say(prompt as Element) };
        }
        case 'Redirect':
          return redirectOf(element);
        case 'Hangup':
          expectOnly(element, ['reason', 'schedule']);
          return { do: 'hang-up' };
        default:
          throw new Error(`<${element.name}> is no element that is known`);
      }
    }),
  cost: { amount: '0.01200', currency: 'USD' },
  errors: [
    ['the recipient', plivoError(400, 'to parameter is not valid'), { kind: 'refused', errorCode: 2000 }],
    [
      'the caller id',
      plivoError(400, 'from parameter not present'),
      { kind: 'unavailable', errorCode: 3040 },
    ],
    [
      'the country',
      plivoError(400, 'calls to this country are not enabled'),
      { kind: 'unavailable', errorCode: 2030 },
    ],
    [
      'no credit',
      plivoError(400, 'insufficient credit'),
      { kind: 'unavailable', errorCode: 5000, down: true },
    ],
    [
      'our address',
      plivoError(400, 'answer_url is not valid'),
      { kind: 'unavailable', errorCode: 5010, down: true },
    ],
    ['credentials', plivoError(401, 'no'), { kind: 'unavailable', errorCode: 5000, down: true }],
    ['one that nobody knows', plivoError(400, 'no'), { kind: 'unavailable', errorCode: 5010, down: false }],
  ],
  failures: [
    ['3010', 'busy', 3010],
    ['3000', 'no-answer', 3000],
    ['6010', 'no-answer', 6010],
    ['3050', 'failed', 3050],
    ['3120', 'failed', 3120],
  ],
  carriersFault: '3090',
};
