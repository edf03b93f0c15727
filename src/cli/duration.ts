const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds of a time such as `90`, `90s`, `15m`, `24h` or `7d`; null for what is none. */
export function parseDuration(text: string): number | null {
  const [, digits, unit] = /^([0-9]{1,9})([smhd]?)$/.exec(text) ?? [];
  if (digits === undefined) return null;
  return Number(digits) * UNITS[(unit || 's') as keyof typeof UNITS];
}
