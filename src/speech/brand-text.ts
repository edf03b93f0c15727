/** Longer names are not spoken: half of one would be another name. As much as a create takes. */
const MAX_LENGTH = 50;

/**
 * A brand name as it may be given to a program: letters, digits and the marks of names, beginning with a letter or a
 * digit, so that no program takes it for an option, for markup or for a path. Null when nothing is left to speak.
 */
export function speakable(brand: string): string | null {
  if (brand.length > MAX_LENGTH) return null;
  const text = brand
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}&.,'’+!#·-]+/gu, ' ')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .trim();
  return text === '' ? null : text;
}

/** What names that differ only in case, in kinds of space, or in marks that no file name can have, have in common. */
export function brandKey(brand: string): string {
  return brand
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{Cc}_/\\:*?"<>|]+/gu, ' ')
    .trim();
}
