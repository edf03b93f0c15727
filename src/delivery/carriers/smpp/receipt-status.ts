import { errorKey, type ReceiptSettings } from './settings.js';

/** Channel status and error code (contract §6, §7) that a receipt stands for. */
export interface ReceiptMeaning {
  readonly status: 'sent' | 'delivered' | 'undelivered';
  readonly errorCode: number | null;
}

const sent: ReceiptMeaning = { status: 'sent', errorCode: null };
const delivered: ReceiptMeaning = { status: 'delivered', errorCode: null };
const undelivered = (errorCode: number): ReceiptMeaning => ({ status: 'undelivered', errorCode });

/** `message_state` (SMPP 3.4 §5.2.28, 5.0 §4.7.15) and what it stands for. */
export const MESSAGE_STATES: readonly ReceiptMeaning[] = [
  sent, // SCHEDULED
  sent, // ENROUTE
  delivered, // DELIVERED
  undelivered(80), // EXPIRED
  undelivered(100), // DELETED
  undelivered(70), // UNDELIVERABLE
  sent, // ACCEPTED
  undelivered(1000), // UNKNOWN
  undelivered(100), // REJECTED
  undelivered(1000), // SKIPPED
];

/** `stat` of Appendix B by its first letters, since dialects write it out or shorten it in their own way. */
const STATES: readonly (readonly [beginning: string, state: number])[] = [
  ['SCHED', 0],
  ['ENROUTE', 1],
  ['EN_ROUTE', 1],
  ['BUFFERED', 1],
  ['DELIV', 2],
  ['EXPIRED', 3],
  ['DELET', 4],
  ['UNDEL', 5],
  ['FAIL', 5],
  ['ACCEPT', 6],
  ['ACKED', 6],
  ['UNKN', 7],
  ['REJECT', 8],
  ['SKIPPED', 9],
];

/** MAP errors of GSM networks (3GPP TS 29.002 §17.6.6), which `network_error_code` of type 3 holds. */
export const GSM_ERRORS: ReadonlyMap<number, number> = new Map([
  [1, 50], // unknown subscriber
  [5, 50], // unidentified subscriber
  [6, 80], // absent subscriber (SMS)
  [9, 70], // illegal subscriber
  [11, 70], // teleservice not provisioned
  [12, 70], // illegal equipment
  [13, 100], // call barred
  [21, 70], // facility not supported
  [27, 80], // absent subscriber
  [31, 80], // subscriber busy
  [32, 80], // delivery failure in the phone
  [33, 80], // message waiting list full
  [34, 20], // system failure
]);

const GSM_NETWORK = 3;

/** The `message_state` that a `stat` stands for; null for one that nobody knows. */
export function stateOf(stat: string): number | null {
  const upper = stat.toUpperCase();
  if (/^[0-9]$/.test(upper)) return Number(upper);
  return STATES.find(([beginning]) => upper.startsWith(beginning))?.[1] ?? null;
}

/** A carrier's error: from the TLV, with the kind of network, or from the text. */
export interface CarrierError {
  readonly code: string;
  readonly network: number | null;
}

/**
 * What a receipt stands for. The error code of a failure is the operator's for the carrier's own error where one
 * is configured, then the GSM network's, then that of the state.
 * @returns null for a state that SMPP does not have
 */
export function meaningOfReceipt(
  state: number,
  error: CarrierError | null,
  { errors }: Pick<ReceiptSettings, 'errors'>,
): ReceiptMeaning | null {
  const meaning = MESSAGE_STATES[state];
  if (!meaning || meaning.errorCode === null || error === null) return meaning ?? null;
  const own = errors.get(errorKey(error.code));
  const network = error.network === GSM_NETWORK ? GSM_ERRORS.get(Number(error.code)) : undefined;
  return { ...meaning, errorCode: own ?? network ?? meaning.errorCode };
}
