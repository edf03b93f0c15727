import { describe, expect, it } from 'vitest';
import { plivoPush } from '../../support/providers/plivo.js';
import { plivoCalls } from '../../support/providers/plivo-calls.js';
import { callSuite } from './voice/call-suite.js';
import { openPhone } from './voice/support.js';

callSuite(plivoCalls);

describe('a machine that Plivo tells', () => {
  it.each([false, true])('by its hangup fails the attempt with 9100, spoken to: %s', async (isSpokenTo) => {
    const phone = await openPhone(plivoCalls, { voice: { machine_detection: true } });
    const call = await phone.call();
    if (isSpokenTo) await call.ask(call.placed.answerUrl);
    await call.tell({ status: 'completed', seconds: 4, code: '9100' });
    const result = await call.result;
    if (isSpokenTo) expect(phone.reports.at(-1)).toMatchObject({ status: 'failed', errorCode: 9100 });
    else expect(result).toMatchObject({ kind: 'refused', errorCode: 9100 });
  });
});

describe('a document asked for by Plivo', () => {
  it('needs the signature that covers the token: V2 does not', async () => {
    const phone = await openPhone(plivoCalls);
    const { placed } = await phone.call();
    const { url, body } = plivoCalls.fetch(placed, placed.answerUrl);
    const parameters = Object.fromEntries(new URLSearchParams(body));
    const answer = await phone.push(plivoPush(url, parameters, 2));
    expect(answer).toMatchObject({ status: 403, json: { error: 'x-plivo-signature-v3: is missing' } });
  });

  it('is not for the call of another request', async () => {
    const phone = await openPhone(plivoCalls);
    const { placed } = await phone.call();
    const other = plivoCalls.fetch({ ...placed, to: '14155550188' }, placed.answerUrl);
    expect((await phone.push(other)).status).toBe(404);
  });
});
