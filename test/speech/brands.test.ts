import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Environment, systemEnvironment } from '#environment.js';
import { speakable } from '#speech/brand-text.js';
import { RATE } from '#speech/condition.js';
import { openSpeech } from '#speech/prompts.js';
import { createLog, type Log } from '#telemetry/log.js';
import { eventually, VirtualEnvironment } from '../support/virtual-time.js';
import { folderOf, levelOf, toneFile } from './tones.js';

/** A program that "speaks": notes what it was given and copies a tone to its output. */
const PROGRAM = `
import { appendFileSync, copyFileSync, readFileSync } from 'node:fs';
const [note, sound, output, ...rest] = process.argv.slice(2);
const input = readFileSync(0, 'utf8');
appendFileSync(note, JSON.stringify({ rest, input, env: process.env, cwd: process.cwd() }) + '\\n');
copyFileSync(sound, output);
`;

interface Noted {
  readonly rest: string[];
  readonly input: string;
  readonly env: Record<string, string>;
  readonly cwd: string;
}

async function world({
  program = PROGRAM,
  args = ['{text}', '{locale}'],
  environment = systemEnvironment as Environment,
  seconds = 20,
} = {}) {
  const folder = await folderOf({ 'program.mjs': program, 'tone.wav': toneFile(700) });
  const note = join(folder, 'note');
  const directory = join(folder, 'data', 'brands');
  const given = [join(folder, 'program.mjs'), note, join(folder, 'tone.wav'), '{output}', ...args];
  const command = [process.execPath, ...given];
  const open = (changed: { command?: string[]; environment?: Environment; log?: Log } = {}) =>
    openSpeech({
      settings: { recordings: null, command: changed.command ?? command, commandSeconds: seconds },
      directory,
      environment: changed.environment ?? environment,
      ...(changed.log && { log: changed.log }),
    });
  const speech = await open();
  onTestFinished(() => speech.close());
  const noted = () =>
    existsSync(note)
      ? readFileSync(note, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Noted)
      : [];
  return { speech, open, noted, directory, folder, command };
}

type World = Awaited<ReturnType<typeof world>>;

function speaksBrand({ speech }: Pick<World, 'speech'>, brand: string, locale = 'en'): boolean {
  const piece = speech.greeting(locale, brand)[2];
  return piece !== undefined && 'samples' in piece && levelOf(700, piece.samples, RATE) > 2000;
}

describe('a brand name that a command speaks', () => {
  it('is in the greeting once it was prepared, and never before', async () => {
    const w = await world();
    expect(speaksBrand(w, 'Acme')).toBe(false);
    expect(await w.speech.prepare('es-MX', 'Acme')).toBe(true);
    expect(speaksBrand(w, 'Acme', 'es')).toBe(true);
    expect(speaksBrand(w, 'Acme', 'en')).toBe(false);
    expect(w.noted().map(({ rest }) => rest)).toEqual([['Acme', 'es']]);
  });

  it('is in the greeting of a call that confirms by key too, spoken once for both', async () => {
    const w = await world();
    await w.speech.prepare('en', 'Acme');
    expect(w.speech.confirmGreeting('en', 'Acme')[2]).toEqual(w.speech.greeting('en', 'Acme')[2]);
    expect(speaksBrand(w, 'Acme')).toBe(true);
    expect(w.noted()).toHaveLength(1);
  });

  it('is spoken once, however often it is asked for', async () => {
    const w = await world();
    const answers = await Promise.all(Array.from({ length: 5 }, () => w.speech.prepare('en', 'Acme')));
    expect(answers).toEqual([true, true, true, true, true]);
    expect(await w.speech.prepare('en', 'Acme')).toBe(true);
    expect(w.noted()).toHaveLength(1);
  });

  it('is kept over a restart, privately, and spoken anew by another command', async () => {
    const w = await world();
    await w.speech.prepare('en', 'Acme');
    const [file] = readdirSync(w.directory);
    expect(readdirSync(w.directory)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.wav$/)]);
    expect(statSync(w.directory).mode & 0o077).toBe(0);
    expect(statSync(join(w.directory, file!)).mode & 0o077).toBe(0);
    const again = await w.open();
    expect(await again.prepare('en', 'Acme')).toBe(true);
    expect(speaksBrand({ speech: again }, 'Acme')).toBe(true);
    expect(w.noted()).toHaveLength(1);
    const other = await w.open({ command: [...w.command, 'more'] });
    expect(await other.prepare('en', 'Acme')).toBe(true);
    expect(w.noted()).toHaveLength(2);
  });

  it('is spoken anew when what was kept is damaged', async () => {
    const w = await world();
    await w.speech.prepare('en', 'Acme');
    await writeFile(join(w.directory, readdirSync(w.directory)[0]!), 'garbage');
    const again = await w.open();
    expect(await again.prepare('en', 'Acme')).toBe(true);
    expect(w.noted()).toHaveLength(2);
  });

  it('is read from standard input where no argument takes it', async () => {
    const w = await world({ args: ['--voice={locale}'] });
    expect(await w.speech.prepare('de', 'Acme & Söhne')).toBe(true);
    expect(w.noted()).toMatchObject([{ rest: ['--voice=de'], input: 'Acme & Söhne\n' }]);
  });

  it('is given within one argument, and no program sees an option, a shell or another placeholder in it', async () => {
    const w = await world({ args: ['say {text}', '{text}'] });
    const names = [
      '$(touch x); `touch x` | x > x',
      '--output=/etc/passwd',
      '{locale} {output}',
      'a\' "b" \\c',
      '-rf',
    ];
    for (const name of names) expect(await w.speech.prepare('en', name)).toBe(true);
    const given = w.noted().map(({ rest }) => rest);
    expect(given).toEqual([
      ['say touch x touch x x x', 'touch x touch x x x'],
      ['say output etc passwd', 'output etc passwd'],
      ['say locale output', 'locale output'],
      ["say a' b c", "a' b c"],
      ['say rf', 'rf'],
    ]);
    expect(readdirSync(w.directory).every((name) => /^[0-9a-f]{64}\.wav$/.test(name))).toBe(true);
  });

  it('is spoken by a program that gets nothing of the environment but its path', async () => {
    process.env.COUNTERSIGN_SECRET_OF_THE_TEST = 'secret';
    onTestFinished(() => {
      delete process.env.COUNTERSIGN_SECRET_OF_THE_TEST;
    });
    const w = await world();
    await w.speech.prepare('en', 'Acme');
    const [{ env, cwd }] = w.noted() as [Noted];
    expect(
      Object.keys(env)
        .filter((name) => !name.startsWith('__CF'))
        .sort(),
    ).toEqual(['HOME', 'LANG', 'PATH', 'TMPDIR']);
    expect(cwd.startsWith(w.directory)).toBe(true);
    expect(existsSync(cwd)).toBe(false);
  });

  it('of another locale than those that are spoken is spoken in English, whatever the request said', async () => {
    const w = await world();
    await w.speech.prepare('--help; rm', 'Acme');
    expect(w.noted().map(({ rest }) => rest[1])).toEqual(['en']);
  });
});

