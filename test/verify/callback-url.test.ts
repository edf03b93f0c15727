import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callbackHost, MAX_URL_LENGTH, normaliseCallbackUrl } from '#verify/callback-url.js';

const normalised = (text: string) => {
  const check = normaliseCallbackUrl(text);
  return check.ok ? check.url : `refused: ${check.why}`;
};

describe('a callback URL', () => {
  it.each([
    ['http://EXAMPLE.com/Path', 'http://example.com/Path'],
    ['HTTPS://example.com/', 'https://example.com/'],
    ['http://example.com:80/a', 'http://example.com/a'],
    ['https://example.com:443/a', 'https://example.com/a'],
    ['https://example.com:80/a', 'https://example.com:80/a'],
    ['http://example.com', 'http://example.com/'],
    ['http://example.com?x=1', 'http://example.com/?x=1'],
    ['http://example.com/a%2Fb%20c?d=%41', 'http://example.com/a%2Fb%20c?d=%41'],
    ['http://example.com/?a=1&b=1', 'http://example.com/?a=1&b=1'],
    ['http://[::1]:8080/x', 'http://[::1]:8080/x'],
  ])('%s is kept as %s', (text, expected) => {
    expect(normalised(text)).toBe(expected);
  });

  it.each([
    ['', 'absolute'],
    ['/status', 'absolute'],
    ['example.com/status', 'absolute'],
    ['http://', 'absolute'],
    ['http:example.com', 'absolute'],
    ['http:\\\\example.com\\status', 'absolute'],
    [' http://example.com/', 'absolute'],
    ['http://exam\nple.com/', 'absolute'],
    ['ftp://example.com/', 'http or https'],
    ['javascript:alert(1)', 'http or https'],
    ['file:///etc/passwd', 'http or https'],
    ['http://user@example.com/', 'user information'],
    ['http://user:secret@example.com/', 'user information'],
    ['http://:secret@example.com/', 'user information'],
    ['http://@example.com/', 'user information'],
    ['http://example.com/#here', 'fragment'],
    ['http://example.com/#', 'fragment'],
    ['http://example.com/?a=1&a=2', 'twice'],
    ['http://example.com/?a=1&%61=2', 'twice'],
    ['http://example.com:99999/', 'absolute'],
  ])('%j is refused: %s', (text, why) => {
    expect(normalised(text)).toMatch(new RegExp(`^refused: .*${why}`));
  });

  it('may have 2,048 characters and not one more, before and after it is normalised', () => {
    const start = 'http://example.com/';
    const longest = start + 'a'.repeat(MAX_URL_LENGTH - start.length);
    expect(normalised(longest)).toBe(longest);
    expect(normalised(`${longest}a`)).toMatch(/longer than 2048/);
    expect(normalised(start + 'é'.repeat(600))).toMatch(/longer than 2048/);
  });

  it('stays as it is when it is normalised again', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (text) => {
        const once = normaliseCallbackUrl(text);
        if (once.ok) expect(normalised(once.url)).toBe(once.url);
      }),
    );
  });

  it('never throws, whatever text a caller sends', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `http://${text}`),
        ),
        (text) => {
          expect(typeof normaliseCallbackUrl(text).ok).toBe('boolean');
        },
      ),
    );
  });
});

describe('the host of a callback', () => {
  it.each([
    ['http://example.com/a', 'example.com:80'],
    ['https://example.com/b', 'example.com:443'],
    ['https://example.com:8443/', 'example.com:8443'],
    ['http://[::1]/', '[::1]:80'],
  ])('of %s is %s', (url, host) => {
    expect(callbackHost(url)).toBe(host);
  });
});
