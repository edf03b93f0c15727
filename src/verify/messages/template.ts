import type { Check } from './check.js';
import { DEFAULT_TEMPLATES, type DefaultTemplate } from './default-templates.js';
import { localesTried } from './locales.js';

const BRAND = '$' + '{brand_name}';
const CODE = '$' + '{code}';

/** Most UTF-16 units of an application's template. */
export const MAX_TEMPLATE_LENGTH = 500;

const PLACEHOLDER = /\$\{(brand_name|code)\}/g;

/** Where a missing brand leaves no gap: brackets around it, a colon and a space after it, or the comma and space before it. */
const NO_BRAND = (() => {
  const brand = String.raw`(?:\[\$\{brand_name\}\]|\(\$\{brand_name\}\)|\$\{brand_name\})`;
  return new RegExp(`,? ?${brand}(?=[.,;!?]|\\s*$)|${brand}:? ?`, 'g');
})();

/**
 * Checks the template that an application sets (contract §9). Null or empty means the default message in the
 * locale of each attempt, and is ''. Otherwise both placeholders are required and no other is known. `why`
 * completes "template …".
 */
export function checkTemplate(text: string | null): Check {
  if (text === null || text === '') return { ok: true, value: '' };
  const template = text.replaceAll('\r\n', '\n');
  if (template.length > MAX_TEMPLATE_LENGTH) {
    return { ok: false, why: `is longer than ${MAX_TEMPLATE_LENGTH} characters` };
  }
  if (/[^\P{Cc}\n]/u.test(template)) {
    return { ok: false, why: 'contains a control character other than a line break' };
  }
  if (/\p{Surrogate}/u.test(template)) return { ok: false, why: 'contains half a character' };
  for (const placeholder of [BRAND, CODE]) {
    if (!template.includes(placeholder)) return { ok: false, why: `does not contain ${placeholder}` };
  }
  if (template.replace(PLACEHOLDER, '').includes('$' + '{')) {
    return { ok: false, why: `contains a placeholder other than ${BRAND} and ${CODE}` };
  }
  return { ok: true, value: template };
}

/**
 * The template of an attempt, chosen when it is accepted: the application's own, or (where that is empty) the
 * default one in the attempt's locale, or the nearest to it.
 */
export function chooseTemplate(wanted: {
  readonly template: string;
  readonly locale: string;
  readonly brandName: string;
}): string {
  if (wanted.template !== '') return wanted.template;
  const { named, nameless } = defaultTemplate(wanted.locale);
  return wanted.brandName.trim() === '' ? nameless : named;
}

/** The default message in a locale, else in its language, else in English. */
export function defaultTemplate(locale: string): DefaultTemplate {
  const found = localesTried(locale).find((each) => Object.hasOwn(DEFAULT_TEMPLATES, each));
  return DEFAULT_TEMPLATES[found ?? 'en']!;
}

/**
 * Puts brand and code in the place of the placeholders, literally: a placeholder in a brand means nothing. An
 * empty brand takes the punctuation that belongs to it along, but cannot mend the grammar of the sentence.
 */
export function fillTemplate(template: string, brand: string, code: string): string {
  const present = brand === '' ? template.replace(NO_BRAND, '') : template;
  return present.replace(PLACEHOLDER, (_, name) => (name === 'code' ? code : brand));
}
