const FIRST_STRONG_ISOLATE = '\u2068';
const POP_DIRECTIONAL_ISOLATE = '\u2069';

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

const BETWEEN_LETTERS = /^\p{L}(?:.*[\p{L}\p{M}])?$/su;

/** Whether phones show the template from right to left: its first letter outside the placeholders says so. */
export function isRightToLeft(template: string): boolean {
  const letter = /\p{L}/u.exec(template.replace(/\$\{[^}]*\}/g, ''))?.[0];
  return letter !== undefined && RIGHT_TO_LEFT.test(letter);
}

/**
 * The brand as it goes into a template. Between Arabic or Hebrew words a name such as `Acme!` or `1-A` would be
 * shown as `!Acme` or `A-1`, so it is isolated (UAX #9 §2.4.2). Nothing else is: digits of a code keep their
 * order by themselves, names of letters too, the marks cost two characters of 70, and phones from before 2013
 * show them as boxes.
 */
export function directed(brand: string, template: string): string {
  if (brand === '' || holdsTogether(brand) || !isRightToLeft(template)) return brand;
  return FIRST_STRONG_ISOLATE + brand + POP_DIRECTIONAL_ISOLATE;
}

/** Whether a name keeps its order inside any text: letters of one direction, at both ends too (UAX #9, N1 and N2). */
function holdsTogether(brand: string): boolean {
  if (!BETWEEN_LETTERS.test(brand)) return false;
  const directions = (brand.match(/\p{L}/gu) ?? []).map((letter) => RIGHT_TO_LEFT.test(letter));
  return new Set(directions).size === 1;
}
