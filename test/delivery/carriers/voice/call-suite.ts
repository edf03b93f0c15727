import { describe, expect, it } from 'vitest';
import { UNWANTED } from '#delivery/carrier.js';
import { PHRASES } from '#speech/phrases.js';
import type { CallStub, Said } from '../../../support/providers/calls.js';
import { carrierOf, PUBLIC_URL, publicContext, typeNamed } from '../mount.js';
import { CODE, message } from '../support.js';
import { askOf, openPhone, redirectOf, spoken } from './support.js';

/** `CODE` as an English voice reads it, digit by digit. */
const IN_WORDS = 'seven. three. five. one. nine. two. six. four.';
const times = (said: readonly Said[], words: string) => spoken(said).split(words).length - 1;

/** What every carrier that places calls over a provider's API does alike. */
export function callSuite(stub: CallStub) {
  describe(`a call over ${stub.type}`, () => {
    it('is placed with all that is documented', async () => {
      const phone = await openPhone(stub);
      const { placed } = await phone.call();
      expect(placed).toMatchObject({
        from: expect.stringMatching(/^\+?15005550006$/),
        to: expect.stringMatching(/^\+?14155550123$/),
        ringSeconds: 45,
        machineDetection: false,
      });
      const token = '\\?token=[A-Za-z0-9_-]{32}';
      const at = `^${PUBLIC_URL}/carriers/gateway/calls`;
      expect(placed.answerUrl).toMatch(new RegExp(`${at}/document${token}$`));
      expect(placed.statusUrl).toMatch(new RegExp(`${at}/status${token}(#.*)?$`));
      expect(phone.received[0]!.body).not.toContain(CODE);
    });

    it('has the caller id that the caller asked for, else the one of the route, else its own', async () => {
      const phone = await openPhone(stub);
      const from = async (changes: object) => (await phone.call(changes)).placed.from;
      expect(await from({ src: '14155550100', sender: '14155550101' })).toMatch(/14155550100$/);
      expect(await from({ sender: '+14155550101' })).toMatch(/14155550101$/);
    });

    it('rings no longer than the code is good', async () => {
      const phone = await openPhone(stub);
      const expiresAt = phone.environment.now() + 20_000;
      expect((await phone.call({ expiresAt })).placed.ringSeconds).toBe(20);
    });

    it('greets, speaks the code digit by digit three times, and says goodbye', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      const said = await call.ask(call.placed.answerUrl);
      expect(said.map((each) => each.do)).toEqual(['say', 'ask', 'say', 'hang-up']);
      expect(spoken(said)).toMatch(/^Hello\. .* Acme\. /);
      expect(times(said, IN_WORDS)).toBe(3);
      expect(spoken(said)).not.toContain(CODE);
      expect(spoken(said)).toMatch(/press one.*Goodbye\.$/i);
    });

    it('is marked as brought, under its id, before the document with the code is answered', async () => {
      const phone = await openPhone(stub);
      let commit: (ok: boolean) => void = () => {};
      const mark = new Promise<boolean>((resolve) => {
        commit = resolve;
      });
      const call = await phone.call({}, () => mark);
      let answered = false;
      const asked = call.ask(call.placed.answerUrl).finally(() => {
        answered = true;
      });
      await phone.until('the mark', () => phone.claims[0]);
      expect(phone.claims).toEqual([call.placed.callId]);
      expect(answered).toBe(false);
      commit(true);
      expect(times(await asked, IN_WORDS)).toBe(3);
    });

    it('hangs up without the code when the attempt is not wanted any more', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({}, async () => false);
      expect(await call.ask(call.placed.answerUrl)).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 1 });
      expect(await call.result).toMatchObject({ kind: 'unavailable', errorCode: 5010, down: false });
    });

    it('has its end recorded however long the database is away', async () => {
      const away = Array.from({ length: 100 }, () => 'unavailable' as const);
      const phone = await openPhone(stub, { answers: ['recorded', ...away, 'recorded'] });
      const call = await phone.call();
      await call.ask(call.placed.answerUrl);
      expect((await call.tell({ status: 'completed', seconds: 41 })).status).toBe(503);
      await phone.environment.advance(90_000);
      expect(phone.carrier.status?.().inFlight).toBe(1);
      await phone.environment.advance(20_000);
      expect(await call.result).toMatchObject({ kind: 'accepted' });
      expect(phone.reports.at(-1)).toMatchObject({ status: 'completed', duration: 41 });
      expect(phone.reports).toHaveLength(1 + away.length + 1);
    });

    it('stops ringing when its session has ended, and goes on to nobody', async () => {
      const phone = await openPhone(stub);
      const unwanted = new AbortController();
      const call = await phone.call({}, undefined, unwanted.signal);
      await call.tell('ringing');
      const before = phone.received.length;
      unwanted.abort();
      expect(await call.result).toMatchObject({ kind: 'unavailable', errorCode: 5010, untried: true });
      expect(phone.received.length).toBe(before + 1);
      expect((await call.fetch(call.placed.answerUrl)).status).toBe(404);
      expect(phone.claims).toEqual([]);
      expect(await phone.carrier.submit(message({ channel: 'voice' }), undefined, unwanted.signal)).toEqual(
        UNWANTED,
      );
      expect(phone.received.length).toBe(before + 1);
    });

    it('that was answered is not cut off by that: the claim decides', async () => {
      const phone = await openPhone(stub);
      const unwanted = new AbortController();
      const call = await phone.call({ dtmf: 7 }, async () => false, unwanted.signal);
      const said = await call.ask(call.placed.answerUrl);
      unwanted.abort();
      expect(await call.ask(askOf(said).url, { key: '7' })).toEqual([{ do: 'hang-up' }]);
    });

    it('tells that it rings and is answered, and then how it ended, with its duration', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      await call.tell('ringing');
      await call.ask(call.placed.answerUrl);
      expect((await call.tell({ status: 'completed', seconds: 41 })).status).toBe(200);
      expect(await call.result).toEqual({ kind: 'accepted', messageId: call.placed.callId });
      const by = { kind: 'hop', hopId: message().hopId };
      expect(phone.reports).toEqual([
        { by, status: 'ringing', errorCode: null, underWay: true },
        { by, status: 'in-progress', errorCode: null, underWay: true },
        { by, status: 'completed', errorCode: null, duration: 41, ...(stub.cost ? { cost: stub.cost } : {}) },
      ]);
      expect(phone.carrier.status?.()).toMatchObject({ state: 'up', inFlight: 0, window: 30 });
    });

    it('repeats the code for key 1, as often as it may, and for no other key', async () => {
      const phone = await openPhone(stub, { voice: { repeats: 2 } });
      const call = await phone.call();
      let said = await call.ask(call.placed.answerUrl);
      for (const left of [1, 0]) {
        said = await call.ask(askOf(said).url, { key: '1' });
        expect(times(said, IN_WORDS)).toBe(3);
        expect(said.filter((each) => each.do === 'ask')).toHaveLength(left > 0 ? 1 : 0);
      }
      expect(phone.claims).toHaveLength(1);
      const other = await phone.call({ recipient: '14155550199' as never });
      const first = await other.ask(other.placed.answerUrl);
      const after = await other.ask(askOf(first).url, { key: '2' });
      expect(after.map((each) => each.do)).toEqual(['say', 'hang-up']);
      expect(times(after, 'seven.')).toBe(0);
    });
  });

  describe(`a call over ${stub.type} that asks for a key`, () => {
    it('asks first, and speaks the code only after that key', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({ dtmf: 7 });
      const said = await call.ask(call.placed.answerUrl);
      expect(said.map((each) => each.do)).toEqual(['ask', 'ask', 'redirect']);
      expect(spoken(said)).toMatch(/Acme\. .*press seven\./i);
      expect(times(said, 'three.')).toBe(0);
      expect(phone.claims).toEqual([]);
      const after = await call.ask(askOf(said).url, { key: '7' });
      expect(times(after, IN_WORDS)).toBe(3);
      expect(phone.claims).toHaveLength(1);
    });

    it('ends with 9110 and without the code when no key is pressed', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({ dtmf: 7 });
      const said = await call.ask(call.placed.answerUrl);
      expect(await call.follow(redirectOf(said))).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 20 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 9110, status: 'failed' });
      expect(phone.claims).toEqual([]);
    });

    it('is 4000, a normal hangup, when the callee hangs up before the key', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({ dtmf: 7 });
      await call.ask(call.placed.answerUrl);
      await call.tell({ status: 'completed', seconds: 3 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 4000, status: 'failed' });
      expect(phone.claims).toEqual([]);
    });

    it('is 4000 too when the provider asks what follows for who has hung up', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({ dtmf: 7 });
      const said = await call.ask(call.placed.answerUrl);
      expect(await call.follow(redirectOf(said), true)).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 3 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 4000 });
    });

    it('is 4000 when the callee hangs up after a wrong key, and could have pressed another', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({ dtmf: 7 });
      const said = await call.ask(call.placed.answerUrl);
      await call.ask(askOf(said).url, { key: '3' });
      await call.tell({ status: 'completed', seconds: 3 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 4000 });
    });

    it('takes no answer for both the key and its absence', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({ dtmf: 7 });
      const said = await call.ask(call.placed.answerUrl);
      await call.ask(askOf(said).url, { key: '7' });
      expect((await phone.push(stub.redirect(call.placed, redirectOf(said)))).status).toBe(404);
      const other = await phone.call({ dtmf: 7, recipient: '14155550199' as never });
      const first = await other.ask(other.placed.answerUrl);
      await other.follow(redirectOf(first));
      expect((await other.fetch(askOf(first).url, { key: '7' })).status).toBe(404);
      expect(phone.claims).toHaveLength(1);
    });

    it('hangs up after as many wrong keys as it asks for', async () => {
      const phone = await openPhone(stub, { voice: { key_asks: 2 } });
      const call = await phone.call({ dtmf: 0 });
      const first = await call.ask(call.placed.answerUrl);
      const second = await call.ask(askOf(first).url, { key: '1' });
      expect(second.map((each) => each.do)).toEqual(['ask', 'redirect']);
      expect(await call.ask(askOf(second).url, { key: '#' })).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 20 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 9110 });
      expect(phone.claims).toEqual([]);
    });

    it('counts a wrong key at the second asking as the second', async () => {
      const phone = await openPhone(stub, { voice: { key_asks: 2 } });
      const call = await phone.call({ dtmf: 0 });
      const [, second] = await call.ask(call.placed.answerUrl);
      expect(await call.ask(askOf([second!]).url, { key: '1' })).toEqual([{ do: 'hang-up' }]);
    });
  });

  describe(`a call over ${stub.type} that is to be confirmed by key 1`, () => {
    const ASKS = /To confirm, press one\. If you did not ask for this call, please hang up\./;
    const THANKS = 'Thank you. Your number is confirmed.';
    const open = async (changes: object = {}, claim?: () => Promise<boolean>, voice: object = {}) => {
      const phone = await openPhone(stub, { voice: { ...voice } });
      const call = await phone.call({ confirmByKey: true, ...changes }, claim);
      return { phone, call };
    };

    it('greets as such, asks for the key, and claims nothing before it comes', async () => {
      const { phone, call } = await open();
      const said = await call.ask(call.placed.answerUrl);
      expect(said.map((each) => each.do)).toEqual(['say', 'ask', 'ask', 'redirect']);
      expect(spoken(said)).toMatch(
        /^Hello\. This call to confirm your phone number is from Acme\. To confirm/,
      );
      // No key counts before it was said who calls.
      for (const each of said) {
        if (each.do === 'ask') expect(each.text).toMatch(new RegExp(`^${ASKS.source}$`));
      }
      expect(phone.claims).toEqual([]);
    });

    it('greets without a brand where there is none', async () => {
      const { call } = await open({ brandName: '' });
      const said = await call.ask(call.placed.answerUrl);
      expect(spoken(said)).toMatch(/^Hello\. This is a call to confirm your phone number\. To confirm/);
    });

    it('says that the number is confirmed once the claim is committed, and is complete', async () => {
      let commit: (ok: boolean) => void = () => {};
      const { phone, call } = await open({}, () => new Promise((resolve) => (commit = resolve)));
      const said = await call.ask(call.placed.answerUrl);
      let answered = false;
      const pressed = call.ask(askOf(said).url, { key: '1' }).finally(() => {
        answered = true;
      });
      await phone.until('the claim', () => phone.claims[0]);
      expect(phone.claims).toEqual([call.placed.callId]);
      expect(answered).toBe(false);
      commit(true);
      const after = await pressed;
      expect(after.map((each) => each.do)).toEqual(['say', 'say', 'hang-up']);
      expect(spoken(after)).toBe(`${THANKS} Goodbye.`);
      await call.tell({ status: 'completed', seconds: 12 });
      expect(await call.result).toEqual({ kind: 'accepted', messageId: call.placed.callId });
      expect(phone.reports.at(-1)).toMatchObject({ status: 'completed', errorCode: null, duration: 12 });
    });

    it('speaks no code, whatever is pressed and whatever key the create asked for', async () => {
      const { phone, call } = await open({ dtmf: 7 });
      const documents: string[] = [];
      const ask = async (at: string, heard?: { key: string }) => {
        const { text } = await call.fetch(at, heard);
        documents.push(text);
        return stub.read(text);
      };
      const said = await ask(call.placed.answerUrl);
      const second = await ask(askOf(said).url, { key: '7' });
      await ask(askOf(second).url, { key: '1' });
      expect(phone.claims).toHaveLength(1);
      expect(documents).toHaveLength(3);
      for (const document of documents) {
        expect(document).not.toContain(CODE);
        expect(document).not.toMatch(/your code is|to hear your code|(seven|three|five|nine|six|four)\b/i);
      }
    });

    it('asks again after another key, and ends with 9110 when that was the last asking', async () => {
      const { phone, call } = await open({}, undefined, { key_asks: 2 });
      const first = await call.ask(call.placed.answerUrl);
      const second = await call.ask(askOf(first).url, { key: '2' });
      expect(second.map((each) => each.do)).toEqual(['ask', 'redirect']);
      expect(spoken(second)).toMatch(new RegExp(`^${ASKS.source}$`));
      expect(await call.ask(askOf(second).url, { key: '#' })).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 20 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 9110, status: 'failed' });
      expect(phone.claims).toEqual([]);
    });

    it('ends with 9110 when nobody presses a key', async () => {
      const { phone, call } = await open();
      const said = await call.ask(call.placed.answerUrl);
      expect(await call.follow(redirectOf(said))).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 20 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 9110, status: 'failed' });
      expect(phone.claims).toEqual([]);
    });

    it('is 4000 when the callee hangs up, as who did not ask for the call is told to', async () => {
      const { phone, call } = await open();
      await call.ask(call.placed.answerUrl);
      await call.tell({ status: 'completed', seconds: 6 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 4000, status: 'failed' });
      expect(phone.claims).toEqual([]);
    });

    it.each([
      ['refused', async () => false],
      ['not possible', () => Promise.reject(new Error('the database is away'))],
    ])('hangs up without a word of confirmation when the claim is %s', async (_, claim) => {
      const { phone, call } = await open({}, claim);
      const said = await call.ask(call.placed.answerUrl);
      expect(await call.ask(askOf(said).url, { key: '1' })).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 8 });
      expect(await call.result).toMatchObject({ kind: 'unavailable', errorCode: 5010, down: false });
      expect(phone.reports.map(({ status }) => status)).toEqual(['in-progress']);
    });

    it.each([{ status: 'completed', seconds: 7 }, { status: 'failed' }] as const)(
      'stays complete when the callee is gone, $status, before the claim is committed',
      async (end) => {
        let commit: (ok: boolean) => void = () => {};
        const { phone, call } = await open({}, () => new Promise((resolve) => (commit = resolve)));
        const said = await call.ask(call.placed.answerUrl);
        const pressed = call.ask(askOf(said).url, { key: '1' });
        await phone.until('the claim', () => phone.claims[0]);
        const told = call.tell(end);
        await phone.until('the end', () => phone.carrier.status?.().counts[`call_${end.status}`]);
        commit(true);
        expect(await pressed).toEqual([{ do: 'hang-up' }]);
        expect(await call.result).toEqual({ kind: 'accepted', messageId: call.placed.callId });
        expect((await told).status).toBe(200);
        expect(phone.reports.at(-1)).toMatchObject({ status: 'completed', errorCode: null });
      },
    );

    it('takes the key once: a repeat of the request confirms nothing more', async () => {
      const { phone, call } = await open();
      const said = await call.ask(call.placed.answerUrl);
      await call.ask(askOf(said).url, { key: '1' });
      expect((await call.fetch(askOf(said).url, { key: '1' })).status).toBe(404);
      expect(phone.claims).toHaveLength(1);
    });

    it('asks no machine', async () => {
      const { phone, call } = await open({}, undefined, { machine_detection: true });
      expect(await call.ask(call.placed.answerUrl, { machine: true })).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 5 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 9100 });
      expect(phone.claims).toEqual([]);
    });

    it.each([
      ['es', 'Polly.Conchita'],
      ['de', 'Polly.Vicki'],
      ['ru', 'Polly.Tatyana'],
    ])('speaks %s throughout', async (locale, voice) => {
      const phrases = PHRASES[locale]!;
      const { call } = await open({ locale });
      const said = await call.ask(call.placed.answerUrl);
      const words = [
        phrases['confirm-greeting-brand'],
        phrases['press-1-to-confirm'],
        phrases['not-requested'],
      ];
      for (const each of words) expect(spoken(said)).toContain(each);
      const after = await call.ask(askOf(said).url, { key: '1' });
      expect(after[0]).toMatchObject({ voice, text: phrases.confirmed });
    });
  });

  describe(`the language of a call over ${stub.type}`, () => {
    it.each([
      ['es', 'Polly.Conchita', 'es-ES', 'siete. tres. cinco.'],
      ['de_AT', 'Polly.Vicki', 'de-DE', 'sieben. drei. fünf.'],
      ['fr_CA', 'Polly.Chantal', 'fr-CA', 'sept. trois. cinq.'],
      ['pt-BR', 'Polly.Vitoria', 'pt-BR', 'sete. três. cinco.'],
      ['ja', 'Polly.Mizuki', 'ja-JP', ''],
      ['ru', 'Polly.Tatyana', 'ru-RU', 'семь. три. пять.'],
      ['en_GB', 'Polly.Amy', 'en-GB', 'seven. three. five.'],
      // No voice anywhere: English words by an English voice.
      ['am', 'Polly.Joanna', 'en-US', 'seven. three. five.'],
      ['xx', 'Polly.Joanna', 'en-US', 'seven. three. five.'],
    ])('%s is spoken by %s', async (locale, voice, language, digits) => {
      const phone = await openPhone(stub);
      const call = await phone.call({ locale });
      const said = await call.ask(call.placed.answerUrl);
      const speaking = said.filter((each) => each.do !== 'hang-up');
      for (const each of speaking) expect(each).toMatchObject({ voice, language });
      expect(spoken(said)).toContain(digits);
    });

    it('may be given another voice, and one of its own where the provider lists none', async () => {
      const name = 'Google.am-ET-Standard-A';
      const phone = await openPhone(stub, { voice: { voices: { am: { name, language: 'am-ET' } } } });
      const call = await phone.call({ locale: 'am' });
      const said = await call.ask(call.placed.answerUrl);
      expect(said[0]).toMatchObject({
        voice: name,
        language: 'am-ET',
        text: expect.stringContaining('ሰባት. ሦስት.'),
      });
    });

    it('survives a brand that is markup', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({ brandName: `</Say><Play>x</Play> & "Co" '\u0007` });
      const said = await call.ask(call.placed.answerUrl);
      expect(spoken(said)).toContain(`</Say><Play>x</Play> & "Co" '`);
    });
  });

  describe(`what a call over ${stub.type} came to`, () => {
    it.each(stub.failures)('%s, %s, is told as %i', async (code, status, errorCode) => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      await call.tell('ringing');
      await call.tell({ status: status as never, code });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode, status });
      expect(phone.claims).toEqual([]);
    });

    it.each([
      ['busy', 'busy', 3010],
      ['no-answer', 'no-answer', 3000],
    ] as const)('%s alone is told too', async (status, told, errorCode) => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      await call.tell({ status });
      expect(await call.result).toMatchObject({ kind: 'refused', status: told, errorCode });
    });

    it.each(['failed', 'canceled'] as const)('a call that %s is left to the next carrier', async (status) => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      await call.tell({ status, code: stub.carriersFault });
      expect(await call.result).toMatchObject({ kind: 'unavailable', down: false });
    });

    it('is that nothing was asked, when the provider could not reach us', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      await call.tell({ status: 'completed', seconds: 2 });
      expect(await call.result).toMatchObject({
        kind: 'unavailable',
        errorCode: 5010,
        reason: expect.stringContaining('COUNTERSIGN_PUBLIC_URL'),
      });
    });

    it('is a failure when the call breaks after the code was given out, and no other carrier is asked', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      await call.ask(call.placed.answerUrl);
      await call.tell({ status: 'failed' });
      expect(await call.result).toEqual({ kind: 'accepted', messageId: call.placed.callId });
      expect(phone.reports.at(-1)).toMatchObject({ status: 'failed' });
    });

    it('is a failure when the callee hung up while the mark was being committed', async () => {
      const phone = await openPhone(stub);
      let commit: (ok: boolean) => void = () => {};
      const mark = new Promise<boolean>((resolve) => {
        commit = resolve;
      });
      const call = await phone.call({}, () => mark);
      const asked = call.ask(call.placed.answerUrl);
      await phone.until('the mark', () => phone.claims[0]);
      const told = call.tell({ status: 'completed', seconds: 1 });
      await phone.until('the end', () => phone.carrier.status?.().counts.call_completed);
      commit(true);
      expect(await asked).toEqual([{ do: 'hang-up' }]);
      expect(await call.result).toMatchObject({ kind: 'accepted' });
      expect((await told).status).toBe(200);
      expect(phone.reports.at(-1)).toMatchObject({ status: 'failed', errorCode: 4000 });
    });

    it.each([
      [{}, true, { kind: 'refused', errorCode: 4000, status: 'failed' }],
      [{ confirmByKey: true, code: '', text: '' }, false, { kind: 'unavailable', errorCode: 5010 }],
    ] as const)('of %j that the callee leaves is over for its mark: %s', async (fields, isOver, expected) => {
      const phone = await openPhone(stub);
      let over: AbortSignal | undefined;
      let refuse = () => {};
      const call = await phone.call(fields, (_, signal) => {
        over = signal;
        return new Promise((resolve) => {
          refuse = () => resolve(false);
        });
      });
      const { confirmByKey } = call.message;
      const asked = confirmByKey
        ? call.ask(askOf(await call.ask(call.placed.answerUrl)).url, { key: '1' })
        : call.ask(call.placed.answerUrl);
      await phone.until('the mark', () => over);
      const told = call.tell({ status: 'completed', seconds: 4 });
      await phone.until('the end', () => phone.carrier.status?.().counts.call_completed);
      expect(over?.aborted).toBe(isOver);
      refuse();
      expect(await asked).toEqual([{ do: 'hang-up' }]);
      expect(await call.result).toMatchObject(expected);
      await told;
    });

    it('is 9100 and no code when a machine answers and the provider is asked to tell', async () => {
      const phone = await openPhone(stub, { voice: { machine_detection: true } });
      const call = await phone.call();
      expect(call.placed.machineDetection).toBe(true);
      expect(await call.ask(call.placed.answerUrl, { machine: true })).toEqual([{ do: 'hang-up' }]);
      await call.tell({ status: 'completed', seconds: 5 });
      expect(await call.result).toMatchObject({ kind: 'refused', errorCode: 9100, status: 'failed' });
      expect(phone.claims).toEqual([]);
    });

    it('is tried elsewhere when the provider tells nothing at all, and the call is ended', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      await call.tell('ringing');
      await phone.environment.advance(135_000);
      expect(await call.result).toMatchObject({ kind: 'unavailable', errorCode: 3070 });
      expect(stub.ended(phone.received.at(-1)!)).toBe(call.placed.callId);
    });

    it('waits for a database that is away, and has the provider tell again', async () => {
      const phone = await openPhone(stub, { answers: ['recorded', 'unavailable', 'recorded'] });
      const call = await phone.call();
      await call.ask(call.placed.answerUrl);
      const told = await call.tell({ status: 'completed', seconds: 9 });
      expect(told.status).toBe(503);
      expect(Number(told.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      await phone.environment.advance(1_000);
      expect(await call.result).toMatchObject({ kind: 'accepted' });
      expect(phone.reports.filter(({ status }) => status === 'completed')).toHaveLength(2);
    });

    it('is recorded by the id of the call when another process placed it', async () => {
      const phone = await openPhone(stub);
      const { placed } = await phone.call();
      const after = await openPhone(stub);
      expect((await after.push(stub.tell(placed, 'ringing'))).status).toBe(200);
      expect((await after.push(stub.tell(placed, { status: 'completed', seconds: 33 }))).status).toBe(200);
      expect(after.reports).toMatchObject([
        { by: { kind: 'message', messageId: placed.callId }, status: 'completed', duration: 33 },
      ]);
    });
  });

  describe(`a request to ${stub.type} for a call`, () => {
    it.each(stub.errors)('that is refused for %s says so', async (_, reply, expected) => {
      const phone = await openPhone(stub, { reply: () => reply });
      const result = await phone.carrier.submit(message({ channel: 'voice' }), async () => true);
      expect(result).toMatchObject(expected);
      expect(JSON.stringify(result)).not.toContain('14155550123');
    });

    it('without an answer is tried elsewhere when no call shows itself, which then could not speak', async () => {
      const phone = await openPhone(stub, { reply: () => ({ status: 200, body: '<html>a portal</html>' }) });
      const call = await phone.call();
      await phone.environment.advance(10_000);
      expect(await call.result).toMatchObject({ kind: 'unavailable', errorCode: 5000, down: true });
      expect((await call.fetch(call.placed.answerUrl)).status).toBe(404);
    });

    it('without an answer goes on when its call shows itself', async () => {
      const phone = await openPhone(stub, { reply: () => ({ status: 200, body: '' }) });
      const call = await phone.call();
      await call.tell('ringing');
      expect(times(await call.ask(call.placed.answerUrl), IN_WORDS)).toBe(3);
      await call.tell({ status: 'completed', seconds: 30 });
      expect(await call.result).toEqual({ kind: 'accepted', messageId: call.placed.callId });
    });

    it('is not made beyond the most calls at a time', async () => {
      const phone = await openPhone(stub, { voice: { calls: 1 } });
      await phone.call();
      const result = await phone.carrier.submit(message({ channel: 'voice' }), async () => true);
      expect(result).toMatchObject({ kind: 'unavailable', errorCode: 3090, down: false, retryAfter: 1_000 });
      expect(phone.received).toHaveLength(1);
    });

    it('that goes on when the carrier stops is ended, and gives no code afterwards', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      await call.tell('ringing');
      await phone.carrier.stop();
      expect(await call.result).toMatchObject({ kind: 'unavailable', reason: 'the server stops' });
      expect(stub.ended(phone.received.at(-1)!)).toBe(call.placed.callId);
      expect((await call.fetch(call.placed.answerUrl)).status).toBe(404);
    });
  });

  describe(`the document of a call over ${stub.type}`, () => {
    it('is answered once: whoever asks again ends the call', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      const first = await call.fetch(call.placed.answerUrl);
      expect(first).toMatchObject({ status: 200, text: expect.stringContaining('seven.') });
      const second = await call.fetch(call.placed.answerUrl);
      expect(second.status).toBe(404);
      expect(stub.read(second.text)).toEqual([{ do: 'hang-up' }]);
      expect(first.headers.get('cache-control')).toBe('no-store');
      expect(second.headers.get('cache-control')).toBe('no-store');
    });

    it('is given to one of two who ask at the same time', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      const both = await Promise.all([1, 2].map(() => call.fetch(call.placed.answerUrl)));
      expect(both.map(({ status }) => status).sort()).toEqual([200, 404]);
    });

    it('is not given for a wrong signature, which spends nothing', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      const right = stub.fetch(call.placed, call.placed.answerUrl);
      const name = Object.keys(right.headers).find((each) => /signature(-v3)?$/.test(each))!;
      const forged = { ...right, headers: { ...right.headers, [name]: 'Zm9yZ2Vk' } };
      const { [name]: _, ...bare } = right.headers;
      for (const wrong of [
        forged,
        { ...right, headers: bare },
        { ...right, body: `${right.body}&Digits=1` },
        { ...stub.fetch(call.placed, call.placed.statusUrl), url: right.url },
      ]) {
        const answer = await phone.push(wrong);
        expect(answer.status).toBe(403);
        expect(answer.text).not.toContain('seven');
      }
      expect(phone.claims).toEqual([]);
      expect((await phone.push(right)).status).toBe(200);
    });

    it('is not given for an unknown token, the one of the status, or none', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      const [base] = call.placed.answerUrl.split('?');
      const status = new URL(call.placed.statusUrl).searchParams.get('token');
      for (const query of ['', '?token=', `?token=${'A'.repeat(32)}`, `?token=${status}`]) {
        const answer = await call.fetch(`${base}${query}`);
        expect(answer.status).toBe(404);
        expect(stub.read(answer.text)).toEqual([{ do: 'hang-up' }]);
      }
      expect((await call.fetch(call.placed.answerUrl)).status).toBe(200);
    });

    it('is not given to another call, which spends nothing', async () => {
      const phone = await openPhone(stub);
      const one = await phone.call();
      const two = await phone.call({ recipient: '14155550177' as never });
      await one.tell('ringing');
      expect((await two.fetch(one.placed.answerUrl)).status).toBe(404);
      expect((await one.fetch(one.placed.answerUrl)).status).toBe(200);
    });

    it('is gone when the call is over, and the next step with it', async () => {
      const phone = await openPhone(stub);
      const one = await phone.call();
      await one.tell({ status: 'no-answer' });
      await one.result;
      expect((await one.fetch(one.placed.answerUrl)).status).toBe(404);
      const two = await phone.call();
      const said = await two.ask(two.placed.answerUrl);
      await two.tell({ status: 'completed', seconds: 3 });
      await two.result;
      expect((await two.fetch(askOf(said).url, { key: '1' })).status).toBe(404);
    });

    it('is gone after a restart', async () => {
      const { placed } = await (await openPhone(stub)).call();
      const after = await openPhone(stub);
      const answer = await after.push(stub.fetch(placed, placed.answerUrl));
      expect(answer.status).toBe(404);
      expect(stub.read(answer.text)).toEqual([{ do: 'hang-up' }]);
    });

    it('leaves nothing of code and token in any log', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call({ dtmf: 7 });
      await call.tell('ringing');
      const said = await call.ask(call.placed.answerUrl);
      const after = await call.ask(askOf(said).url, { key: '7' });
      await call.fetch(call.placed.answerUrl);
      await phone.push({ ...stub.fetch(call.placed, askOf(after).url), headers: {} });
      await call.tell({ status: 'completed', seconds: 30 });
      await call.result;
      const tokens = [call.placed.answerUrl, call.placed.statusUrl, askOf(said).url, askOf(after).url].map(
        (url) => new URL(url).searchParams.get('token')!,
      );
      expect(phone.logged()).toContain('/carriers/gateway/calls/document');
      for (const secret of [CODE, IN_WORDS, 'seven', ...tokens]) expect(phone.logged()).not.toContain(secret);
    });

    it('is refused when the request is not what the provider documents', async () => {
      const phone = await openPhone(stub);
      const call = await phone.call();
      const odd = stub.fetch({ ...call.placed, callId: 'no id' }, call.placed.answerUrl);
      expect((await phone.push(odd)).status).toBe(400);
      expect((await call.fetch(call.placed.answerUrl)).status).toBe(200);
    });
  });

  describe(`the settings of calls over ${stub.type}`, () => {
    it('need an address at which the provider reaches this server', () => {
      const context = { ...publicContext(), publicUrl: null };
      expect(() => carrierOf(stub.type, stub.settings, context)).toThrow(
        /^channels: voice needs COUNTERSIGN_PUBLIC_URL/,
      );
    });

    it('come with the channel', () => {
      const settings = { ...stub.settings, channels: ['sms'] };
      expect(() => carrierOf(stub.type, settings)).toThrow(/^voice: expected voice among channels/);
      const both = carrierOf(stub.type, { ...stub.settings, channels: ['sms', 'voice'] });
      expect(both).toMatchObject({ channels: ['sms', 'voice'], window: 286 });
      expect(typeNamed(stub.type).channels(stub.settings)).toEqual(['voice']);
    });
  });
}
