import { type Environment, sleep, type Timer } from '../../../environment.js';
import {
  type Carrier,
  type CarrierContext,
  type CarrierStatus,
  type SubmitResult,
  UNWANTED,
} from '../../carrier.js';
import { reportUntilTaken } from '../../report-until-taken.js';
import { Agent } from './agent.js';
import { Call, type CallResult } from './call/call.js';
import type { Media } from './media/media.js';
import { pairsIn } from './media/ports.js';
import { describeBindFailure } from './open.js';
import { describeFailure, outcomeOf } from './outcome.js';
import type { ReadSettings } from './settings.js';
import type { Transport } from './transport/transport.js';
import type { Resolver } from './trunk/resolve.js';
import { Trunk } from './trunk/trunk.js';

/** What the carrier is made of; tests give their own. */
export interface Parts {
  readonly resolver: Resolver;
  readonly openTransport: (settings: ReadSettings, environment: Environment) => Promise<Transport>;
  readonly createMedia: (settings: ReadSettings, environment: Environment) => Media;
}

/** The sockets and what stands on them, once they are open. */
interface Line {
  readonly transport: Transport;
  readonly agent: Agent;
  readonly trunks: readonly Trunk[];
  readonly media: Media;
}

const OPEN_RETRY = 5_000;
/** Milliseconds that stopping gives to goodbyes, at most: enough for some repeats of one that was lost. */
const GOODBYES = 2_000;
const GOODBYE_LOOK = 100;
/** Milliseconds for the answer to a REGISTER that is under way, and again for taking it back. */
const UNREGISTER_WITHIN = 1_000;

