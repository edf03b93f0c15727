import type { AddressInfo } from 'node:net';
import smpp, { type LibraryPdu, type Session } from 'smpp';

/** What an SMSC of the bench saw since it was last asked. */
export interface SmscReport {
  readonly submits: number;
  /** Receipts that were answered with `ESME_ROK`. */
  readonly receipts: number;
  /** When each destination's `submit_sm` was read, milliseconds since 1970 with fractions. */
  readonly arrivals: readonly (readonly [destination: string, at: number])[];
}

/** `count` forgets what was seen and goes on; arrivals are kept only where they are wanted. */
export type SmscOrder = { readonly kind: 'report' } | { readonly kind: 'count'; readonly arrivals: boolean };

/*
 * An SMSC, a process of its own, by the npm package `smpp` alone: it answers each `submit_sm` at once and sends its
 * receipt right after. Says its port when it listens.
 */
let submits = 0;
let receipts = 0;
let wanted = false;
let arrivals: [string, number][] = [];
let number = 0;

const server = smpp.createServer({}, (session: Session) => {
  session.on('bind_transceiver', (pdu: LibraryPdu) => session.send(pdu.response({ system_id: 'bench' })));
  session.on('enquire_link', (pdu: LibraryPdu) => session.send(pdu.response()));
  session.on('unbind', (pdu: LibraryPdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('error', () => session.close());
  session.on('submit_sm', (pdu: LibraryPdu) => {
    submits++;
    if (wanted) arrivals.push([String(pdu.destination_addr), performance.timeOrigin + performance.now()]);
    const id = (++number).toString(16).padStart(8, '0');
    session.send(pdu.response({ message_id: id }));
    session.deliver_sm(
      {
        source_addr: pdu.destination_addr,
        destination_addr: pdu.source_addr,
        esm_class: 4,
        short_message: `id:${id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:`,
      },
      (answer: LibraryPdu) => {
        if (answer.command_status === 0) receipts++;
      },
    );
  });
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));

process.on('message', (order: SmscOrder) => {
  const report: SmscReport = { submits, receipts, arrivals };
  if (order.kind === 'count') {
    submits = 0;
    receipts = 0;
    arrivals = [];
    wanted = order.arrivals;
  }
  process.send!(report);
});
