/** The timers of RFC 3261 §17 and table 4, in milliseconds. */
export const T1 = 500;
export const T2 = 4_000;
export const T4 = 5_000;
/** Timers B, F, H, J, L and M: how long a transaction can take. */
export const TRANSACTION_TIME = 64 * T1;
/** Timer D, over UDP. */
export const WAIT_FOR_REPEATS = 32_000;
