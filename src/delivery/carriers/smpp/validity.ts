/** Many SMSCs count in minutes and refuse less than one. */
const SHORTEST = 60_000;
/** A relative period is years, months, days and so on of two digits; days alone reach this far. */
const LONGEST_DAYS = 99;

/**
 * `validity_period` (§7.1.1): how long, or until when in UTC, the SMSC may go on trying.
 * @param expiresAt UTC milliseconds
 * @param now UTC milliseconds
 */
export function validityPeriod(
  form: 'relative' | 'absolute' | 'none',
  expiresAt: number,
  now: number,
): string {
  if (form === 'none') return '';
  const period = Math.max(expiresAt - now, SHORTEST);
  if (form === 'absolute') {
    // `YYMMDDhhmmsstnnp`: tenths of seconds, then quarters of an hour from UTC.
    return `${new Date(now + period)
      .toISOString()
      .replace(/[-:TZ]|\.\d+/g, '')
      .slice(2)}000+`;
  }
  const seconds = Math.floor(period / 1000);
  const days = Math.min(Math.floor(seconds / 86_400), LONGEST_DAYS);
  const parts = [0, 0, days, Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map((part) => String(part).padStart(2, '0')).join('')}000R`;
}
