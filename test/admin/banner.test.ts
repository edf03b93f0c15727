import { describe, expect, test } from 'vitest';
import { type BannerInput, banner } from '#admin/banner.js';

const authId = 'MA0123456789ABCDEFGH';
const token = 'sentinel-token-0123456789-abcdefghijklmn';
const first: BannerInput = {
  url: 'http://127.0.0.1:8080',
  dataDir: '/srv/data',
  bootstrap: { created: true, authId, token, note: null },
  tokenFile: null,
  inbox: ['sms', 'voice'],
};

describe('the banner of a first start', () => {
  test('shows the token on a terminal', () => {
    expect(banner(first)).toContain(`auth token  ${token}  (shown only this once)`);
    expect(banner(first)).toContain(`user=${authId}:${token}`);
  });

  test('shows the path of the token, and never the token, elsewhere', () => {
    const text = banner({ ...first, tokenFile: "/srv/it's/auth-token" });
    expect(text).not.toContain(token);
    expect(text).toContain("/srv/it's/auth-token");
    expect(text).toContain(`"$(cat '/srv/it'\\''s/auth-token')"`);
  });

  test.each([
    ['http://0.0.0.0:80', 'http://127.0.0.1:80/v1/'],
    ['http://[::]:80', 'http://[::1]:80/v1/'],
  ])('of a server on %s names an address that can be connected to', (url, expected) => {
    expect(banner({ ...first, url })).toContain(expected);
  });
});

test('a later start says where it answers, what the inbox takes, and what there is to know', () => {
  const bootstrap = { created: false, authId, token: null, note: 'mind the gap' };
  expect(
    banner({ ...first, bootstrap, inbox: ['voice'] })
      .trim()
      .split('\n'),
  ).toEqual([
    'Countersign answers at http://127.0.0.1:8080',
    'Nothing leaves this machine over voice: the built-in inbox keeps those messages for you to read.',
    'Configure a carrier to reach real phones.',
    '',
    'Note: mind the gap',
  ]);
});

test('a start without the inbox says nothing of it', () => {
  expect(banner({ ...first, inbox: [] })).not.toContain('inbox');
});
