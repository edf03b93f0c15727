import { describe, expect, it } from 'vitest';
import { twilioCalls } from '../../support/providers/twilio-calls.js';
import { callSuite } from './voice/call-suite.js';
import { openPhone } from './voice/support.js';

callSuite(twilioCalls);

describe('a voice of Twilio', () => {
  it.each([
    ['es_MX', 'Polly.Mia', 'es-MX'],
    ['ar', 'Polly.Zeina', 'arb'],
    ['zh_TW', 'Polly.Zhiyu', 'cmn-CN'],
    ['bg', 'Google.bg-BG-Standard-A', 'bg-BG'],
    ['sr_ME', 'Google.sr-RS-Standard-A', 'sr-RS'],
    ['fi_FI', 'Google.fi-FI-Standard-A', 'fi-FI'],
  ])('speaks %s: %s', async (locale, voice, language) => {
    const phone = await openPhone(twilioCalls);
    const call = await phone.call({ locale });
    expect((await call.ask(call.placed.answerUrl))[0]).toMatchObject({ voice, language });
  });
});
