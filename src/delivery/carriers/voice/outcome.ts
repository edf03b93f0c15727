import type { AttemptStatus } from '../../../verify/model.js';
import type { SubmitResult } from '../../carrier.js';

/** Errors that are the recipient's or the callee's doing: another carrier would meet the same. */
const OF_THE_RECIPIENT: ReadonlySet<number> = new Set([
  2000, 2010, 3000, 3010, 3020, 3050, 3110, 3120, 4000, 6010, 9100, 9110,
]);

/** What a call that ended before the code was spoken means for its attempt. */
export function notBrought(
  status: Extract<AttemptStatus, 'busy' | 'no-answer' | 'failed'>,
  errorCode: number,
  reason: string,
): SubmitResult {
  return OF_THE_RECIPIENT.has(errorCode)
    ? { kind: 'refused', errorCode, reason, status }
    : { kind: 'unavailable', errorCode, reason, down: false };
}
