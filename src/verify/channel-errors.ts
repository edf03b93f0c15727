import type { Channel } from './model.js';

/** Channel error codes and what they mean, as the SDKs' users know them (contract §7). */
export const CHANNEL_ERRORS: Readonly<Record<Channel, ReadonlyMap<number, string>>> = {
  sms: new Map([
    [10, 'invalid message'],
    [20, 'network error'],
    [30, 'spam detected'],
    [40, 'invalid source number'],
    [50, 'invalid destination number'],
    [60, 'loop detected'],
    [70, 'destination permanently unavailable'],
    [80, 'destination temporarily unavailable'],
    [90, 'no route available'],
    [100, 'prohibited by carrier'],
    [110, 'message too long'],
    [200, 'recipient opted out (STOP)'],
    [450, 'destination country barred'],
    [451, 'hourly threshold exceeded'],
    [452, 'potential SMS pumping'],
    [1000, 'unknown'],
  ]),
  voice: new Map([
    [2000, 'invalid destination address'],
    [2010, 'destination out of service'],
    [2030, 'destination country barred'],
    [2040, 'premium number barred'],
    [3000, 'no answer'],
    [3010, 'busy line'],
    [3020, 'rejected'],
    [3040, 'forbidden'],
    [3050, 'unallocated number'],
    [3070, 'request timeout'],
    [3080, 'carrier internal error'],
    [3090, 'network congestion'],
    [3110, 'declined'],
    [3120, 'user does not exist anywhere'],
    [4000, 'normal hangup'],
    [5000, 'network error'],
    [5010, 'internal error'],
    [5020, 'routing error'],
    [6000, 'maximum duration'],
    [6010, 'ring timeout'],
    [6020, 'media timeout'],
    [9100, 'machine detected'],
    [9110, 'confirm key challenge failed'],
  ]),
};

/** The code of a failure that nobody explained. */
export const UNEXPLAINED: Readonly<Record<Channel, number>> = { sms: 1000, voice: 5010 };

/** The code of an SMS whose recipient opted out (STOP). */
export const OPTED_OUT = 200;

/** The code of a carrier that could not be reached or did not answer. */
export const NETWORK_ERROR: Readonly<Record<Channel, number>> = { sms: 20, voice: 5000 };

/** Whether the channel's table has this code. */
export function isErrorOf(channel: Channel, code: number): boolean {
  return CHANNEL_ERRORS[channel].has(code);
}
