import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bind } from '#store/sqlite/bind.js';
import { Connection } from '#store/sqlite/connection.js';

let connection: Connection;

beforeAll(() => {
  connection = new Connection(':memory:', 0);
  connection.exec('create table bound (value any) strict');
});
afterAll(() => connection.close());

/** Values of every type that JavaScript has, and those at the borders of what the database holds. */
const anyValue = fc.oneof(
  fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', '\0', '\ud83d', '\ude00', '\uffff', '\n', "'") }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ minLength: 2 }).map((bytes) => bytes.subarray(1)),
  fc.constantFrom<unknown>(
    undefined,
    true,
    false,
    Symbol('a'),
    () => 1,
    class {},
    -0,
    Number.MIN_VALUE,
    Number.MAX_VALUE,
    2 ** 53,
    -(2 ** 53),
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    new ArrayBuffer(4),
    new Uint16Array(2),
    new DataView(new ArrayBuffer(4)),
    Object.create(Uint8Array.prototype),
    Object.create(Buffer.prototype),
  ),
);

/** An integer as text, since as numbers those past 2^53 are not exact. (The driver aborts on text that is no UTF-8.) */
const exact = (value: string) => `case typeof(${value}) when 'integer' then cast(${value} as text) end`;

/** Binds a value and reads its type, itself, and its exact text if it is an integer. */
const ROUND_TRIPS = {
  'alone, through a table': (value: unknown) => {
    connection.prepare('delete from bound').run();
    connection.prepare('insert into bound (value) values (?)').run(value);
    return connection.prepare(`select typeof(value), value, ${exact('value')} from bound`).get()!;
  },
  'among others, in an expression': (value: unknown) =>
    connection.prepare(`select typeof(?2), ?2, ${exact('?2')}, ?1`).get('first', value)!,
};

describe.each(Object.entries(ROUND_TRIPS))('%s', (_, roundTrip) => {
  test('whatever is bound reads back equal or is refused with a TypeError, and the process lives', () => {
    let bound = 0;
    let refused = 0;
    fc.assert(
      fc.property(anyValue, (value) => {
        let back: unknown[];
        try {
          back = roundTrip(value);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          expect((error as Error).message).toMatch(/cannot be bound$|exact integers$/);
          refused++;
          return;
        }
        bound++;
        const [type, read, text] = back;
        switch (typeof value) {
          case 'string':
            expect([type, read]).toEqual(['text', value]);
            break;
          case 'number':
            // Equal, not identical: a table keeps no sign of zero.
            expect(read === value).toBe(true);
            break;
          case 'bigint':
            expect([type, text]).toEqual(['integer', String(value)]);
            break;
          default:
            if (value === null) expect([type, read]).toEqual(['null', null]);
            else {
              expect(type).toBe('blob');
              expect(Buffer.compare(read as Buffer, value as Uint8Array)).toBe(0);
            }
        }
      }),
      { numRuns: 3000 },
    );
    expect(bound).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(300);
  });
});

test.each([
  ['a boolean', true],
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['infinity', Number.NEGATIVE_INFINITY],
  ['an integer past 2^53', 2 ** 53],
  ['a bigint past 64 bits', 2n ** 63n],
  ['a NUL character', 'a\0b'],
  ['a lone surrogate', '\ud800'],
  ['a date', new Date(0)],
  ['an array', [1]],
  ['an object', {}],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
])('%s is refused', (_, value) => {
  expect(() => bind(value)).toThrow(TypeError);
});

test('a refusal does not repeat the text that was to be bound', () => {
  for (const secret of ['73519264\0', '73519264\ud800']) {
    expect(() => bind(secret)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('7351') }),
    );
  }
});
