import synthesize from 'espeak-ng';
import { condition } from '../../src/speech/condition.js';
import { type ClipName, DIGITS } from '../../src/speech/pack.js';
import { PHRASES, PROMPT_NAMES } from '../../src/speech/phrases.js';
import { readWav } from '../../src/speech/wav.js';
import { SPELLINGS } from './spellings.js';
import { voiceOf } from './voices.js';

/** Words a minute: slower than the synthesizer's own 175, for a bad line and a pen in the hand. */
const SPEED = 140;
/** The longest prompt, in seconds. */
const LONGEST = 15;

/**
 * Renders one clip of a locale, ready to be packed. The same bytes on every machine.
 * @throws Error when the synthesizer does not know the voice, or says nothing
 */
export async function renderClip(locale: string, name: ClipName): Promise<Int16Array> {
  const text = textOf(locale, name);
  const problems: string[] = [];
  const program = await synthesize({
    arguments: ['-w', '/clip.wav', '-v', voiceOf(locale), '-s', String(SPEED), '--', text],
    print: () => {},
    printErr: (line) => {
      // Emscripten's remark on every normal end.
      if (!line.includes('keepRuntimeAlive')) problems.push(line);
    },
  });
  if (problems.length > 0) throw new Error(`${locale} ${name}: ${problems.join('; ')}`);
  const clip = condition(readWav(program.FS.readFile('/clip.wav'), LONGEST));
  if (!clip) throw new Error(`${locale} ${name}: the synthesizer says nothing`);
  return clip;
}

/** What the synthesizer is given. */
export function textOf(locale: string, name: ClipName): string {
  const spelling = SPELLINGS[locale];
  const prompt = PROMPT_NAMES.find((each) => each === name);
  if (prompt) return spelling?.[prompt] ?? PHRASES[locale]![prompt];
  return (spelling?.digits ?? DIGITS.join(' ')).split(' ')[Number(name)]!;
}
