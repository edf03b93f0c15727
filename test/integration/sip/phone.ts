import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort, listening, newDirectory, start } from './programs.js';

/** Whom the phone answers for. */
export const NUMBER = '14155550123';

/** A phone that answers, keeps what it hears, and presses keys when it is told to. */
export async function phone({ codec = 'PCMU', media = '' } = {}) {
  const directory = newDirectory();
  const port = await freePort();
  const control = await freePort();
  const rtp = await freePort();
  writeFileSync(join(directory, 'silence.wav'), silence(90));
  writeFileSync(
    join(directory, 'config'),
    [
      `sip_listen 127.0.0.1:${port}`,
      'net_interface 127.0.0.1',
      `audio_source aufile,${join(directory, 'silence.wav')}`,
      ...['ausrc_srate 8000', 'auplay_srate 8000', 'ausrc_channels 1', 'auplay_channels 1'],
      `rtp_ports ${rtp}-${rtp + 20}`,
      'module_path /usr/lib/baresip/modules',
      ...['g711', 'aufile', 'srtp', 'sndfile'].map((name) => `module ${name}.so`),
      ...['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
      `ctrl_tcp_listen 127.0.0.1:${control}`,
      `snd_path ${directory}`,
    ].join('\n'),
  );
  const options = `;regint=0;answermode=auto;audio_codecs=${codec}${media}`;
  writeFileSync(join(directory, 'accounts'), `<sip:+${NUMBER}@127.0.0.1:${port}>${options}\n`);
  writeFileSync(join(directory, 'contacts'), '');
  start('baresip', ['-f', directory], directory);
  await listening('udp', port);
  return {
    port,
    /** Presses a key, as on a keypad: RFC 4733. */
    press: (key: string) => {
      const body = JSON.stringify({ command: 'sndcode', params: key });
      const socket = connect(control, '127.0.0.1', () => socket.end(`${body.length}:${body},`));
      socket.on('error', () => {});
    },
    /** 8 kHz, one channel: all that came out of the receiver. */
    heard: (): Int16Array => {
      const file = readdirSync(directory).find((name) => name.endsWith('-dec.wav'));
      if (file === undefined) throw new Error('the phone kept nothing');
      const bytes = readFileSync(join(directory, file));
      const data = bytes.indexOf('data') + 8;
      return new Int16Array(
        bytes.buffer.slice(
          bytes.byteOffset + data,
          bytes.byteOffset + bytes.length - ((bytes.length - data) % 2),
        ),
      );
    },
  };
}

type Pieces = readonly ({ readonly samples: Int16Array } | { readonly silence: number })[];

/** The clip of each digit: what a code of that one digit alone has last. */
export function digitClips(code: (code: string) => Pieces): Map<string, Int16Array> {
  return new Map(
    [...'0123456789'].map((digit) => {
      const clips = code(digit).flatMap((piece) => ('samples' in piece ? [piece.samples] : []));
      return [digit, clips.at(-1)!];
    }),
  );
}

/** The digits in the order in which each is heard best, one after the other, from the first mention on. */
export function listen(sound: Int16Array, digits: ReadonlyMap<string, Int16Array>, length: number): string {
  const found: { digit: string; at: number; score: number }[] = [];
  for (const [digit, clip] of digits) {
    let from = 0;
    for (;;) {
      const hit = first(sound, clip, from, 0.8);
      if (!hit) break;
      found.push({ digit, ...hit });
      from = hit.at + 1_600;
    }
  }
  found.sort((a, b) => a.at - b.at);
  // Of two that fit one place the better one is meant.
  const heard: typeof found = [];
  for (const one of found) {
    const last = heard.at(-1);
    if (last && one.at - last.at < 1_600) {
      if (one.score > last.score) heard[heard.length - 1] = one;
    } else heard.push(one);
  }
  return heard
    .map(({ digit }) => digit)
    .join('')
    .slice(0, length);
}

function first(sound: Int16Array, clip: Int16Array, from: number, threshold: number) {
  for (let at = from; at + clip.length <= sound.length; at += 8) {
    const coarse = correlation(sound, clip, at, 8);
    if (coarse < threshold / 2) continue;
    const around = Array.from({ length: 33 }, (_, offset) => at - 16 + offset).filter((one) => one >= 0);
    const scores = around.map((one) => ({ at: one, score: correlation(sound, clip, one, 1) }));
    const hit = scores.reduce((a, b) => (b.score > a.score ? b : a));
    if (hit.score >= threshold) return hit;
  }
  return null;
}

export function best(sound: Int16Array, clip: Int16Array): { score: number } {
  let score = 0;
  for (let at = 0; at + clip.length <= sound.length; at += 2) {
    const coarse = correlation(sound, clip, at, 8);
    if (coarse > 0.5) score = Math.max(score, correlation(sound, clip, at, 1));
  }
  return { score };
}

/** Normalised cross-correlation at one place, -1 to 1; every `stride`th sample is looked at. */
function correlation(sound: Int16Array, clip: Int16Array, at: number, stride: number): number {
  let product = 0;
  let ours = 0;
  let theirs = 0;
  for (let index = 0; index < clip.length && at + index < sound.length; index += stride) {
    const a = clip[index]!;
    const b = sound[at + index]!;
    product += a * b;
    ours += a * a;
    theirs += b * b;
  }
  return ours === 0 || theirs === 0 ? 0 : product / Math.sqrt(ours * theirs);
}

/** A WAV file of so many seconds of nothing. */
function silence(seconds: number): Buffer {
  const size = 8_000 * seconds * 2;
  const wav = Buffer.alloc(44 + size);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + size, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(8_000, 24);
  wav.writeUInt32LE(16_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(size, 40);
  return wav;
}
