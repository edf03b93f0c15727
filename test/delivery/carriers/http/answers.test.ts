import { describe, expect, it } from 'vitest';
import { type Reply, serveProvider } from '../../../support/providers/server.js';
import { carrierOf } from '../mount.js';
import { CODE, message, TEXT } from '../support.js';

async function submitTo(answer: Record<string, unknown> | undefined, reply: Reply) {
  const { url } = await serveProvider(() => reply);
  const carrier = carrierOf('http', { url: `${url}/`, json: {}, answer });
  return carrier.submit(message());
}

const json = (status: number, body: unknown): Reply => ({ status, body });

describe('without rules', () => {
  it.each([
    [200, { kind: 'accepted', messageId: null }],
    [204, { kind: 'accepted', messageId: null }],
    [400, { kind: 'unavailable', errorCode: 1000, down: false, reason: 'HTTP 400' }],
    [
      401,
      { kind: 'unavailable', errorCode: 20, down: true, reason: 'HTTP 401: the credentials are refused' },
    ],
    [503, { kind: 'unavailable', errorCode: 20, down: true, reason: 'HTTP 503' }],
  ])('HTTP %d is %j', async (status, result) => {
    expect(await submitTo(undefined, { status, body: '' })).toEqual(result);
  });
});

describe('a message id', () => {
  it.each([
    [{ message_id: '/data/0/id' }, { data: [{ id: 'm-1' }] }, 'm-1'],
    [{ message_id: '/id' }, { id: 42 }, '42'],
    [{ message_id: '/a~1b/~0c' }, { 'a/b': { '~c': 'm' } }, 'm'],
    [{ message_id: '/id' }, { id: 1.5 }, null],
    [{ message_id: '/id' }, { id: 'x'.repeat(129) }, null],
    [{ message_id: '/id' }, 'no JSON', null],
    [{ message_id: '/toString/name' }, {}, null],
    [{ message_id: '/__proto__/x' }, {}, null],
    [{ format: 'text', message_id_after: 'id=' }, 'OK id=m-1 rest', 'm-1'],
    [{ format: 'text', message_id: '' }, ' m-1\n', 'm-1'],
    [{ format: 'text', message_id_after: 'id=' }, 'OK', null],
    [{ format: 'form', message_id: '/id' }, 'status=0&id=m%2D1', 'm-1'],
  ])('of %j in %j is %j', async (answer, body, messageId) => {
    expect(await submitTo(answer, json(200, body))).toEqual({ kind: 'accepted', messageId });
  });

  it('comes with what the message cost', async () => {
    const answer = { cost: { amount: '/price', currency: '/unit' } };
    const told = json(200, { price: -0.07, unit: 'eur' });
    expect(await submitTo(answer, told)).toMatchObject({ cost: { amount: '0.07', currency: 'EUR' } });
    const fixed = { cost: { amount: '/price', currency: 'USD' } };
    expect(await submitTo(fixed, json(200, { price: '1.20' }))).toMatchObject({
      cost: { amount: '1.20', currency: 'USD' },
    });
    expect(await submitTo(fixed, json(200, { price: 'much' }))).not.toHaveProperty('cost');
  });
});

describe('rules', () => {
  const answer = {
    message_id: '/id',
    rules: [
      { status: 200, at: '/status', equals: [0, '00'], is: 'accepted' },
      { at: '/status', equals: 7, is: 'refused', error_code: 50, reason: 'no such number' },
      { status: '4xx', at: '/error', begins: 'THROTTLE', is: 'unavailable', error_code: 20, down: true },
      { status: 409, is: 'refused' },
      { at: '/fatal', is: 'unavailable' },
    ],
  };

  it.each([
    [200, { status: 0, id: 'a' }, { kind: 'accepted', messageId: 'a' }],
    [200, { status: '00', id: 'a' }, { kind: 'accepted', messageId: 'a' }],
    [
      201,
      { status: 0, id: 'a' },
      {
        kind: 'unavailable',
        errorCode: 1000,
        down: false,
        reason: 'HTTP 201, and no rule says what the body means',
      },
    ],
    [200, { status: 7 }, { kind: 'refused', errorCode: 50, reason: 'HTTP 200: no such number' }],
    [422, { error: 'THROTTLED' }, { kind: 'unavailable', errorCode: 20, down: true, reason: 'HTTP 422' }],
    [422, { error: 'OTHER' }, { kind: 'unavailable', errorCode: 1000, down: false, reason: 'HTTP 422' }],
    [409, '', { kind: 'refused', errorCode: 1000, reason: 'HTTP 409' }],
    [500, { fatal: true }, { kind: 'unavailable', errorCode: 1000, down: false, reason: 'HTTP 500' }],
    [
      200,
      'garbage',
      {
        kind: 'unavailable',
        errorCode: 1000,
        down: false,
        reason: 'HTTP 200, and no rule says what the body means',
      },
    ],
  ])('make of HTTP %d with %j: %j', async (status, body, result) => {
    expect(await submitTo(answer, json(status, body))).toEqual(result);
  });

  it('see a body in text by how it begins', async () => {
    const plain = {
      format: 'text',
      rules: [
        { begins: 'OK', is: 'accepted' },
        { begins: 'ERR', is: 'refused' },
      ],
    };
    expect((await submitTo(plain, json(200, 'OK 1'))).kind).toBe('accepted');
    expect((await submitTo(plain, json(200, 'ERR 1'))).kind).toBe('refused');
    expect((await submitTo(plain, json(200, 'x'.repeat(70_000)))).kind).toBe('unavailable');
  });

  it('never put what the gateway said into a reason', async () => {
    for (const status of [200, 400, 409, 500]) {
      const result = JSON.stringify(await submitTo(answer, json(status, { status: CODE, error: TEXT })));
      expect(result).not.toContain(CODE);
    }
  });
});
