/** Longest template, in characters: three segments of an SMS. */
export const MAX_TEMPLATE_LENGTH = 459;

const REQUIRED = ['brand_name', 'code'].map((name) => `\${${name}}`);
/** Line breaks are part of a message; other control characters are not. */
const UNPRINTABLE = /[^\P{Cc}\n]/u;

/** What is wrong with a message template, as the end of a sentence that begins with its name; null: nothing. */
export function checkTemplate(template: string): string | null {
  if (template.length > MAX_TEMPLATE_LENGTH) return `is longer than ${MAX_TEMPLATE_LENGTH} characters`;
  if (UNPRINTABLE.test(template)) return 'has control characters other than line breaks';
  const missing = REQUIRED.filter((placeholder) => !template.includes(placeholder));
  return missing.length > 0 ? `must contain ${missing.join(' and ')}` : null;
}