/** Calls over the operator's trunks. A submit lasts as long as its call. */
export function createSipCarrier(settings: ReadSettings, context: CarrierContext, parts: Parts): Carrier {
  const { name, environment, log, speech, report, share } = context;
  const window = Math.min(Math.max(1, Math.ceil(settings.calls / share.count)), pairsIn(settings.rtpPorts));
  const rate = settings.callsPerSecond / share.count;
  const calls = new Set<Call>();
  const counts = { calls: 0, ringing: 0, answered: 0, completed: 0, malformed: 0 };
  let line: Line | null = null;
  let opening: Promise<Line | null> | null = null;
  let problem: string | null = null;
  let retry: Timer | null = null;
  let nextStart = Number.NEGATIVE_INFINITY;
  let stopping = false;
  let stopped: Promise<void> | null = null;
  /** The end of a call; until it is taken, the call keeps its place in the window. */
  const taking = { report, environment, isStopping: () => stopping };

  async function openLine(): Promise<Line | null> {
    try {
      const transport = await parts.openTransport(settings, environment);
      const agent = new Agent({
        environment,
        transport,
        resolver: parts.resolver,
        publicAddress: settings.publicAddress,
        publicPort: settings.publicPort,
        userAgent: 'Countersign',
        trusts: (address) => trunks.some((trunk) => trunk.has(address)),
        onMalformed: (why, from) => {
          counts.malformed++;
          log.debug({ carrier: name, from: from.address, why }, 'a SIP message could not be read');
        },
      });
      const trunks = settings.trunks.map(
        (trunk) =>
          new Trunk({
            agent,
            resolver: parts.resolver,
            settings: trunk,
            keepAlive: settings.keepAlive,
            responseTimeout: settings.responseTimeout,
            registerFor: settings.registerFor,
            onChange: (state, detail) => {
              const level = state === 'up' ? 'info' : 'warn';
              log[level]({ carrier: name, trunk: trunk.host, state, detail }, `the trunk is ${state}`);
            },
          }),
      );
      problem = null;
      line = { transport, agent, trunks, media: parts.createMedia(settings, environment) };
      for (const trunk of trunks) trunk.start();
      return line;
    } catch (error) {
      const found = describeBindFailure(settings, error);
      // It is tried again and again: once is enough to be read.
      if (found !== problem) log.error({ carrier: name, err: error }, found);
      problem = found;
      return null;
    }
  }

  /** One opening at a time; after a failure the next submit, or a while, tries again. */
  function open(): Promise<Line | null> {
    if (line || stopping) return Promise.resolve(line);
    opening ??= openLine().then((opened) => {
      opening = null;
      if (!opened && !stopping) {
        retry?.cancel();
        retry = environment.after(OPEN_RETRY, () => void open());
      }
      return opened;
    });
    return opening;
  }

  /** Keeps the rate: calls begin no closer to one another than it says. */
  async function turn(): Promise<void> {
    const now = environment.monotonic();
    const at = Math.max(now, nextStart);
    nextStart = at + 1000 / rate;
    if (at > now) await sleep(environment, at - now);
  }

  async function submit(
    ...[message, claim = async () => true, unwanted]: Parameters<Carrier['submit']>
  ): Promise<SubmitResult> {
    const on = await open();
    if (!on) return unavailable(5010, problem ?? 'the carrier is stopped', true);
    await turn();
    let last: SubmitResult = unavailable(5000, 'no trunk can be used', true);
    for (const trunk of on.trunks) {
      if (stopping) return unavailable(5010, 'the server stops', false);
      if (unwanted?.aborted) return UNWANTED;
      // Waiting for a turn, or another trunk, has taken what time there was.
      if (message.expiresAt <= environment.now()) return expired();
      if (!trunk.isUsable) {
        last =
          last.kind === 'unavailable' && last.errorCode !== 5000
            ? last
            : unavailable(5000, `no trunk can be used: ${trunk.detail}`, true);
        continue;
      }
      const call = new Call({
        ...on,
        trunk,
        speech,
        settings,
        message,
        claim,
        onStatus: (status) => {
          counts[status === 'ringing' ? 'ringing' : 'answered']++;
          const by = { kind: 'hop', hopId: message.hopId } as const;
          void report({ by, status, errorCode: null, underWay: true }).catch(() => {});
        },
      });
      calls.add(call);
      counts.calls++;
      const cancel = () => call.cancel();
      unwanted?.addEventListener('abort', cancel, { once: true });
      call.start();
      const ended = await call.result;
      unwanted?.removeEventListener('abort', cancel);
      calls.delete(call);
      if (unwanted?.aborted && ended.kind === 'not-answered') return UNWANTED;
      const result = await conclude(message.hopId, trunk, ended);
      const next = ended.kind === 'not-answered' && result.kind === 'unavailable';
      if (!next) return result;
      last = result;
    }
    return last;
  }

  /** What a call's end means for its attempt; what came after the mark is reported. */
  async function conclude(hopId: string, trunk: Trunk, ended: CallResult): Promise<SubmitResult> {
    if (ended.kind === 'not-begun')
      return unavailable(5010, `the call could not begin: ${ended.why.slice(0, 120)}`, false);
    if (ended.kind === 'not-answered') {
      const { failure, rang } = ended;
      const { status, errorCode, fault, down } = outcomeOf(failure, rang);
      const reason = describeFailure(failure);
      if (fault === 'recipient') return { kind: 'refused', errorCode, reason, status };
      const retryAfter = failure.kind === 'response' ? failure.retryAfter : null;
      if (retryAfter !== null) trunk.pause(retryAfter);
      return { ...unavailable(errorCode, reason, down), ...(retryAfter === null ? {} : { retryAfter }) };
    }
    const { result, duration } = ended;
    if (result.kind === 'unwanted') return UNWANTED;
    if (result.kind === 'failed' && !result.marked) {
      const { errorCode, why: reason, fault } = result;
      return fault === 'recipient'
        ? { kind: 'refused', errorCode, reason }
        : unavailable(errorCode, reason, false);
    }
    const by = { kind: 'hop', hopId } as const;
    if (result.kind === 'completed') {
      counts.completed++;
      await reportUntilTaken({ by, status: 'completed', errorCode: null, duration }, taking);
    } else {
      const { errorCode, why } = result;
      log.warn({ carrier: name, hopId, errorCode, why }, 'a call failed amid the code');
      await reportUntilTaken({ by, status: 'failed', errorCode }, taking);
    }
    return { kind: 'accepted', messageId: null };
  }

  async function stop(): Promise<void> {
    stopping = true;
    retry?.cancel();
    await opening;
    if (!line) return;
    const { agent, trunks, media, transport } = line;
    agent.goodbyes.hurry();
    for (const call of calls) call.stop();
    await Promise.all([...calls].map(({ result }) => result));
    await Promise.all([...trunks.map((trunk) => trunk.stop(UNREGISTER_WITHIN)), goodbyes(agent)]);
    agent.close();
    await Promise.all([media.close(), transport.close()]);
  }

  /** A BYE that nobody got is a call that goes on. */
  async function goodbyes(agent: Agent): Promise<void> {
    for (let waited = 0; waited < GOODBYES; waited += GOODBYE_LOOK) {
      await sleep(environment, GOODBYE_LOOK);
      if (agent.goodbyes.size === 0 && agent.transactions.unanswered === 0) return;
    }
  }

  return {
    name,
    type: 'sip',
    channels: ['voice'],
    window,
    endsWithProcess: true,
    start: () => void open(),
    submit,
    status: (): CarrierStatus => {
      const usable = line?.trunks.filter(({ isUsable }) => isUsable) ?? [];
      const unwell = line?.trunks.filter(({ isUsable }) => !isUsable) ?? [];
      const details = unwell.map((trunk) => `${trunk.settings.host}: ${trunk.detail}`);
      const connecting = line
        ? usable.length === 0 && unwell.some((trunk) => !trunk.isKnown)
        : problem === null;
      return {
        state: connecting ? 'connecting' : usable.length > 0 ? 'up' : 'down',
        detail: problem ?? (details.length > 0 ? details.join('; ') : null),
        inFlight: calls.size,
        window,
        rate,
        counts: { ...counts },
      };
    },
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

function expired() {
  return { ...unavailable(5010, 'the code expired before the call began', false), untried: true };
}

function unavailable(errorCode: number, reason: string, down: boolean) {
  return { kind: 'unavailable', errorCode, reason, down } as const;
}
