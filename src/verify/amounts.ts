/**
 * Amounts of money are whole numbers of 10^-8 of a currency: sums and products of them are exact, and there is no
 * division. One price fits a safe integer; what is computed from prices is a bigint.
 */

/** Most digits after the point that an amount may have. */
export const AMOUNT_DECIMALS = 8;
const PRICE = /^([0-9]{1,6})(?:\.([0-9]{1,8}))?$/;

/**
 * The amount that a price such as `0.021` is.
 * @param text at most 6 digits, and at most `AMOUNT_DECIMALS` after a point
 * @throws RangeError for anything else
 */
export function parsePrice(text: string): number {
  const [, whole, fraction = ''] = PRICE.exec(text) ?? [];
  if (whole === undefined) throw new RangeError('a price is a decimal number of at most 6 and 8 digits');
  return Number(BigInt(whole + fraction.padEnd(AMOUNT_DECIMALS, '0')));
}

/** How many digits after the point the amount needs to be shown exactly. */
export function decimalsOf(amount: bigint): number {
  const fraction = (amount % 10n ** BigInt(AMOUNT_DECIMALS)).toString().padStart(AMOUNT_DECIMALS, '0');
  return fraction.replace(/0+$/, '').length;
}

/**
 * An amount (not negative) as a decimal number with that many digits after the point, more where it would not be
 * exact otherwise.
 * @param decimals 0 to `AMOUNT_DECIMALS`
 */
export function formatAmount(amount: bigint, decimals: number): string {
  const digits = amount.toString().padStart(AMOUNT_DECIMALS + 1, '0');
  const whole = digits.slice(0, -AMOUNT_DECIMALS);
  const shown = Math.max(decimals, decimalsOf(amount));
  return shown === 0 ? whole : `${whole}.${digits.slice(-AMOUNT_DECIMALS).slice(0, shown)}`;
}
