import type { SubmitResult } from '#delivery/carrier.js';
import { systemEnvironment } from '#environment.js';
import { createLog } from '#telemetry/log.js';
import type { Recipient } from '#verify/model.js';
import { SHIPPED_SPEECH } from '../test/support/speech.js';
import type { BareSmppPlan, SmppRate } from './bare-smpp.js';

// The built carrier, as the server runs it.
const { smpp }: typeof import('#delivery/carriers/smpp/index.js') = await import(
  new URL('../dist/delivery/carriers/smpp/index.js', import.meta.url).href
);

/*
 * The `smpp` carrier alone, without a database: what it costs to speak the protocol. Every receipt is read, understood
 * and answered.
 */
process.on('message', async ({ port, seconds, window }: BareSmppPlan) => {
  let receipts = 0;
  let submitted = 0;
  const carrier = smpp.create(
    { host: '127.0.0.1', port, system_id: 'bench', password: 'secret', sender: 'Acme', window },
    {
      name: 'bench',
      environment: systemEnvironment,
      log: createLog('silent'),
      report: async () => {
        receipts++;
        return 'recorded';
      },
      inbound: async () => 'recorded',
      share: { index: 0, count: 1 },
      publicUrl: null,
      speech: SHIPPED_SPEECH,
    },
  );
  carrier.start?.();
  const submit = (): Promise<SubmitResult> =>
    carrier.submit({
      hopId: `bench.${submitted}`,
      attempt: 'bench',
      session: 'bench',
      channel: 'sms',
      recipient: `1415${2_000_000 + submitted++}` as Recipient,
      text: 'Your Acme verification code is 123456. It expires in 10 minutes; do not share it.',
      code: '123456',
      locale: 'en',
      brandName: 'Acme',
      dtmf: null,
      confirmByKey: false,
      src: null,
      sender: null,
      parameters: {},
      expiresAt: Date.now() + 600_000,
    });
  while ((await submit()).kind !== 'accepted') await new Promise((resolve) => setTimeout(resolve, 20));
  while (receipts < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  submitted = 0;
  receipts = 0;
  const started = performance.now();
  const end = started + seconds * 1000;
  await Promise.all(
    Array.from({ length: window }, async () => {
      while (performance.now() < end) {
        const result = await submit();
        if (result.kind !== 'accepted') throw new Error(`the SMSC did not take a message: ${result.reason}`);
      }
    }),
  );
  while (receipts < submitted) await new Promise((resolve) => setTimeout(resolve, 1));
  const rate = submitted / ((performance.now() - started) / 1000);
  await carrier.stop();
  process.send!({ rate } satisfies SmppRate);
});
