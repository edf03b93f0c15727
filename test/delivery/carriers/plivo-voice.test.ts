import { describe, expect, it } from 'vitest';
import { plivoPush } from '../../support/providers/plivo.js';
import { plivoCalls } from '../../support/providers/plivo-calls.js';
import { callSuite } from './voice/call-suite.js';
import { openPhone } from './voice/support.js';

callSuite(plivoCalls);

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
