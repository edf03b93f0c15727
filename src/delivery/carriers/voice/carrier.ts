import { sleep } from '../../../environment.js';
import type { AttemptStatus } from '../../../verify/model.js';
import {
  type CarrierContext,
  type CarrierReport,
  type Claim,
  type OutboundMessage,
  type SubmitResult,
  UNWANTED,
} from '../../carrier.js';
import type { HttpClient } from '../../http-client.js';
import { reportUntilTaken } from '../../report-until-taken.js';
import { readNone } from '../provider/answers.js';
import { Call, type Ending, type Step } from './call.js';
import { createCallDesk } from './desk.js';
import { notBrought } from './outcome.js';
import type { CallNews, VoiceProvider } from './provider.js';
import { callRoutes, DOCUMENT_PATH, STATUS_PATH } from './routes.js';
import type { ReadVoiceSettings } from './settings.js';
import { speakerOf } from './voices.js';

export interface CallsOptions {
  readonly provider: VoiceProvider;
  readonly settings: ReadVoiceSettings;
  /** Most calls at a time, of this node. */
  readonly window: number;
  readonly client: HttpClient;
  readonly context: CarrierContext;
  readonly count: (what: string) => void;
}

/** The calls of a carrier: places them, says what they say, and tells how they went. */
export interface Calls {
  /** Places one call; lasts as long as it does. One that nobody has answered is ended when it is unwanted. */
  submit(message: OutboundMessage, claim: Claim, unwanted?: AbortSignal): Promise<SubmitResult>;
  readonly routes: ReturnType<typeof callRoutes>;
  readonly inFlight: number;
  /** Ends the calls that have not spoken the code yet. What has been spoken is told to whoever runs then. */
  stop(): Promise<void>;
}

/** How the end of a call was recorded, at the first time of trying; at once where there is nothing to record. */
interface Recording {
  readonly promise: Promise<'recorded' | 'unavailable'>;
  readonly done: (result: 'recorded' | 'unavailable') => void;
}

/** Milliseconds in which a call shows itself whose request was not answered. */
const SIGN_WITHIN = 10_000;

