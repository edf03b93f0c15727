import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Certified } from '../../support/certificates.js';
import { isListening } from '../../support/ports.js';
import { remove } from '../../support/remove.js';
import { until } from '../../support/server-process.js';
import { SHIPPED_SPEECH } from '../../support/speech.js';
import { digitClips, hearDigits } from '../../support/spoken-digits.js';
import { EndedEarly, hasEnded, run, startAtFreePorts } from '../programs.js';

/** A phone that answers every call to its number, keeps what it hears and presses keys: baresip. */
export interface Phone {
  /** Where it takes SIP, over UDP and TCP on 127.0.0.1. */
  readonly port: number;
  /** Where it takes SIP over TLS, if it has a certificate. */
  readonly tlsPort: number;
  /** Presses a key in the call that stands. */
  press(key: number): Promise<void>;
  hangUp(): Promise<void>;
  /** Waits until so many milliseconds of sound have come. */
  hears(milliseconds: number): Promise<void>;
  /** Waits until so many calls have ended. */
  ended(calls: number): Promise<void>;
  /** What it heard in its only call: 8 kHz, one channel. */
  heard(): Int16Array;
}

/** Ports for sound: more than its calls take. */
const RTP_PORTS = 20;

/** Where Debian's packages put the modules; the folder of the architecture is baresip's own default. */
const MODULES = '/usr/lib/baresip/modules';

/**
 * Starts a phone with a number; it is ended when the test is over.
 * @param account what else baresip is told of its account, such as `;mediaenc=srtp`
 * @param certified what it shows over TLS; null: it has none
 */
export function startPhone(
  baresip: string,
  number: string,
  account = '',
  certified: Certified | null = null,
): Promise<Phone> {
  return startAtFreePorts(1, 4 + RTP_PORTS, ([first]) =>
    startAt(first!, baresip, number, account, certified),
  );
}

async function startAt(
  port: number,
  baresip: string,
  number: string,
  account: string,
  certified: Certified | null,
): Promise<Phone> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-phone-'));
  onTestFinished(() => remove(directory));
  const control = port + 2;
  const from = port + 4;
  const modules = ['g711', 'srtp', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`);
  const certificate = join(directory, 'certificate.pem');
  if (certified) writeFileSync(certificate, `${certified.key}${certified.cert}`);
  const config = [
    'poll_method epoll',
    ...(certified ? [`sip_certificate ${certificate}`] : []),
    'net_interface 127.0.0.1',
    `sip_listen 127.0.0.1:${port}`,
    `module_path ${MODULES}`,
    ...modules,
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen 127.0.0.1:${control}`,
    `snd_path ${directory}`,
    // Bridges to nowhere: it plays to nobody, and says nothing but silence.
    'audio_player aubridge,nowhere',
    'audio_source aubridge,nowhere',
    'audio_alert aubridge,nowhere',
    `rtp_ports ${from}-${from + RTP_PORTS - 1}`,
  ];
  writeFileSync(join(directory, 'config'), `${config.join('\n')}\n`);
  writeFileSync(
    join(directory, 'accounts'),
    `<sip:+${number}@127.0.0.1>;regint=0;answermode=auto${account}\n`,
  );
  const { output, child } = run(baresip, ['-f', directory, '-v']);
  await until('the phone is ready', () => {
    if (hasEnded(child)) throw new EndedEarly(output());
    return (
      isListening(child, control, 'tcp') && isListening(child, port, 'udp') && isListening(child, port, 'tcp')
    );
  });
  const line = await controlOf(control);
  const told = (type: string, calls: number) =>
    until(`${calls} times ${type}`, () => line.events.filter((each) => each === type).length >= calls);
  const heard = () => {
    const recordings = readdirSync(directory).filter((name) => name.endsWith('-dec.wav'));
    if (recordings.length > 1) throw new Error('it was called more than once');
    return recordings.length === 0
      ? new Int16Array()
      : samplesOf(readFileSync(join(directory, recordings[0]!)));
  };
  return {
    port,
    // Which is not settable.
    tlsPort: port + 1,
    press: (key) => line.command('sndcode', String(key)),
    hangUp: () => line.command('hangup'),
    ended: (calls) => told('CALL_CLOSED', calls),
    hears: (milliseconds) => until('the phone hears something', () => heard().length >= milliseconds * 8),
    heard,
  };
}

/** The digits that a phone heard. */
export function digitsHeardBy(phone: Phone, locale: string): string {
  const clipOf = digitClips((digits) => SHIPPED_SPEECH.code(locale, digits));
  return hearDigits(phone.heard(), clipOf)
    .map(({ digit }) => digit)
    .join('');
}

interface Control {
  /** Types of the phone's events so far. */
  readonly events: readonly string[];
  /** Runs a command of the phone. Rejects when the phone does not take it. */
  command(name: string, params?: string): Promise<void>;
}

/** The phone's control port: JSON in netstrings, both ways. */
async function controlOf(port: number): Promise<Control> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  // The phone may be killed before.
  socket.on('error', () => {});
  const events: string[] = [];
  const waiting: ((ok: boolean) => void)[] = [];
  let rest = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    rest += chunk;
    for (let at = rest.indexOf(':'); at >= 0; at = rest.indexOf(':')) {
      const end = at + 1 + Number(rest.slice(0, at));
      if (rest.length <= end) break;
      const told = JSON.parse(rest.slice(at + 1, end)) as { type?: string; response?: true; ok?: boolean };
      if (told.response) waiting.shift()?.(told.ok === true);
      else events.push(told.type ?? '');
      rest = rest.slice(end + 1);
    }
  });
  return {
    events,
    command: (name, params = '') =>
      new Promise((resolve, reject) => {
        const text = JSON.stringify({ command: name, params });
        waiting.push((ok) => (ok ? resolve() : reject(new Error(`the phone did not take ${name}`))));
        socket.write(`${text.length}:${text},`);
      }),
  };
}

/** Samples of a WAV file of 16 bits, whose header may not know the length yet. */
function samplesOf(wav: Buffer): Int16Array {
  const at = wav.indexOf('data') + 8;
  const bytes = wav.subarray(at, wav.length - ((wav.length - at) % 2));
  return Int16Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(index * 2));
}
