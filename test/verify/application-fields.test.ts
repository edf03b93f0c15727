import { describe, expect, it } from 'vitest';
import { readApplicationFields } from '#verify/application-fields.js';

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

  it('check template and domain, and take empty ones for none', () => {
    const both = `\${brand_name}: \${code}`;
    expect(changes({ template: both, domain: 'Example.COM' })).toEqual({
      template: both,
      domain: 'example.com',
    });
    expect(changes({ template: '', domain: '' })).toEqual({ template: '', domain: '' });
    expect(why({ template: 'your code' })).toMatch(/^template /);
    expect(why({ domain: 'localhost' })).toMatch(/^domain /);
    expect(why({ domain: 'example.com', app_hash: 'Fa+0123456/' })).toMatch(/exclude each other/);
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