describe('a command that', () => {
  it.each([
    ['fails', "process.stderr.write('no such voice'); process.exit(3);"],
    ['writes nothing', ''],
    [
      'writes what is no sound',
      "import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[4], 'x');",
    ],
    [
      'writes too much',
      "import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[4], Buffer.alloc(9000001));",
    ],
    ['makes a folder', "import { mkdirSync } from 'node:fs'; mkdirSync(process.argv[4]);"],
  ])('%s leaves the greeting without the brand, and is not tried again for a while', async (_, program) => {
    const environment = new VirtualEnvironment();
    const w = await world({ program, environment });
    expect(await w.speech.prepare('en', 'Acme')).toBe(false);
    expect(speaksBrand(w, 'Acme')).toBe(false);
    expect(readdirSync(w.directory)).toEqual([]);
    await writeFile(join(w.folder, 'program.mjs'), PROGRAM);
    expect(await w.speech.prepare('en', 'Acme')).toBe(false);
    await environment.advance(600_001);
    expect(await w.speech.prepare('en', 'Acme')).toBe(true);
  });

  it.each([
    ['wrote nothing', '', 'ended without writing the WAV file {output}'],
    [
      'wrote no sound',
      "import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[4], 'x');",
      ' wrote: is not a WAV file',
    ],
    ['failed', "process.stderr.write('no such voice'); process.exit(3);", 'ended with 3: no such voice'],
  ])('%s is named in the log, with what was wrong', async (_, program, why) => {
    const w = await world({ program });
    const warnings: { why: string }[] = [];
    const log = createLog('warn', { write: (line: string) => void warnings.push(JSON.parse(line)) });
    const speech = await w.open({ log });
    await speech.prepare('en', 'Acme');
    expect(warnings.map((each) => each.why)).toEqual([expect.stringContaining(why)]);
    expect(warnings[0]!.why).toContain(`speech.command: `);
    expect(warnings[0]!.why).toContain(process.execPath);
    expect(warnings[0]!.why).not.toContain(w.directory);
  });

  it('is not there leaves the greeting without the brand', async () => {
    const w = await world();
    const speech = await w.open({ command: ['/nonexistent/program', '{output}'] });
    expect(await speech.prepare('en', 'Acme')).toBe(false);
  });

  it('takes too long is ended, with what it started', async () => {
    const environment = new VirtualEnvironment();
    const program = `
      import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      writeFileSync(process.argv[2], String(child.pid));
      setInterval(() => {}, 1000);
    `;
    const w = await world({ program, environment, seconds: 5 });
    const answer = w.speech.prepare('en', 'Acme');
    await eventually(
      'the program runs',
      () => existsSync(join(w.folder, 'note')) && readFileSync(join(w.folder, 'note'), 'utf8') !== '',
    );
    await environment.advance(5_000);
    expect(await answer).toBe(false);
    const pid = Number(readFileSync(join(w.folder, 'note'), 'utf8'));
    await eventually('its child is gone', () => hasEnded(pid));
    expect(readdirSync(w.directory)).toEqual([]);
  });

  it('writes without end is ended before it fills the disk', async () => {
    const environment = new VirtualEnvironment();
    const program = `
      import { appendFileSync, writeFileSync } from 'node:fs';
      writeFileSync(process.argv[4], Buffer.alloc(9_000_001));
      writeFileSync(process.argv[2], String(process.pid));
      setInterval(() => appendFileSync(process.argv[4], 'x'), 10);
    `;
    const w = await world({ program, environment });
    const answer = w.speech.prepare('en', 'Acme');
    const note = join(w.folder, 'note');
    await eventually('it has written', () => existsSync(note) && readFileSync(note, 'utf8') !== '');
    await environment.advance(1_000);
    expect(await answer).toBe(false);
    await eventually('it is gone', () => hasEnded(Number(readFileSync(note, 'utf8'))));
    await eventually('what it wrote is too', () => readdirSync(w.directory).length === 0);
  });

  it('runs while the server stops is ended', async () => {
    const w = await world({ program: 'setInterval(() => {}, 1000);' });
    const answers = ['Acme', 'Other', 'Third'].map((brand) => w.speech.prepare('en', brand));
    await eventually('two run', () => existsSync(w.directory) && readdirSync(w.directory).length === 2);
    await w.speech.close();
    expect(await Promise.all(answers)).toEqual([false, false, false]);
    expect(await w.speech.prepare('en', 'Fourth')).toBe(false);
    expect(readdirSync(w.directory)).toEqual([]);
  });

  it('is slow runs twice at a time at most, and brands beyond what may wait go without', async () => {
    const gate = 'gate';
    const program = `
      import { existsSync, copyFileSync, readdirSync, appendFileSync } from 'node:fs';
      import { dirname, join } from 'node:path';
      const [note, sound, output] = process.argv.slice(2);
      const running = readdirSync(dirname(dirname(output))).filter((name) => name.startsWith('rendering-')).length;
      appendFileSync(note, running + '\\n');
      while (!existsSync(join(dirname(note), '${gate}'))) await new Promise((resolve) => setTimeout(resolve, 5));
      copyFileSync(sound, output);
    `;
    const w = await world({ program });
    const many = Array.from({ length: 106 }, (_, index) => w.speech.prepare('en', `Acme ${index}`));
    const last = await Promise.race([Promise.all(many.slice(102)), wait(60_000)]);
    expect(last).toEqual([false, false, false, false]);
    await w.speech.close();
    const rows = existsSync(join(w.folder, 'note'))
      ? readFileSync(join(w.folder, 'note'), 'utf8').trim().split('\n')
      : [];
    for (const row of rows) expect(Number(row)).toBeLessThanOrEqual(2);
  });
});

