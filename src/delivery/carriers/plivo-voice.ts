import { isErrorOf } from '../../verify/channel-errors.js';
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
import { costOf, formOf, type Incoming } from './provider/incoming.js';
import { senderOf, withoutPlus } from './provider/message.js';
import type { CallDocument, Verb } from './voice/document.js';
import { type CallNews, readCallId, readSeconds, type VoiceProvider } from './voice/provider.js';
import type { ReadVoiceSettings } from './voice/settings.js';
import { POLLY } from './voice/voices.js';
import { element, escapeXml, response, ssml } from './voice/xml.js';

/** Plivo explains a 400 in a sentence only. What it is about is found by these words, in this order. */
const SENTENCES: readonly (readonly [words: RegExp, name: string, meaning: Meaning])[] = [
  [/\b(credit|balance|funds)\b/i, 'credit', trouble(5000, 'the account has no credit')],
  [
    /\b(answer_url|ring_url|hangup_url|url)\b/i,
    'url',
    trouble(5010, 'COUNTERSIGN_PUBLIC_URL is no address that Plivo takes'),
  ],
  [
    /\b(geo|country|region|permission)\b/i,
    'country',
    elsewhere(2030, "the account may not call the recipient's country"),
  ],
  [/\b(from|src|source|caller)\b/i, 'caller', elsewhere(3040, 'the caller id is missing or not allowed')],
  [
    /\b(to|dst|destination|recipient|phone number)\b/i,
    'recipient',
    refused(2000, 'the recipient is no valid number'),
  ],
];

/** `CallStatus`: https://docs.plivo.com/docs/voice/xml/request. With the error code where `HangupCauseCode` tells none. */
const STATUSES: Readonly<Record<string, readonly [status: CallNews['status'], errorCode: number | null]>> = {
  queued: ['under-way', null],
  initiated: ['under-way', null],
  ringing: ['ringing', null],
  'in-progress': ['in-progress', null],
  completed: ['completed', null],
  busy: ['busy', 3010],
  'no-answer': ['no-answer', 3000],
  timeout: ['no-answer', 6010],
  cancel: ['failed', 5010],
  failed: ['failed', 5010],
};

/** Codes of ends that are none of the callee's and of no failure: they explain nothing. */
const NORMAL = 4000;
const MACHINE = 9100;

export interface PlivoCalls {
  readonly authId: string;
  readonly authorization: string;
  /** What goes before every path. */
  readonly prefix: string;
  /** The caller id where nobody names one. */
  readonly from: string | undefined;
  readonly settings: ReadVoiceSettings;
  readonly now: () => number;
  readonly verify: (incoming: Incoming) => string | null;
}

/** Calls over Plivo's voice API, v1. */
export function plivoVoice({
  authId,
  authorization,
  prefix,
  from,
  settings,
  now,
  verify,
}: PlivoCalls): VoiceProvider {
  const path = `${prefix}/v1/Account/${authId}`;
  const headers = { Authorization: authorization, 'Content-Type': 'application/json' };
  return {
    title: 'Plivo',
    voices: POLLY,
    contentType: 'application/xml',
    place(message, addresses, ringSeconds) {
      const caller = senderOf(message, settings.from ?? from);
      const body = JSON.stringify({
        from: caller === null ? undefined : withoutPlus(caller),
        to: message.recipient,
        answer_url: addresses.answer,
        answer_method: 'POST',
        ring_url: addresses.status,
        ring_method: 'POST',
        hangup_url: addresses.status,
        hangup_method: 'POST',
        ring_timeout: ringSeconds,
        time_limit: settings.maxSeconds,
        machine_detection: settings.machineDetection ? 'hangup' : undefined,
      });
      return { method: 'POST', path: `${path}/Call/`, headers, body };
    },
    readPlaced(answer, message) {
      const fields = fieldsOf(parseJson(answer.body));
      if (answer.status >= 200 && answer.status < 300) {
        const requestId = readCallId(textOf(fields.request_uuid));
        return requestId ? { kind: 'placed', callId: null, requestId } : notUnderstood(answer, message);
      }
      const sentence = answer.status === 400 ? textOf(fields.error)?.slice(0, 512) : undefined;
      const [, name = null, meaning] =
        (sentence !== undefined && SENTENCES.find(([words]) => words.test(sentence))) || [];
      return readFailure(answer, name, meaning, message, now());
    },
    hangUp({ callId, requestId }) {
      if (callId !== null) return { method: 'DELETE', path: `${path}/Call/${callId}/`, headers, body: null };
      return requestId === null
        ? null
        : { method: 'DELETE', path: `${path}/Request/${requestId}/`, headers, body: null };
    },
    verify,
    read,
    render,
  };
}

function read(incoming: Incoming): CallNews | null {
  const fields = formOf(incoming);
  const callId = readCallId(fields.get('CallUUID'));
  const given = fields.get('CallStatus');
  if (callId === null || given === null || !Object.hasOwn(STATUSES, given)) return null;
  const [status, standard] = STATUSES[given]!;
  const cause = Number(fields.get('HangupCauseCode') ?? 0);
  const machine = fields.get('Machine') === 'true' || cause === MACHINE;
  const explains = standard !== null && cause !== NORMAL && isErrorOf('voice', cause);
  const cost = costOf(fields.get('TotalCost'), 'USD');
  return {
    callId,
    requestId: readCallId(fields.get('RequestUUID') ?? fields.get('ALegRequestUUID')),
    status,
    errorCode: explains ? cause : standard,
    machine,
    key: fields.get('Digits'),
    ...readSeconds(fields.get('Duration')),
    ...(cost && { cost }),
  };
}

/** https://docs.plivo.com/docs/voice/xml */
function render({ voice, verbs }: CallDocument): string {
  const speak = ({ words }: Extract<Verb, { words: unknown }>) =>
    element('Speak', { voice: voice.name, language: voice.language }, ssml(words));
  const put = (each: Verb): string => {
    switch (each.verb) {
      case 'say':
        return speak(each);
      case 'ask': {
        const { url: action, seconds } = each;
        // A key that is pressed is nothing for the provider's logs.
        const input = {
          inputType: 'dtmf',
          numDigits: 1,
          finishOnKey: 'none',
          executionTimeout: seconds,
          log: false,
        };
        return element('GetInput', { action, method: 'POST', redirect: true, ...input }, speak(each));
      }
      case 'redirect':
        return element('Redirect', { method: 'POST' }, escapeXml(each.url));
      case 'hang-up':
        return element('Hangup', {});
    }
  };
  return response(...verbs.map(put));
}
