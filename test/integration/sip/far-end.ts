import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { isListening } from '../../support/ports.js';
import { remove } from '../../support/remove.js';
import { until } from '../../support/server-process.js';
import { EndedEarly, hasEnded, run, startAtFreePorts } from '../programs.js';

/** The other end of a trunk, which keeps to a scenario and fails when we do not: SIPp. */
export interface FarEnd {
  readonly port: number;
  /** Rejects when the scenario did not go as it is written, or not within its time. */
  done(): Promise<void>;
  /** What the scenario's `log` actions wrote. */
  logged(): string;
}

export interface FarEndOptions {
  /** Values of the words in square brackets that scenarios have of their own. */
  readonly keys?: Readonly<Record<string, string | number>>;
  /** How many calls it takes; 1. */
  readonly calls?: number;
  /** Where the sound of calls is to go; nobody takes it otherwise. */
  readonly rtp?: number;
  /** The port that it says it has: that of something before it. */
  readonly contact?: number;
  readonly transport?: 'udp' | 'tcp';
  /** What else SIPp is started with. */
  readonly options?: readonly string[];
}

/** Most that a scenario may take, in seconds: only one that goes wrong takes as long. */
const SECONDS = 120;

/** Starts SIPp as the side that is called, or with a target as the side that asks; it is ended with the test. */
export function startFarEnd(
  sipp: string,
  scenario: string,
  options: FarEndOptions = {},
  target?: number,
): Promise<FarEnd> {
  return startAtFreePorts(2, 4, ([port, media]) => startAt(port!, media!, sipp, scenario, options, target));
}

async function startAt(
  port: number,
  media: number,
  sipp: string,
  scenario: string,
  { keys = {}, calls = 1, rtp, contact, transport = 'udp', options = [] }: FarEndOptions,
  target?: number,
): Promise<FarEnd> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-sipp-'));
  onTestFinished(() => remove(directory));
  const words = {
    status: 486,
    reason: 'Busy Here',
    header: 'X-Nothing: 1',
    algorithm: 'MD5',
    target: 'nowhere.invalid',
    rtp: rtp ?? media,
    contact: contact ?? port,
    ...keys,
  };
  // SIPp's own way to give values comes too late for a status.
  const text = Object.entries(words).reduce(
    (filled, [name, value]) => filled.replaceAll(`[${name}]`, String(value)),
    readFileSync(new URL(`./scenarios/${scenario}.xml`, import.meta.url), 'utf8'),
  );
  const file = join(directory, `${scenario}.xml`);
  writeFileSync(file, text);
  const { child, output } = run(
    sipp,
    [
      ...(target === undefined ? [] : [`127.0.0.1:${target}`]),
      ...['-sf', file],
      ...['-i', '127.0.0.1', '-p', String(port), '-mp', String(media)],
      ...['-m', String(calls), '-t', transport === 'udp' ? 'u1' : 't1'],
      // What comes during a pause comes again, if it matters: nobody has answered it.
      ...[
        '-nostdin',
        '-pause_msg_ign',
        '-trace_err',
        '-trace_logs',
        '-timeout',
        `${SECONDS}s`,
        '-timeout_error',
      ],
      ...options,
    ],
    directory,
  );
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const written = (kind: string) =>
    readdirSync(directory)
      .filter((name) => name.endsWith(`_${kind}.log`))
      .map((name) => readFileSync(join(directory, name), 'latin1'))
      .join('');
  const complaint = () => `${scenario}: ${written('errors').slice(0, 4_000) || output().slice(-2_000)}`;
  if (target === undefined) {
    await until('SIPp listens', () => {
      if (hasEnded(child)) throw new EndedEarly(complaint());
      return isListening(child, port, transport);
    });
  }
  return {
    port,
    done: async () => {
      const [code] = await ended;
      if (code !== 0) throw new Error(`SIPp ended with ${code}, ${complaint()}`);
    },
    logged: () => written('logs'),
  };
}
