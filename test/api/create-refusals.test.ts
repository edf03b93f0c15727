import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.js';

const RECIPIENT = '14155551234';

// What is refused leaves no trace, so that these tests can share a server.
let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

/** The error of a create that must be refused with 400 and leave no trace. */
async function refused(body: unknown): Promise<string> {
  const answer = await api.call('POST', '/Verify/Session/', { body });
  expect(answer).toMatchObject({ status: 400 });
  expect(api.store.database.tables.session.size).toBe(0);
  return answer.body.error;
}

describe('§2 recipient', () => {
  test.each([
    undefined,
    null,
    '',
    '123',
    '+',
    'abc',
    '14155551234x',
    '1415555123456789',
    1.5,
    -14155551234,
    0,
    1e21,
    true,
    [],
    {},
    [RECIPIENT],
    ' '.repeat(100),
  ])('%j is refused by name', async (recipient) => {
    expect(await refused({ recipient })).toContain('recipient');
  });
});

describe('§2 a value out of its bounds is refused by name', () => {
  test.each<[string, unknown]>([
    ['app_uuid', 7],
    ['channel', 'fax'],
    ['channel', 'SMS'],
    ['channel', ''],
    ['url', 'acme.example'],
    ['url', ''],
    ['url', 'ftp://acme.example/'],
    ['url', 'https://user:secret@acme.example/'],
    ['url', 'https://acme.example/#top'],
    ['url', 'https://acme.example/?a=1&a=2'],
    ['url', `https://acme.example/${'a'.repeat(2048)}`],
    ['url', 5],
    ['method', 'PUT'],
    ['method', 'post'],
    ['locale', 'english language'],
    ['locale', 'en_'],
    ['locale', ''],
    ['locale', 'en-US-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd'],
    ['brand_name', 'x'.repeat(51)],
    ['brand_name', 5],
    ['app_hash', 'tooshort'],
    ['app_hash', 'exactly-11!'],
    ['code_length', 3],
    ['code_length', 9],
    ['code_length', 4.5],
    ['code_length', '6'],
    ['otp', '123'],
    ['otp', '123456789'],
    ['otp', 'abcdef'],
    ['otp', 123456],
    ['dtmf', 10],
    ['dtmf', -1],
    ['dtmf', '1'],
    ['fraud_check', 'off'],
    ['check_fs', 'false'],
    ['src', ''],
    ['src', 'x'.repeat(21)],
    ['src', 'a\nb'],
  ])('%s: %j', async (name, value) => {
    const error = await refused({ recipient: RECIPIENT, channel: 'voice', [name]: value });
    expect(error).toMatch(new RegExp(`^${name} `));
  });
});

describe('§2 unknown fields', () => {
  test.each([
    ['recepient', 'recipient'],
    ['brandname', 'brand_name'],
    ['codeLength', 'code_length'],
  ])('%s is refused, and %s suggested', async (name, nearest) => {
    const error = await refused({ recipient: RECIPIENT, [name]: 'x' });
    expect(error).toContain(`"${name}"`);
    expect(error).toContain(`did you mean ${nearest}`);
  });

  test('one that is like none is refused without a suggestion', async () => {
    const error = await refused({ recipient: RECIPIENT, 'something else entirely': 1 });
    expect(error).toContain('something else entirely');
    expect(error).not.toContain('did you mean');
  });

  test('a very long name is cut', async () => {
    expect((await refused({ recipient: RECIPIENT, ['x'.repeat(9000)]: 1 })).length).toBeLessThan(120);
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString'])('%s is just a name', async (name) => {
    expect(await refused(`{"recipient":"${RECIPIENT}","${name}":{"channel":"voice"}}`)).toContain(name);
  });
});
