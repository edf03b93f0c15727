import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkCode, newCode, resealCode, revealCode } from '#verify/codes.js';
import type { KeyId, SessionCode, SessionId } from '#verify/model.js';
import { fixedKey, fixedKeyring, idOf, wrongFor } from './domain.js';

const keyring = fixedKeyring();
const nonce = new Uint8Array(12).fill(3);
const uuid = fc.uuid({ version: 7 }).map((text) => text as SessionId);
const length = fc.integer({ min: 4, max: 8 });
const digits = fc.stringMatching(/^[0-9]{4,8}$/);
const derived = (codeLength: number): SessionCode => ({
  keyId: keyring.active,
  length: codeLength,
  sealed: null,
});

describe('a derived code', () => {
  it('has exactly the wanted number of digits, leading zeros included', () => {
    fc.assert(
      fc.property(uuid, length, (session, wanted) => {
        expect(revealCode(keyring, session, derived(wanted))).toMatch(new RegExp(`^[0-9]{${wanted}}$`));
      }),
    );
  });

  it('is the same each time it is asked for, so a resend repeats it', () => {
    fc.assert(
      fc.property(uuid, length, (session, wanted) => {
        const code = newCode(keyring, session, { otp: null, nonce, length: wanted });
        expect(revealCode(fixedKeyring(), session, { ...code })).toBe(revealCode(keyring, session, code));
      }),
    );
  });

  it('leaves nothing of itself in the row', () => {
    expect(newCode(keyring, idOf(1), { otp: null, nonce, length: 6 })).toEqual(derived(6));
  });

  it('follows from the session and the key, and from nothing else', () => {
    const others = Array.from({ length: 20 }, (_, i) => revealCode(keyring, idOf(i), derived(8)));
    expect(new Set(others).size).toBe(20);
    const otherKey = fixedKeyring(2);
    expect(revealCode(otherKey, idOf(1), { ...derived(8), keyId: otherKey.active })).not.toBe(others[1]);
  });

  it('keeps its value from release to release: live sessions outlast an upgrade', () => {
    expect(revealCode(keyring, '019c12d2-7ba3-7000-8000-000000000001' as SessionId, derived(8))).toBe(
      '73372510',
    );
  });

  it.each([4, 6, 8])('of %i digits is spread evenly over first, last and middle digits and pairs', (size) => {
    const samples = 50_000;
    const codes = Array.from({ length: samples }, (_, i) =>
      revealCode(keyring, `${idOf(0)}-${i}` as SessionId, derived(size)),
    );
    for (let place = 0; place < size; place++) {
      // 9 degrees of freedom: 33.7 is passed by one even source in 10,000. Seeds are fixed, so this never flickers.
      expect(
        chiSquare(
          codes.map((code) => Number(code[place])),
          10,
        ),
      ).toBeLessThan(33.7);
    }
    // 99 degrees of freedom: 161.
    expect(
      chiSquare(
        codes.map((code) => Number(code.slice(0, 2))),
        100,
      ),
    ).toBeLessThan(161);
    // The skew that truncation to 31 bits would give 8 digits shows in whether a code is below 47,483,648.
    const low = codes.filter((code) => Number(code) < 10 ** size * 0.47483648).length / samples;
    expect(Math.abs(low - 0.47483648)).toBeLessThan(0.0094);
  });
});

describe('a code the caller chose', () => {
  it('comes back as it was chosen, with its own length', () => {
    fc.assert(
      fc.property(uuid, digits, (session, otp) => {
        const code = newCode(keyring, session, { otp, nonce, length: 6 });
        expect(code.length).toBe(otp.length);
        expect(revealCode(keyring, session, code)).toBe(otp);
      }),
    );
  });

  it('is not in the row in plain', () => {
    const { sealed } = newCode(keyring, idOf(1), { otp: '13572468', nonce, length: 6 });
    expect(Buffer.from(sealed!).includes('13572468')).toBe(false);
  });

  it('does not open in the row of another session', () => {
    const code = newCode(keyring, idOf(1), { otp: '135724', nonce, length: 6 });
    expect(() => revealCode(keyring, idOf(2), code)).toThrow();
  });

  it('survives being sealed again under another key, which needs the old key only for that', () => {
    const code = newCode(keyring, idOf(1), { otp: '0042', nonce, length: 6 });
    const again = resealCode(fixedKeyring(2, 1), idOf(1), code, new Uint8Array(12).fill(4));
    expect(again.keyId).toBe(fixedKey(2).id);
    expect(revealCode(fixedKeyring(2), idOf(1), again)).toBe('0042');
  });
});

describe('checking what a person typed', () => {
  const code = derived(6);

  it('accepts the code and nothing else of four to eight digits', () => {
    fc.assert(
      fc.property(uuid, digits, (session, typed) => {
        const right = revealCode(keyring, session, code);
        expect(checkCode(keyring, session, code, right, false)).toBe('right');
        expect(checkCode(keyring, session, code, wrongFor(right), false)).toBe('wrong');
        expect(checkCode(keyring, session, code, typed, false)).toBe(typed === right ? 'right' : 'wrong');
      }),
    );
  });

  it('gives a JSON number its leading zeros back, but not a string', () => {
    const sealed = newCode(keyring, idOf(1), { otp: '004217', nonce, length: 6 });
    expect(checkCode(keyring, idOf(1), sealed, '4217', true)).toBe('right');
    expect(checkCode(keyring, idOf(1), sealed, '4217', false)).toBe('wrong');
    expect(checkCode(keyring, idOf(1), sealed, '0004217', true)).toBe('wrong');
  });

  it('says that it does not hold the key instead of calling the code wrong', () => {
    const strange = { ...code, keyId: 'deadbeef' as KeyId };
    expect(checkCode(keyring, idOf(1), strange, '123456', false)).toBe('unknown-key');
    const sealed = newCode(fixedKeyring(2), idOf(1), { otp: '123456', nonce, length: 6 });
    expect(checkCode(keyring, idOf(1), sealed, '123456', false)).toBe('unknown-key');
  });

  it('fails loudly, and not as a wrong code, on a sealed code that was changed', () => {
    const sealed = newCode(keyring, idOf(1), { otp: '123456', nonce, length: 6 });
    sealed.sealed![14]! ^= 1;
    expect(() => checkCode(keyring, idOf(1), sealed, '123456', false)).toThrow();
  });
});

/** Pearson's statistic of how evenly values fall into `classes` classes. */
function chiSquare(values: readonly number[], classes: number): number {
  const counts = new Array<number>(classes).fill(0);
  for (const value of values) counts[value]! += 1;
  const expected = values.length / classes;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
