// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of templates have this form
import { describe, expect, it } from 'vitest';
import { DEFAULT_TEMPLATES } from '#verify/messages/default-templates.js';
import { checkTemplate, chooseTemplate, MAX_TEMPLATE_LENGTH } from '#verify/messages/template.js';

describe('§9 a template', () => {
  it.each([
    '${brand_name}: ${code}',
    '${code} is your ${brand_name} code.\nBye.',
    '验证码 ${code}【${brand_name}】',
    '$5 ${code} ${brand_name} {x}',
  ])('%j is good', (template) => {
    expect(checkTemplate(template)).toEqual({ ok: true, value: template });
  });

  it('that is null or empty means the default one', () => {
    expect(checkTemplate(null)).toEqual({ ok: true, value: '' });
    expect(checkTemplate('')).toEqual({ ok: true, value: '' });
  });

  it('has plain line breaks', () => {
    expect(checkTemplate('${brand_name}\r\n${code}')).toEqual({ ok: true, value: '${brand_name}\n${code}' });
  });

  it.each([
    ['${brand_name}', 'does not contain ${code}'],
    ['Your code is ${code}.', 'does not contain ${brand_name}'],
    ['$(code) ${brand_name}', 'does not contain ${code}'],
    [' ', 'does not contain ${brand_name}'],
    ['${brand_name} ${code} ${name}', 'contains a placeholder other than ${brand_name} and ${code}'],
    ['${brand_name} ${code} ${Code}', 'contains a placeholder other than ${brand_name} and ${code}'],
    ['${brand_name} ${code} ${', 'contains a placeholder other than ${brand_name} and ${code}'],
    ['${brand_name} ${code}\0', 'contains a control character other than a line break'],
    ['${brand_name} ${code}\u001b[0m', 'contains a control character other than a line break'],
    ['${brand_name} ${code} \ud83d', 'contains half a character'],
    [`\${brand_name} \${code}${'x'.repeat(MAX_TEMPLATE_LENGTH)}`, 'is longer than 500 characters'],
  ])('%j is refused', (template, why) => {
    expect(checkTemplate(template)).toEqual({ ok: false, why });
  });

  it('may be as long as the bound', () => {
    const template = '${brand_name} ${code}'.padEnd(MAX_TEMPLATE_LENGTH, '.');
    expect(checkTemplate(template)).toEqual({ ok: true, value: template });
  });
});

describe('the template of an attempt', () => {
  const choose = (template: string, locale: string, brandName = 'Acme') =>
    chooseTemplate({ template, locale, brandName });

  it('is the application’s own in every locale', () => {
    expect(choose('${brand_name} ${code}', 'fr')).toBe('${brand_name} ${code}');
    expect(choose('${brand_name} ${code}', 'fr', '')).toBe('${brand_name} ${code}');
  });

  it('is else the default one in the locale, as it reads with or without a brand', () => {
    expect(choose('', 'fr_CA')).toBe(DEFAULT_TEMPLATES.fr!.named);
    expect(choose('', 'fr_CA', '')).toBe(DEFAULT_TEMPLATES.fr!.nameless);
    expect(choose('', 'fr_CA', '  ')).toBe(DEFAULT_TEMPLATES.fr!.nameless);
  });
});
