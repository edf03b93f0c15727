import { describe, expect, it } from 'vitest';
import { readApplicationFields } from '#verify/application-fields.js';
import { checkTemplate, MAX_TEMPLATE_LENGTH } from '#verify/template-check.js';

const BOTH = `\${brand_name}: \${code}`;

describe('a template', () => {
  it('has both placeholders', () => {
    expect(checkTemplate(BOTH)).toBeNull();
    expect(checkTemplate(`\${code}`)).toBe(`must contain \${brand_name}`);
    expect(checkTemplate(`\${brand_name}`)).toBe(`must contain \${code}`);
    expect(checkTemplate('code')).toBe(`must contain \${brand_name} and \${code}`);
  });

  it('may have line breaks and no other control characters, and has a maximum length', () => {
    expect(checkTemplate(`${BOTH}\nnot a word to anyone`)).toBeNull();
    expect(checkTemplate(`${BOTH}\u0007`)).toMatch(/control characters/);
    expect(checkTemplate(BOTH.padEnd(MAX_TEMPLATE_LENGTH, 'x'))).toBeNull();
    expect(checkTemplate(BOTH.padEnd(MAX_TEMPLATE_LENGTH + 1, 'x'))).toMatch(/longer/);
  });
});

describe('the fields of an application', () => {
  const changes = (fields: object) => {
    const read = readApplicationFields(fields);
    if (!read.ok) throw new Error(read.why);
    return read.changes;
  };
  const why = (fields: object) => {
    const read = readApplicationFields(fields);
    return read.ok ? null : read.why;
  };

  it('that are absent or null change nothing', () => {
    expect(changes({})).toEqual({});
    expect(changes({ alias: null, url: null, test_numbers: null, is_default: null })).toEqual({});
  });

  it('become what is stored', () => {
    expect(changes({ brand_name: '', code_length: 4, is_default: false, app_hash: '' })).toEqual({
      brandName: '',
      codeLength: 4,
      isDefault: false,
      appHash: '',
    });
  });

  it('normalise the url, and take an empty one for none', () => {
    expect(changes({ url: 'HTTPS://Customer.Example:443' })).toEqual({ url: 'https://customer.example/' });
    expect(changes({ url: '' })).toEqual({ url: null });
    expect(why({ url: 'ftp://customer.example' })).toMatch(/^url /);
  });

  it('take test numbers as people write them, each once', () => {
    const one = { recipient: '+1 (415) 555-0100', otp: '424242' };
    expect(changes({ test_numbers: [one] })).toEqual({
      testNumbers: [{ recipient: '14155550100', otp: '424242' }],
    });
    expect(changes({ test_numbers: [] })).toEqual({ testNumbers: [] });
    expect(why({ test_numbers: [one, { ...one, recipient: '14155550100' }] })).toBe(
      'test_numbers/1/recipient is in the list twice',
    );
    expect(why({ test_numbers: [{ ...one, recipient: '12' }] })).toMatch(/^test_numbers\/0\/recipient/);
  });
});
