import type { OutboundMessage } from '../carrier.js';
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
import { formOf, type Incoming } from './provider/incoming.js';
import { form, senderOf, withPlus } from './provider/message.js';
import { outcomeOfResponse } from './sip/outcome.js';
import type { CallDocument, Verb } from './voice/document.js';
import { type CallNews, readCallId, readSeconds, type VoiceProvider } from './voice/provider.js';
import type { ReadVoiceSettings } from './voice/settings.js';
import { POLLY, polly, type Voice, type VoiceTable } from './voice/voices.js';
import { element, escapeXml, response, ssml } from './voice/xml.js';

/** Error codes of a request to call: https://www.twilio.com/docs/api/errors */
const ERRORS: ReadonlyMap<string, Meaning> = new Map([
  ['10001', trouble(5000, 'the account is not active')],
  ['10004', elsewhere(3090, 'too many calls at a time')],
  ['20003', trouble(5000, 'the credentials are refused')],
  ['20005', trouble(5000, 'the account is not active')],
  ['20404', trouble(5000, 'there is no such account')],
  ['20429', trouble(3090, 'too many requests')],
  ['21201', refused(2000, 'the recipient is missing')],
  ['21205', trouble(5010, 'COUNTERSIGN_PUBLIC_URL is no address that Twilio takes')],
  ['21210', elsewhere(3040, 'the caller id is not verified')],
  ['21211', refused(2000, 'the recipient is no valid number')],
  ['21212', elsewhere(3040, 'the caller id is no valid number')],
  ['21213', elsewhere(3040, 'no caller id is set')],
  ['21214', elsewhere(2010, 'the recipient cannot be reached from there')],
  ['21215', elsewhere(2030, "the account may not call the recipient's country")],
  ['21216', elsewhere(3040, 'the account may not call this number')],
  ['21217', refused(2000, 'the recipient is no valid number')],
  ['21219', elsewhere(3040, 'a trial account calls verified numbers only')],
]);

/** `CallStatus`: https://www.twilio.com/docs/voice/api/call-resource#call-status-values. With the error code where it is no more telling elsewhere. */
const STATUSES: Readonly<Record<string, readonly [status: CallNews['status'], errorCode: number | null]>> = {
  queued: ['under-way', null],
  initiated: ['under-way', null],
  ringing: ['ringing', null],
  'in-progress': ['in-progress', null],
  completed: ['completed', null],
  busy: ['busy', 3010],
  'no-answer': ['no-answer', 3000],
  canceled: ['failed', 5010],
  failed: ['failed', 5020],
};

/** https://www.twilio.com/docs/voice/twiml/say/text-speech: what Polly does not speak, Google's standard voices do. */
const VOICES: VoiceTable = {
  ...POLLY,
  af: google('af-ZA'),
  ar: polly('Zeina', 'arb'),
  bg: google('bg-BG'),
  bn: google('bn-IN', 'C'),
  ca: google('ca-ES'),
  cs: google('cs-CZ'),
  el: google('el-GR'),
  'es-MX': polly('Mia', 'es-MX'),
  eu: google('eu-ES'),
  fi: google('fi-FI'),
  fil: google('fil-PH'),
  gl: google('gl-ES'),
  gu: google('gu-IN', 'C'),
  he: google('he-IL'),
  hu: google('hu-HU'),
  id: google('id-ID'),
  kn: google('kn-IN', 'C'),
  lt: google('lt-LT'),
  lv: google('lv-LV'),
  mr: google('mr-IN'),
  ms: google('ms-MY'),
  pa: google('pa-IN'),
  sk: google('sk-SK'),
  sr: google('sr-RS'),
  ta: google('ta-IN', 'C'),
  te: google('te-IN'),
  th: google('th-TH'),
  uk: google('uk-UA'),
  vi: google('vi-VN'),
  zh: polly('Zhiyu', 'cmn-CN'),
};

function google(language: string, letter = 'A'): Voice {
  return { name: `Google.${language}-Standard-${letter}`, language };
}

