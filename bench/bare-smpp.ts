import smpp, { type LibraryPdu } from 'smpp';

export interface BareSmppPlan {
  readonly port: number;
  readonly seconds: number;
  readonly window: number;
}

export interface SmppRate {
  /** `submit_sm` that were answered, and receipts that came, a second, until the last receipt. */
  readonly rate: number;
}

/*
 * The yardstick: the npm package `smpp` as client, one bind, a window of submits, every receipt answered at once.
 * Nothing is kept and nothing is waited for but the answers.
 */
process.on('message', ({ port, seconds, window }: BareSmppPlan) => {
  const started = performance.now();
  const end = started + seconds * 1000;
  let submitted = 0;
  let receipts = 0;
  let open = 0;
  const session = smpp.connect({ url: `smpp://127.0.0.1:${port}` }, () => {
    session.bind_transceiver({ system_id: 'bare', password: 'secret' }, () => {
      for (let each = 0; each < window; each++) submit();
    });
  });
  const finish = () => {
    if (open > 0 || receipts < submitted) return;
    const rate = submitted / ((performance.now() - started) / 1000);
    session.close();
    process.send!({ rate } satisfies SmppRate);
  };
  session.on('error', (error: Error) => {
    throw error;
  });
  session.on('deliver_sm', (pdu: LibraryPdu) => {
    receipts++;
    session.send(pdu.response());
    if (performance.now() >= end) finish();
  });
  const submit = () => {
    if (performance.now() >= end) return finish();
    open++;
    submitted++;
    const fields = {
      source_addr_ton: 5,
      source_addr: 'Acme',
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      destination_addr: `1415${2_000_000 + submitted}`,
      registered_delivery: 1,
      short_message: 'Your Acme verification code is 123456. It expires in 10 minutes; do not share it.',
    };
    session.submit_sm(fields, () => {
      open--;
      submit();
    });
  };
});
