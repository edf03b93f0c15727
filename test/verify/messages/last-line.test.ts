import { describe, expect, it } from 'vitest';
import { checkDomain, checkLastLine } from '#verify/messages/last-line.js';

describe('the domain of an application', () => {
  it.each([
    ['example.com', 'example.com'],
    ['Login.Example.COM', 'login.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['1.example', '1.example'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
    ['', ''],
    [null, ''],
  ])('%j is kept as %j', (text, value) => {
    expect(checkDomain(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['https://example.com', 'bare host name'],
    ['example.com/login', 'bare host name'],
    ['example.com:443', 'bare host name'],
    ['user@example.com', 'bare host name'],
    ['@example.com', 'bare host name'],
    ['example.com #123456', 'bare host name'],
    ['example.com\n', 'bare host name'],
    ['exa%6dple.com', 'bare host name'],
    ['[::1]', 'bare host name'],
    ['exam\0ple.com', 'bare host name'],
    ['example', 'full host name'],
    ['localhost', 'full host name'],
    ['192.0.2.1', 'IP address'],
    ['0x7f.1', 'IP address'],
    ['2130706433', 'IP address'],
    ['example.com.', 'valid host name'],
    ['.example.com', 'valid host name'],
    ['example..com', 'valid host name'],
    ['-example.com', 'valid host name'],
    ['example-.com', 'valid host name'],
    ['ex_ample.com', 'valid host name'],
    ['exa mple.com', 'bare host name'],
    [`${'a'.repeat(64)}.example`, 'valid host name'],
    [`${'a.'.repeat(126)}example`, 'longer than 253'],
  ])('%j is refused', (text, why) => {
    expect(checkDomain(text)).toEqual({ ok: false, why: expect.stringContaining(why) });
  });
});

describe('the last line', () => {
  it('is for an app hash or a domain, not for both', () => {
    expect(checkLastLine({ appHash: 'FA+9qCX9VSu', domain: '' })).toBeNull();
    expect(checkLastLine({ appHash: '', domain: 'example.com' })).toBeNull();
    expect(checkLastLine({ appHash: '', domain: '' })).toBeNull();
    const why = checkLastLine({ appHash: 'FA+9qCX9VSu', domain: 'example.com' });
    expect(why).toContain('app_hash');
    expect(why).toContain('domain');
  });
});
