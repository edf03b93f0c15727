import { cpus, totalmem } from 'node:os';
import type { CreateMeasure } from './measures.js';
import type { SmppRound } from './smpp.js';
import { median } from './statistics.js';

/** What one round measured; every rate is per second. */
export interface Round {
  readonly bareFramework: number;
  /** Creates and the raw database in turn, so that what disturbs the one disturbs the other too. */
  readonly pairs: readonly { readonly creates: CreateMeasure; readonly rawDatabase: number }[];
  readonly createsWithCallbacks: CreateMeasure;
  readonly validations: number;
  /** Median milliseconds of a create at one connection. */
  readonly singleCreate: number;
  readonly smpp: SmppRound;
}

export interface Measured {
  /** The machine's load average of one minute before the first measure; 0 where the platform has none. */
  readonly loadBefore: number;
  readonly rounds: readonly Round[];
  /** Milliseconds each. */
  readonly coldStarts: readonly number[];
  /** Megabytes. */
  readonly restRss: number;
}

export interface Aim {
  readonly text: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly at: string;
  readonly medians: Readonly<Record<string, number>>;
  readonly aims: readonly Aim[];
  readonly measured: Measured;
}

/** Medians over the rounds (over all pairs where there are pairs), and whether the aims are met. */
export function reportOf(measured: Measured): Report {
  const { rounds, coldStarts } = measured;
  const over = (read: (round: Round) => number) => median(rounds.map(read));
  const pairs = rounds.flatMap((round) => round.pairs.map((pair) => ({ ...pair, ...round })));
  const overPairs = (read: (pair: (typeof pairs)[number]) => number) => median(pairs.map(read));
  const medians = {
    bareFramework: over((round) => round.bareFramework),
    rawDatabase: overPairs(({ rawDatabase }) => rawDatabase),
    creates: overPairs(({ creates }) => creates.rate),
    createP50: overPairs(({ creates }) => creates.p50),
    createP99: overPairs(({ creates }) => creates.p99),
    createCpu: overPairs(({ creates }) => creates.cpu),
    createRss: overPairs(({ creates }) => creates.rss),
    commandsPerCommit: overPairs(({ creates }) => creates.batch),
    generatorCpu: overPairs(({ creates }) => creates.generatorCpu),
    createsWithCallbacks: over((round) => round.createsWithCallbacks.rate),
    callbackP50: over((round) => round.createsWithCallbacks.p50),
    callbackP99: over((round) => round.createsWithCallbacks.p99),
    callbackCpu: over((round) => round.createsWithCallbacks.cpu),
    callbackRss: over((round) => round.createsWithCallbacks.rss),
    validations: over((round) => round.validations),
    singleCreate: over((round) => round.singleCreate),
    coldStart: median(coldStarts),
    restRss: measured.restRss,
    createsToRawDatabase: overPairs(({ creates, rawDatabase }) => creates.rate / rawDatabase),
    createsToBareFramework: overPairs(({ creates, bareFramework }) => creates.rate / bareFramework),
    callbacksToRawDatabase: overPairs(
      ({ createsWithCallbacks, rawDatabase }) => createsWithCallbacks.rate / rawDatabase,
    ),
    callbacksToBareFramework: over((round) => round.createsWithCallbacks.rate / round.bareFramework),
    smppBare: over(({ smpp }) => smpp.bare),
    smppCarrier: over(({ smpp }) => smpp.carrier),
    smppServer: over(({ smpp }) => smpp.server),
    smppCarrierToBare: over(({ smpp }) => smpp.carrier / smpp.bare),
    smppServerToBare: over(({ smpp }) => smpp.server / smpp.bare),
    smppToWireP50: over(({ smpp }) => smpp.toWire.p50),
    smppToWireP99: over(({ smpp }) => smpp.toWire.p99),
    validationsToBareFramework: over((round) => round.validations / round.bareFramework),
  };
  const aims: Aim[] = [
    {
      text: 'creates ≥ 50 % of the raw database',
      measured: percent(medians.createsToRawDatabase),
      met: medians.createsToRawDatabase >= 0.5,
    },
    {
      text: 'p99 of a create < 30 ms at 64 connections',
      measured: `${medians.createP99.toFixed(1)} ms`,
      met: medians.createP99 < 30,
    },
    {
      text: 'median create < 3 ms at 1 connection',
      measured: `${medians.singleCreate.toFixed(2)} ms`,
      met: medians.singleCreate < 3,
    },
    {
      text: 'SMPP, one bind: ≥ 2,000 submit_sm a second with receipts, durable',
      measured: count(medians.smppServer),
      met: medians.smppServer >= 2_000,
    },
    {
      text: 'the SMPP carrier ≥ 50 % of the bare library',
      measured: percent(medians.smppCarrierToBare),
      met: medians.smppCarrierToBare >= 0.5,
    },
    {
      text: 'from the answer to the SMSC: p99 ≤ 10 ms at 500 creates a second',
      measured: `${medians.smppToWireP99.toFixed(1)} ms`,
      met: medians.smppToWireP99 <= 10,
    },
    {
      text: 'cold start < 1 s',
      measured: `${medians.coldStart.toFixed(0)} ms`,
      met: medians.coldStart < 1000,
    },
    {
      text: 'RSS at rest < 150 MB',
      measured: `${medians.restRss.toFixed(0)} MB`,
      met: medians.restRss < 150,
    },
  ];
  const [cpu] = cpus();
  return {
    machine: {
      cpu: cpu?.model ?? 'unknown',
      cores: cpus().length,
      memory_gb: Math.round(totalmem() / 1e9),
      platform: `${process.platform} ${process.arch}`,
      node: process.version,
    },
    at: new Date().toISOString(),
    medians,
    aims,
    measured,
  };
}

