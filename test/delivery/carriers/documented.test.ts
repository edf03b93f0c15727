import { describe, expect, it } from 'vitest';
import { read } from '../../repository/markdown.js';
import { awsSnsStub, snsError } from '../../support/providers/aws-sns.js';
import { messagebirdError, messagebirdStub } from '../../support/providers/messagebird.js';
import { type ProviderStub, type Reply, serveProvider } from '../../support/providers/server.js';
import { sinchError, sinchStub } from '../../support/providers/sinch.js';
import { telnyxError, telnyxStub } from '../../support/providers/telnyx.js';
import { twilioError, twilioStub } from '../../support/providers/twilio.js';
import { vonageError, vonageStub } from '../../support/providers/vonage.js';
import { carrierOf } from './mount.js';
import { serveReceipts } from './provider-suite.js';
import { message } from './support.js';

/** The rows of a table of two columns below a heading of a carrier's page. */
function rows(type: string, heading: string): [codes: string[], meaning: string][] {
  const [, section = ''] = read(`docs/carriers/${type}.md`).split(`## ${heading}\n`);
  const table = section.split('\n## ')[0]!;
  return [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)]
    .map(
      ([, codes, meaning]) =>
        [codes!.match(/[A-Za-z_]{4,}|\b[0-9]+\b/g) ?? [], meaning!] as [string[], string],
    )
    .filter(([, meaning]) => /^(refused|next carrier|in trouble), [0-9]+$|^[0-9]+$/.test(meaning));
}

const MEANINGS: Readonly<Record<string, object>> = {
  refused: { kind: 'refused' },
  'next carrier': { kind: 'unavailable', down: false },
  'in trouble': { kind: 'unavailable', down: true },
};

const submits: readonly (readonly [ProviderStub, (code: string) => Reply])[] = [
  [twilioStub, (code) => twilioError(400, Number(code))],
  [telnyxStub, (code) => telnyxError(422, code)],
  [vonageStub, (code) => vonageError(422, code)],
  [sinchStub, (code) => sinchError(400, code)],
  [awsSnsStub, (code) => snsError(400, code)],
];

describe.each(submits)('the page of a carrier (number %#)', (stub, reply) => {
  it('tells what each error of a submit means as it is', async () => {
    const table = rows(stub.type, 'Errors of a submit').filter(([codes]) => !codes.includes('about'));
    expect(table.length).toBeGreaterThan(3);
    let code = '';
    const { url } = await serveProvider(() => reply(code));
    const carrier = carrierOf(stub.type, { ...stub.settings, base_url: url });
    for (const [codes, meaning] of table) {
      const [kind = '', errorCode] = meaning.split(', ');
      for (code of codes) {
        const result = await carrier.submit(message());
        expect(result, code).toMatchObject({ ...MEANINGS[kind], errorCode: Number(errorCode) });
        expect(result, code).toHaveProperty('reason', expect.stringContaining(`error ${code}: `));
      }
    }
  });
});

it('the page of messagebird tells what each error of a submit means as it is', async () => {
  let reply: Reply = messagebirdStub.unauthorized;
  const { url } = await serveProvider(() => reply);
  const carrier = carrierOf('messagebird', { ...messagebirdStub.settings, base_url: url });
  for (const [codes, meaning] of rows('messagebird', 'Errors of a submit')) {
    const [kind = '', errorCode] = meaning.split(', ');
    const parameter = codes.find((code) => ['recipients', 'body', 'originator'].includes(code)) ?? null;
    for (const code of codes.filter((each) => /^[0-9]+$/.test(each))) {
      reply = messagebirdError(422, Number(code), parameter);
      expect(await carrier.submit(message()), code).toMatchObject({
        ...MEANINGS[kind],
        errorCode: Number(errorCode),
      });
    }
  }
});

const failures: readonly (readonly [ProviderStub, status: string])[] = [
  [twilioStub, 'undelivered'],
  [telnyxStub, 'delivery_failed'],
  [vonageStub, 'undeliverable'],
  [messagebirdStub, 'delivery_failed'],
  [sinchStub, 'Failed'],
];

describe.each(failures)('the page of a carrier (number %#)', (stub, status) => {
  it('tells what each error of a receipt means as it is', async () => {
    const table = rows(stub.type, 'Receipts').map(
      ([codes, meaning]) => [codes.filter((code) => /^[0-9]+$/.test(code)), Number(meaning)] as const,
    );
    expect(table.length).toBeGreaterThan(5);
    const { context, receive } = await serveReceipts(stub);
    for (const [codes, errorCode] of table) {
      for (const error of codes) {
        expect((await receive({ status, error })).status).toBe(200);
        expect(context.reports.at(-1)?.errorCode, error).toBe(errorCode);
      }
    }
  });
});
