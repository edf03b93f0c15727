import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { best, digitClips, listen, phone } from './phone.js';
import { isInstalled } from './programs.js';
import { CODE, running } from './support.js';

const present = isInstalled('baresip', 'baresip-core');

describe.skipIf(!present)('against baresip', () => {
  it.each([
    ['en', 'PCMU'],
    ['es', 'PCMA'],
    ['de', 'PCMU'],
    ['fr', 'PCMU'],
    ['pt', 'PCMU'],
    ['ru', 'PCMA'],
  ])('the code is heard, digit by digit, in %s with %s', async (locale, codec) => {
    const { port, heard } = await phone({ codec });
    const { call, speech, reports, statuses } = await running(port);
    expect((await call({ locale })).kind).toBe('accepted');
    expect(statuses()).toEqual(['ringing', 'in-progress', 'completed']);
    expect(reports.at(-1)!.duration).toBeGreaterThan(5);
    await wait(500);
    const sound = heard();
    const digits = digitClips((code) => speech.code(locale, code));
    // Twice in a row: what follows the first mention is the second.
    expect(listen(sound, digits, CODE.length)).toBe(CODE);
  });

  it('the code is not heard when the key that was asked for is not pressed', async () => {
    const { port, heard } = await phone();
    const { call, speech } = await running(port, { settings: { key_seconds: 3, key_asks: 1 } });
    expect(await call({ dtmf: 5 })).toMatchObject({ kind: 'refused', errorCode: 9110 });
    await wait(500);
    const sound = heard();
    const digits = digitClips((code) => speech.code('en', code));
    const asked = new Set(['5']);
    for (const [digit, clip] of digits)
      if (!asked.has(digit)) expect(best(sound, clip).score).toBeLessThan(0.6);
  });

  it('the code is heard once the key is pressed', async () => {
    const { port, press, heard } = await phone();
    const { call, speech, statuses } = await running(port, { settings: { key_seconds: 20 } });
    const result = call({ dtmf: 5 });
    while (!statuses().includes('in-progress')) await wait(50);
    const pressing = setInterval(() => press('5'), 2_000);
    expect((await result).kind).toBe('accepted');
    clearInterval(pressing);
    await wait(500);
    expect(statuses().at(-1)).toBe('completed');
    const digits = digitClips((code) => speech.code('en', code));
    expect(listen(heard(), digits, CODE.length)).toBe(CODE);
  });

  it('the code is heard over SRTP', async () => {
    const { port, heard } = await phone({ media: ';mediaenc=srtp-mand' });
    const { call, speech } = await running(port, { settings: { srtp: 'required' } });
    expect((await call()).kind).toBe('accepted');
    await wait(500);
    const digits = digitClips((code) => speech.code('en', code));
    expect(listen(heard(), digits, CODE.length)).toBe(CODE);
  });
});