/** The report as text for a terminal. */
export function textOf({ machine, medians: m, aims, measured }: Report): string {
  const table = [
    ['', 'per second', 'of raw db', 'of framework', 'p50 ms', 'p99 ms', 'cores', 'RSS MB'],
    ['bare framework, constant answer', count(m.bareFramework), '', '100 %', '', '', '', ''],
    ['raw database, same rows and batches', count(m.rawDatabase), '100 %', '', '', '', '', ''],
    [
      'creates, fully reported',
      count(m.creates),
      percent(m.createsToRawDatabase),
      percent(m.createsToBareFramework),
      fixed(m.createP50),
      fixed(m.createP99),
      fixed(m.createCpu, 2),
      count(m.createRss),
    ],
    [
      'creates with 3 callbacks each',
      count(m.createsWithCallbacks),
      percent(m.callbacksToRawDatabase),
      percent(m.callbacksToBareFramework),
      fixed(m.callbackP50),
      fixed(m.callbackP99),
      fixed(m.callbackCpu, 2),
      count(m.callbackRss),
    ],
    ['validations', count(m.validations), '', percent(m.validationsToBareFramework), '', '', '', ''],
    ['creates, one connection', '', '', '', fixed(m.singleCreate, 2), '', '', ''],
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  const busy = measured.loadBefore > Number(machine.cores) / 4;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node.js ${machine.node}`,
    `medians of ${measured.rounds.length} rounds; 64 connections; synchronous=FULL; ${fixed(m.commandsPerCommit)} commands a commit; load generator ${fixed(m.generatorCpu, 2)} cores`,
    ...(busy ? [`NOTE: the machine was busy (load ${fixed(measured.loadBefore)}): look at ratios only`] : []),
    '',
    ...lines,
    '',
    `SMPP, one bind, submits with receipts a second: bare library ${count(m.smppBare)}; the carrier alone ${count(m.smppCarrier)} (${percent(m.smppCarrierToBare)}); the whole server, durable, ${count(m.smppServer)} (${percent(m.smppServerToBare)}); answer to wire p50 ${fixed(m.smppToWireP50)} ms, p99 ${fixed(m.smppToWireP99)} ms`,
    `cold start ${fixed(m.coldStart, 0)} ms (median of ${measured.coldStarts.length}), ${fixed(m.restRss, 0)} MB at rest`,
    '',
    ...aims.map(({ text, measured, met }) => `${met ? 'met    ' : 'NOT MET'}  ${text}: ${measured}`),
  ].join('\n');
}

const count = (value: number | undefined) => Math.round(value!).toLocaleString('en');
const percent = (ratio: number | undefined) => `${(ratio! * 100).toFixed(0)} %`;
const fixed = (value: number | undefined, digits = 1) => value!.toFixed(digits);
