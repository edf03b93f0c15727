import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { joined } from '#speech/clip.js';
import { CLIP_NAMES } from '#speech/pack.js';
import { PHRASES } from '#speech/phrases.js';
import { readWav, writeWav } from '#speech/wav.js';
import { toneFile } from '../speech/tones.js';
import { SHIPPED_SPEECH } from '../support/speech.js';
import { digitClips, hearDigits } from '../support/spoken-digits.js';
import { cleanUp, newDirectory, run } from './command-line.js';

afterAll(cleanUp);

function heardIn(file: string, locale: string): string {
  const { samples, rate } = readWav(readFileSync(file), 120);
  expect(rate).toBe(8000);
  const clipOf = digitClips((digits) => SHIPPED_SPEECH.code(locale, digits));
  const recorded = Int16Array.from(samples, (sample) => Math.round(sample * 32_768));
  return hearDigits(recorded, clipOf)
    .map(({ digit }) => digit)
    .join('');
}

describe('prompts render', () => {
  it('writes a call that can be listened to, in which the code is spoken three times', async () => {
    const directory = newDirectory();
    const file = join(directory, 'out.wav');
    const args = ['prompts', 'render', '--locale', 'es-MX', '--code', '482913', file];
    const { code, stdout, stderr } = await run(args, join(directory, 'data'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^wrote [0-9.]+ seconds to .*out\.wav \(es, built in\)\n$/);
    expect(heardIn(file, 'es')).toBe('482913'.repeat(3));
  });

  it('asks for a key first, and says that a brand cannot be spoken', async () => {
    const directory = newDirectory();
    const file = join(directory, 'out.wav');
    const args = ['prompts', 'render', '--code', '42', '--dtmf', '7', '--brand', 'Acme', file];
    const { code, stderr } = await run(args, join(directory, 'data'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^The brand cannot be spoken/);
    expect(heardIn(file, 'en')).toBe('7424242');
  });

  it('writes a call that confirms by key, in which no digit of a code is spoken', async () => {
    const directory = newDirectory();
    const file = join(directory, 'out.wav');
    const args = ['prompts', 'render', '--locale', 'es', '--confirm', file];
    const { code, stdout, stderr } = await run(args, join(directory, 'data'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^wrote [0-9.]+ seconds to .*out\.wav \(es, built in\)\n$/);
    const call = joined([
      ...SHIPPED_SPEECH.confirmGreeting('es', ''),
      ...SHIPPED_SPEECH.confirm('es'),
      ...SHIPPED_SPEECH.confirmed('es'),
      ...SHIPPED_SPEECH.goodbye('es'),
    ]);
    expect(readFileSync(file).equals(writeWav(call, 8000))).toBe(true);
    expect(heardIn(file, 'es')).toBe('');
  });

  it.each([
    [['--code', '12a'], 'expected 1 to 20 digits'],
    [['--code', '1', '--dtmf', '10'], 'expected a key from 0 to 9'],
    [[], "required option '--code <digits>' not specified"],
    [['--confirm', '--code', '1'], "'--confirm' cannot be used with option '--code <digits>'"],
    [['--confirm', '--dtmf', '5'], "'--confirm' cannot be used with option '--dtmf <key>'"],
  ])('with %j is refused', async (args, why) => {
    const directory = newDirectory();
    const { code, stderr } = await run(['prompts', 'render', ...args, join(directory, 'out.wav')], directory);
    expect(code).toBe(1);
    expect(stderr).toContain(why);
  });
});

describe('prompts list', () => {
  it('shows every locale, who speaks it, and what is recorded', async () => {
    const directory = newDirectory();
    mkdirSync(join(directory, 'prompts/xx'), { recursive: true });
    writeFileSync(join(directory, 'prompts/xx/7.wav'), toneFile(500));
    const config = join(directory, 'countersign.yaml');
    writeFileSync(config, 'speech: {recordings: prompts}');
    const env = { COUNTERSIGN_CONFIG: config };
    const { code, stdout } = await run(['prompts', 'list', '--json'], directory, env);
    expect(code).toBe(0);
    const rows: Record<string, unknown>[] = JSON.parse(stdout);
    expect(rows.map(({ locale }) => locale)).toEqual([...Object.keys(PHRASES), 'xx'].sort());
    expect(rows.find(({ locale }) => locale === 'km')).toMatchObject({ language: 'Khmer', spoken: 'en' });
    expect(rows.find(({ locale }) => locale === 'xx')).toMatchObject({ recordings: '1/22', brands: 0 });
    const one = await run(['prompts', 'list', '--locale', 'xx'], directory, env);
    expect(one.stdout).toMatch(/^7 +recording +xx +seven$/m);
    expect(one.stdout).toMatch(/^8 +built in +en +eight$/m);
    expect(one.stdout).toMatch(/^confirmed +built in +en +Thank you\. Your number is confirmed\.$/m);
    expect(one.stdout.trim().split('\n')).toHaveLength(1 + CLIP_NAMES.length);
  });
});

describe('a recording that cannot be used', () => {
  it('ends every command that needs it, and the doctor names it', async () => {
    const directory = newDirectory();
    mkdirSync(join(directory, 'prompts/es'), { recursive: true });
    writeFileSync(join(directory, 'prompts/es/7.wav'), 'no sound');
    const config = join(directory, 'countersign.yaml');
    writeFileSync(config, 'speech: {recordings: prompts}');
    const env = { COUNTERSIGN_CONFIG: config };
    const why = `${join(directory, 'prompts/es/7.wav')}: is not a WAV file`;
    for (const command of [['prompts', 'list'], ['serve']]) {
      const { code, stderr } = await run(command, join(directory, 'data'), env);
      expect(code).toBe(1);
      expect(stderr).toBe(`countersign: ${why}\n`);
    }
    const { stdout } = await run(['doctor'], join(directory, 'data'), env);
    expect(stdout).toContain(`problem  speech: ${why}\n`);
  });
});

describe('the doctor', () => {
  const diagnose = async (yaml: string, programs: Record<string, string> = {}) => {
    const directory = newDirectory();
    mkdirSync(join(directory, 'prompts/es'), { recursive: true });
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(directory, name), text);
    writeFileSync(join(directory, 'tone.wav'), toneFile(500));
    const config = join(directory, 'countersign.yaml');
    writeFileSync(config, yaml.replaceAll('HERE', directory).replaceAll('NODE', process.execPath));
    const { stdout } = await run(['doctor'], join(directory, 'data'), { COUNTERSIGN_CONFIG: config });
    expect(existsSync(join(directory, 'data'))).toBe(false);
    return stdout.split('\n').filter((line) => line.includes('speech: '));
  };

  it('has a speech.command speak, and tells how long', async () => {
    const program = "require('fs').copyFileSync(process.argv[2], process.argv[3]);";
    const yaml = 'speech: {command: [NODE, HERE/speak.cjs, HERE/tone.wav, "{output}"]}';
    expect(await diagnose(yaml, { 'speak.cjs': program })).toEqual([
      expect.stringMatching(/^ok .* spoke a brand name of [0-9.]+ seconds$/),
    ]);
  });

  it.each([
    [
      'that is not there',
      '[/nonexistent/piper, "{output}"]',
      '/nonexistent/piper cannot be started (ENOENT)',
    ],
    ['that writes nothing', '[NODE, -e, "", "{output}"]', 'ended without writing the WAV file {output}'],
  ])('tells of a speech.command %s', async (_, command, why) => {
    const findings = await diagnose(`speech: {command: ${command}}`);
    expect(findings).toEqual([expect.stringMatching(/^problem/)]);
    expect(findings[0]).toContain(why);
  });

  it('tells of a folder that holds no recording', async () => {
    expect(await diagnose('speech: {recordings: prompts}')).toEqual([
      expect.stringMatching(/^problem {2}speech: no recording is in .*prompts: put \.wav files into/),
    ]);
  });
});

it('a file that cannot be written is an error that says why', async () => {
  const directory = newDirectory();
  const render = (path: string) => run(['prompts', 'render', '--code', '1234567890', path], directory);
  const ends = [await render(join(directory, 'nowhere', 'out.wav')), await render(directory)];
  expect(ends.map(({ code }) => code)).toEqual([1, 1]);
  expect(ends[0]!.stderr).toContain('out.wav (ENOENT, open): there is no such folder or file');
  expect(ends[1]!.stderr).toContain('(EISDIR, open): it is a folder: name a file');
});
