import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failuresWithin } from '#verify/budget.js';
import { type AttemptId, BUDGET_WINDOW, hopId, parseHopId } from '#verify/model.js';
import { maskRecipient } from '#verify/recipients.js';
import { formatTime } from '#verify/time.js';
import { isUuid, uuidFloor, uuidv7 } from '#verify/uuid.js';
import { ACCOUNT, NOW, RECIPIENT } from './domain.js';

const moment = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const random = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe('a UUIDv7', () => {
  it('has the version and variant bits of RFC 9562', () => {
    fc.assert(
      fc.property(moment, random, (now, bytes) => {
        expect(uuidv7(now, bytes)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
      }),
    );
  });

  it('begins with its time, so a later one sorts after an earlier one', () => {
    fc.assert(
      fc.property(moment, moment, random, random, (a, b, one, other) => {
        fc.pre(a < b);
        expect(uuidv7(a, one) < uuidv7(b, other)).toBe(true);
        expect(Number.parseInt(uuidv7(a, one).replaceAll('-', '').slice(0, 12), 16)).toBe(a);
      }),
    );
  });

  it('keeps 74 of the random bits apart', () => {
    const seen = new Set<string>();
    for (let bit = 0; bit < 80; bit++) {
      const bytes = new Uint8Array(10);
      bytes[bit >> 3] = 0x80 >> (bit & 7);
      seen.add(uuidv7(NOW, bytes));
    }
    // One for each bit that is kept, and one for all those that version and variant replace.
    expect(seen.size).toBe(75);
  });

  it('is never below the floor of its millisecond, and always below that of the next', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 2 }), random, (now, bytes) => {
        const uuid = uuidv7(now, bytes);
        expect(uuidFloor(now) <= uuid && uuid < uuidFloor(now + 1)).toBe(true);
      }),
    );
    expect(uuidFloor(-5)).toBe(uuidFloor(0));
  });

  it('is told from other text', () => {
    expect(isUuid(uuidv7(NOW, new Uint8Array(10)))).toBe(true);
    for (const text of ['', 'x', uuidFloor(1).toUpperCase().replace('0', 'A'), `${uuidFloor(1)} `]) {
      expect(isUuid(text)).toBe(false);
    }
  });
});

describe('a time', () => {
  it('is UTC with six fractional digits and Z', () => {
    expect(formatTime(NOW)).toBe('2026-01-31T08:52:39.363000Z');
    expect(formatTime(0)).toBe('1970-01-01T00:00:00.000000Z');
  });

  it('reads back as the millisecond it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (millis) => {
        expect(formatTime(millis)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
        expect(Date.parse(formatTime(millis))).toBe(millis);
      }),
    );
  });
});

describe('a hop id', () => {
  it('reads back as attempt and number', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 9999 }), (attempt, number) => {
        expect(parseHopId(hopId(attempt as AttemptId, number))).toEqual({ attempt, number });
      }),
    );
  });

  it.each(['', '.1', '019c12d2-7ba3-7000-8000-000000000001', '019c12d2-7ba3-7000-8000-000000000001.0'])(
    'is not %j',
    (text) => {
      expect(parseHopId(text)).toBeNull();
      expect(parseHopId(`${text}.00001`)).toBeNull();
    },
  );

  it('is null for any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseHopId(text)).toBeNull();
      }),
    );
  });
});

describe('a masked recipient', () => {
  it('shows the first and last four digits of a long number', () => {
    expect(maskRecipient('14155551234')).toBe('1415•••1234');
  });

  it('never shows more than eight digits, and nothing of a number that has no more', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{1,20}$/), (digits) => {
        const shown = maskRecipient(digits).replace(/[^0-9]/g, '');
        expect(shown).toHaveLength(digits.length > 8 ? 8 : 0);
      }),
    );
  });
});

describe('the window of failed validations', () => {
  const budget = (failures: number[]) => ({ account: ACCOUNT, recipient: RECIPIENT, failures });

  it('is empty for a recipient without any', () => {
    expect(failuresWithin(undefined, NOW)).toEqual([]);
  });

  it('holds a failure for 24 hours and not a millisecond longer', () => {
    expect(failuresWithin(budget([NOW]), NOW + BUDGET_WINDOW - 1)).toEqual([NOW]);
    expect(failuresWithin(budget([NOW]), NOW + BUDGET_WINDOW)).toEqual([]);
  });

  it('keeps order and loses only what is old', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 * BUDGET_WINDOW })), (ages) => {
        const failures = ages.map((age) => NOW - age).sort((a, b) => a - b);
        expect(failuresWithin(budget(failures), NOW)).toEqual(
          failures.filter((time) => NOW - time < BUDGET_WINDOW),
        );
      }),
    );
  });
});