describe('spoken brand names on disk', () => {
  it('are bounded: the ones that were used longest ago go first', async () => {
    const w = await world();
    await w.speech.prepare('en', 'Acme');
    const [kept] = readdirSync(w.directory);
    for (let index = 0; index < 2_000; index++) {
      const path = join(w.directory, `${String(index).padStart(64, '0')}.wav`);
      await writeFile(path, '');
      await utimes(path, index, index);
    }
    await w.speech.prepare('en', 'Other');
    const left = readdirSync(w.directory);
    expect(left.length).toBe(1_800);
    expect(left).toContain(kept);
    expect(left).not.toContain(`${'0'.repeat(64)}.wav`);
    expect(left).toContain(`${'1999'.padStart(64, '0')}.wav`);
  });

  it('in a folder that cannot be written are a warning, not an error', async () => {
    const w = await world();
    await writeFile(join(w.folder, 'data'), 'in the way');
    await chmod(join(w.folder, 'data'), 0o600);
    expect(await w.speech.prepare('en', 'Acme')).toBe(false);
  });
});

describe('what is spoken of a brand', () => {
  it.each([
    ['Acme', 'Acme'],
    ["  Joe's  Café & Co. ", "Joe's Café & Co."],
    ['<speak>Acme</speak>', 'speak Acme speak'],
    ['[[kill]]', 'kill'],
    ['-–— Acme', 'Acme'],
    ['日本', '日本'],
    ['Acme\u202e\u0000\n', 'Acme'],
    ['!!!', null],
    ['', null],
    ['a'.repeat(51), null],
  ])('%j is %j', (brand, text) => {
    expect(speakable(brand)).toBe(text);
  });
});

/** Whether a process is gone, or only waits for its parent to take note. */
function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
