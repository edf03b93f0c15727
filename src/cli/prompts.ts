import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { systemEnvironment } from '../environment.js';
import { joined, type Piece } from '../speech/clip.js';
import { RATE } from '../speech/condition.js';
import { CLIP_NAMES, type ClipName, DIGITS, type Digit } from '../speech/pack.js';
import { PHRASES, PROMPT_NAMES } from '../speech/phrases.js';
import { openSpeech, type Speech } from '../speech/prompts.js';
import { writeWav } from '../speech/wav.js';
import { localesTried } from '../verify/messages/locales.js';
import { readConfig } from './connect.js';
import { print, printJson, remark, table } from './output.js';

interface RenderOptions {
  readonly locale: string;
  readonly code?: string;
  readonly brand: string;
  readonly dtmf?: Digit;
  readonly confirm?: true;
}

/** `prompts list|render`. */
export function promptCommands(program: Command): void {
  const prompts = program.command('prompts').description('what calls say: list it, and listen to it');

  prompts
    .command('list')
    .description('list the locales that calls speak, or all that is said in one')
    .option('--locale <locale>', 'show every prompt of this locale, with its words')
    .option('--json', 'print the result as JSON')
    .action(async ({ locale, json }: { locale?: string; json?: true }) => {
      const speech = await open();
      const rows = locale === undefined ? listLocales(speech) : listClips(speech, locale);
      if (json) return printJson(rows.map((cells) => Object.fromEntries(cells)));
      const head = [...rows[0]!.keys()].map((key) => key.toUpperCase());
      print(
        table(
          head,
          rows.map((cells) => [...cells.values()].map(String)),
        ),
      );
    });

  prompts
    .command('render <file>')
    .description('write what a callee hears to a WAV file')
    .option('--code <digits>', 'the code that is spoken', parseCode)
    .option('--locale <locale>', 'the language of the call', 'en')
    .option('--brand <name>', 'the brand that is greeted for', '')
    .option('--dtmf <key>', 'ask for this key first', parseKey)
    .addOption(
      new Option('--confirm', 'the call that asks to press 1 to confirm, and speaks no code').conflicts([
        'code',
        'dtmf',
      ]),
    )
    .action(async (file: string, options: RenderOptions, command: Command) => {
      if (options.code === undefined && !options.confirm)
        command.error("error: required option '--code <digits>' not specified, nor --confirm");
      const speech = await open();
      try {
        const { locale, brand } = options;
        if (brand !== '' && !(await speech.prepare(locale, brand))) {
          remark(
            'The brand cannot be spoken: there is no recording of it, and no speech.command that speaks it.',
          );
        }
        const samples = joined(callOf(speech, options));
        writeFileSync(file, writeWav(samples, RATE));
        const said = options.confirm ? 'press-1-to-confirm' : 'your-code-is';
        const { locale: from, kind } = speech.source(locale, said);
        print(`wrote ${(samples.length / RATE).toFixed(1)} seconds to ${file} (${from}, ${KINDS[kind]})`);
      } finally {
        await speech.close();
      }
    });
}

const KINDS = { shipped: 'built in', recording: 'recording' } as const;

async function open(): Promise<Speech> {
  const config = await readConfig();
  const { createLog } = await import('../telemetry/log.js');
  return openSpeech({
    settings: config.speech,
    directory: join(config.dataDir, 'brands'),
    environment: systemEnvironment,
    log: createLog(config.logLevel, process.stderr),
  });
}

/** A call in which the callee presses the key that is asked for, and no other. */
function callOf(speech: Speech, { locale, code, brand, dtmf }: RenderOptions): Piece[] {
  if (code === undefined) {
    return [
      ...speech.confirmGreeting(locale, brand),
      ...speech.confirm(locale),
      ...speech.confirmed(locale),
      ...speech.goodbye(locale),
    ];
  }
  return [
    ...speech.greeting(locale, brand),
    ...(dtmf === undefined ? [] : speech.challenge(locale, dtmf)),
    ...speech.code(locale, code),
    ...speech.code(locale, code, true),
    ...speech.code(locale, code, true),
    ...speech.repeatHint(locale),
    ...speech.goodbye(locale),
  ];
}

type Row = Map<string, string | number>;

function listLocales(speech: Speech): Row[] {
  const { clips, brands } = speech.recordings;
  const locales = [...new Set([...Object.keys(PHRASES), ...clips.keys()])].sort();
  return locales.map((locale) => {
    const { locale: spoken } = speech.source(locale, 'your-code-is');
    return new Map<string, string | number>([
      ['locale', locale],
      ['language', nameOf(locale)],
      ['spoken', spoken],
      ['recordings', `${clips.get(locale)?.size ?? 0}/${CLIP_NAMES.length}`],
      ['brands', (brands.get(locale)?.size ?? 0) + (brands.get('')?.size ?? 0)],
    ]);
  });
}

function listClips(speech: Speech, locale: string): Row[] {
  const written = localesTried(locale).find((each) => Object.hasOwn(PHRASES, each))!;
  return CLIP_NAMES.map((name) => {
    const { kind, locale: from } = speech.source(locale, name);
    return new Map<string, string | number>([
      ['prompt', name],
      ['source', KINDS[kind]],
      ['spoken', from],
      ['words', wordsOf(written, name)],
    ]);
  });
}

function wordsOf(locale: string, name: ClipName): string {
  const prompt = PROMPT_NAMES.find((each) => each === name);
  return prompt ? PHRASES[locale]![prompt] : PHRASES[locale]!.digits.split(' ')[Number(name)]!;
}

function nameOf(locale: string): string {
  return new Intl.DisplayNames(['en'], { type: 'language' }).of(locale) ?? locale;
}

function parseCode(text: string): string {
  if (/^[0-9]{1,20}$/.test(text)) return text;
  throw new InvalidArgumentError('expected 1 to 20 digits');
}

function parseKey(text: string): Digit {
  const key = DIGITS.find((each) => each === text);
  if (key) return key;
  throw new InvalidArgumentError('expected a key from 0 to 9');
}