/** As for receipts of messages: the fragment makes Twilio send a status again. */
const RETRIES = '#rc=3&rp=5xx,ct,rt';

export interface TwilioCalls {
  readonly accountSid: string;
  readonly authorization: string;
  /** What goes before every path. */
  readonly prefix: string;
  /** The caller id where nobody names one. */
  readonly from: string | undefined;
  readonly settings: ReadVoiceSettings;
  readonly now: () => number;
  readonly verify: (incoming: Incoming) => string | null;
}

/** Calls over Twilio's Programmable Voice API of 2010-04-01. Its callbacks tell no price. */
export function twilioVoice({
  accountSid,
  authorization,
  prefix,
  from,
  settings,
  now,
  verify,
}: TwilioCalls): VoiceProvider {
  const path = `${prefix}/2010-04-01/Accounts/${accountSid}/Calls`;
  const headers = { Authorization: authorization, 'Content-Type': 'application/x-www-form-urlencoded' };
  return {
    title: 'Twilio',
    voices: VOICES,
    contentType: 'text/xml',
    place(message, addresses, ringSeconds) {
      const caller = senderOf(message, settings.from ?? from);
      const events = ['initiated', 'ringing', 'answered', 'completed'].map(
        (event) => `&StatusCallbackEvent=${event}`,
      );
      const body = form({
        To: `+${message.recipient}`,
        From: caller && withPlus(caller),
        Url: addresses.answer,
        Method: 'POST',
        StatusCallback: `${addresses.status}${RETRIES}`,
        StatusCallbackMethod: 'POST',
        Timeout: String(ringSeconds),
        TimeLimit: String(settings.maxSeconds),
        MachineDetection: settings.machineDetection ? 'Enable' : null,
      });
      return { method: 'POST', path: `${path}.json`, headers, body: body + events.join('') };
    },
    readPlaced: (answer, message: OutboundMessage) => {
      const fields = fieldsOf(parseJson(answer.body));
      if (answer.status >= 200 && answer.status < 300) {
        const callId = readCallId(textOf(fields.sid));
        return callId ? { kind: 'placed', callId, requestId: null } : notUnderstood(answer, message);
      }
      const code = textOf(fields.code);
      return readFailure(answer, code, ERRORS.get(code ?? ''), message, now());
    },
    hangUp: ({ callId }) =>
      callId === null
        ? null
        : { method: 'POST', path: `${path}/${callId}.json`, headers, body: form({ Status: 'completed' }) },
    verify,
    read,
    render,
  };
}

function read(incoming: Incoming): CallNews | null {
  const fields = formOf(incoming);
  const callId = readCallId(fields.get('CallSid'));
  const given = fields.get('CallStatus');
  if (callId === null || given === null || !Object.hasOwn(STATUSES, given)) return null;
  const [standard, code] = STATUSES[given]!;
  const response = given === 'failed' ? Number(fields.get('SipResponseCode') ?? 0) : 0;
  const { status, errorCode } =
    response >= 300 ? outcomeOfResponse(response) : { status: standard, errorCode: code };
  return {
    callId,
    requestId: null,
    status,
    errorCode,
    machine: /^(machine|fax)/.test(fields.get('AnsweredBy') ?? ''),
    key: fields.get('Digits'),
    ...readSeconds(fields.get('CallDuration')),
  };
}

/** https://www.twilio.com/docs/voice/twiml */
function render({ voice, verbs }: CallDocument): string {
  const say = ({ words }: Extract<Verb, { words: unknown }>) =>
    element('Say', { voice: voice.name, language: voice.language }, ssml(words));
  const put = (each: Verb): string => {
    switch (each.verb) {
      case 'say':
        return say(each);
      case 'ask': {
        const { url: action, seconds: timeout } = each;
        const gather = { input: 'dtmf', numDigits: 1, finishOnKey: '', timeout, action, method: 'POST' };
        return element('Gather', gather, say(each));
      }
      case 'redirect':
        return element('Redirect', { method: 'POST' }, escapeXml(each.url));
      case 'hang-up':
        return element('Hangup', {});
    }
  };
  return response(...verbs.map(put));
}