export function createCalls(options: CallsOptions): Calls {
  const { provider, settings, window, client, context, count } = options;
  const { environment, publicUrl, name, report } = context;
  const voices = { ...provider.voices, ...settings.voices };
  const desk = createCallDesk(environment);
  const live = new Map<Call, Recording>();
  const speakers = new WeakMap<Call, ReturnType<typeof speakerOf>>();
  let stopping = false;

  const addressOf = (call: Call, step: Step | null) =>
    `${publicUrl}/carriers/${name}${step === null ? STATUS_PATH : DOCUMENT_PATH}?token=${desk.issue(call, step)}`;

  async function submit(
    message: OutboundMessage,
    claim: Claim,
    unwanted?: AbortSignal,
  ): Promise<SubmitResult> {
    if (unwanted?.aborted) return UNWANTED;
    if (stopping) return unavailable(5010, 'the server stops');
    if (live.size >= window) {
      return { ...unavailable(3090, 'as many calls as voice.calls allows'), retryAfter: 1_000 };
    }
    const speaker = speakerOf(message.locale, voices);
    const call: Call = new Call({
      environment,
      message,
      settings,
      speaker,
      claim,
      addressOf: (step) => addressOf(call, step),
      onStatus: (status) => {
        const by = { kind: 'hop', hopId: message.hopId } as const;
        void report({ by, status, errorCode: null, underWay: true }).catch(() => {});
      },
    });
    speakers.set(call, speaker);
    const recording = createRecording();
    live.set(call, recording);
    const stop = () => {
      // Whoever has answered is told nothing: the claim will be refused.
      if (!call.answered) call.finish({ kind: 'unwanted' });
    };
    unwanted?.addEventListener('abort', stop, { once: true });
    try {
      const failure = await place(call, message);
      if (failure) return failure;
      const ending = await call.ended;
      desk.forget(call);
      return await conclude(call, message, ending);
    } finally {
      unwanted?.removeEventListener('abort', stop);
      call.finish({ kind: 'stopped' });
      desk.forget(call);
      live.delete(call);
      recording.done('recorded');
    }
  }

  /** Null: there is a call. */
  async function place(call: Call, message: OutboundMessage): Promise<SubmitResult | null> {
    const addresses = { answer: addressOf(call, { at: 'answer' }), status: addressOf(call, null) };
    // A code that has expired is worth nothing to whoever answers then.
    const left = Math.ceil((message.expiresAt - environment.now()) / 1000);
    const ringSeconds = Math.max(5, Math.min(settings.ringSeconds, left));
    const exchange = await client.send(provider.place(message, addresses, ringSeconds));
    const result =
      exchange.kind === 'none' ? readNone(exchange, message) : provider.readPlaced(exchange, message);
    if (result.kind === 'placed') {
      call.placed(result);
      return null;
    }
    if (result.kind !== 'unanswered') return result;
    const shown = await Promise.race([
      call.heardOf.then(() => true),
      call.ended.then(() => true),
      sleep(environment, SIGN_WITHIN).then(() => false),
    ]);
    // Should the call come after all, it finds no document and hangs up: another may be placed.
    return shown ? null : { ...result, kind: 'unavailable' };
  }

  async function conclude(call: Call, message: OutboundMessage, ending: Ending): Promise<SubmitResult> {
    if (!call.claimed) {
      if (ending.kind !== 'told') await hangUp(call);
      return notClaimed(call, message, ending);
    }
    if (ending.kind === 'told') {
      const by = { kind: 'hop', hopId: message.hopId } as const;
      // What the key confirmed stays so, whatever became of the call after it.
      const confirmed = { ...ending.news, status: 'completed', machine: false } as const;
      const end = message.confirmByKey
        ? reportOf(by, confirmed, true)
        : reportOf(by, ending.news, call.spoken);
      await reportUntilTaken(end, {
        report,
        environment,
        isStopping: () => stopping,
        onTried: (result) => live.get(call)?.done(result === 'unavailable' ? 'unavailable' : 'recorded'),
      });
    }
    return { kind: 'accepted', messageId: call.callId };
  }

  function notClaimed(call: Call, message: OutboundMessage, ending: Ending): SubmitResult {
    if (call.unwanted || ending.kind === 'unwanted') return UNWANTED;
    if (ending.kind === 'stopped') return unavailable(5010, 'the server stops');
    if (ending.kind === 'silence') {
      return unavailable(3070, `${provider.title} did not tell how the call went; ${REACH}`);
    }
    const { status, errorCode } = ending.news;
    if (call.machine || ending.news.machine || errorCode === MACHINE) {
      return notBrought('failed', MACHINE, 'a machine answered');
    }
    if (status === 'busy') return notBrought('busy', errorCode ?? 3010, 'busy');
    if (status === 'no-answer') return notBrought('no-answer', errorCode ?? 3000, 'not answered');
    if (status === 'completed') {
      if (call.unpressed) return notBrought('failed', 9110, 'the key that was asked for was not pressed');
      if (call.leftEarly) return notBrought('failed', 4000, 'the callee hung up before the code was spoken');
      return call.answered && (message.dtmf !== null || message.confirmByKey)
        ? notBrought('failed', 4000, 'the callee hung up before the key was pressed')
        : unavailable(5010, `${provider.title} ended the call without asking what it says; ${REACH}`);
    }
    return notBrought('failed', errorCode ?? 5010, 'the call failed');
  }

  async function hangUp(call: Call): Promise<void> {
    const request = provider.hangUp(call);
    if (request) await client.send(request);
  }

  return {
    submit,
    get inFlight() {
      return live.size;
    },
    routes: callRoutes({
      context,
      provider,
      voices,
      desk,
      count,
      speakerOf: (call) => speakers.get(call)!,
      tell: async (call, news) => {
        count(`call_${news.status.replace('-', '_')}`);
        call.heard(news);
        return call.isOver ? (live.get(call)?.promise ?? 'recorded') : 'recorded';
      },
      report: async (news) => {
        if (news.status === 'under-way' || news.status === 'ringing' || news.status === 'in-progress') {
          return 'recorded';
        }
        return report(reportOf({ kind: 'message', messageId: news.callId }, news, true));
      },
    }),
    async stop() {
      stopping = true;
      const calls = [...live].map(([call, { promise }]) => {
        call.finish({ kind: 'stopped' });
        return promise;
      });
      await Promise.all(calls);
    },
  };
}

/** Channel error code of contract §7. */
const MACHINE = 9100;
const REACH = 'see that it reaches COUNTERSIGN_PUBLIC_URL';

/** The end of a call that was marked. Without its code it says so, though the provider calls it completed. */
function reportOf(by: CarrierReport['by'], news: CallNews, spoken: boolean): CarrierReport {
  const { status, duration, cost } = news;
  const told = cost === undefined ? {} : { cost };
  if (news.machine) return { by, status: 'failed', errorCode: MACHINE, ...told };
  if (status === 'completed' && spoken) {
    return { by, status, errorCode: null, ...(duration === undefined ? {} : { duration }), ...told };
  }
  const reached: AttemptStatus = status === 'busy' || status === 'no-answer' ? status : 'failed';
  const standard = { busy: 3010, 'no-answer': 3000, failed: spoken ? 5010 : 4000 }[reached];
  return { by, status: reached, errorCode: news.errorCode ?? standard, ...told };
}

function createRecording(): Recording {
  let done: Recording['done'] = () => {};
  const promise = new Promise<'recorded' | 'unavailable'>((resolve) => {
    done = resolve;
  });
  return { promise, done };
}

function unavailable(errorCode: number, reason: string) {
  return { kind: 'unavailable', errorCode, reason, down: false } as const;
}
