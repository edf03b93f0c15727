import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeWav } from '#speech/wav.js';

/** A tone of some seconds, at a part of full scale. */
export function tone(hertz: number, rate: number, { seconds = 1, level = 0.5 } = {}): Float64Array {
  return Float64Array.from(
    { length: rate * seconds },
    (_, index) => level * Math.sin((2 * Math.PI * hertz * index) / rate),
  );
}

/** The level of one frequency in a sound: 1 for a tone at full scale (Goertzel). */
export function levelOf(hertz: number, samples: ArrayLike<number>, rate: number): number {
  let [real, imaginary] = [0, 0];
  for (let index = 0; index < samples.length; index++) {
    real += samples[index]! * Math.cos((2 * Math.PI * hertz * index) / rate);
    imaginary += samples[index]! * Math.sin((2 * Math.PI * hertz * index) / rate);
  }
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}

export function toInt16(samples: Float64Array): Int16Array {
  return Int16Array.from(samples, (sample) => Math.round(sample * 32_767));
}

/** The bytes of a WAV file with a tone. */
export function toneFile(hertz: number, rate = 16_000, seconds = 1): Uint8Array {
  return writeWav(toInt16(tone(hertz, rate, { seconds })), rate);
}

/** A folder of the test's own with these files; removed when it ends. */
export async function folderOf(files: Record<string, Uint8Array | string> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-speech-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}
