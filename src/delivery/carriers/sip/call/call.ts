import type { Timer } from '../../../../environment.js';
import type { Piece, Speech } from '../../../../speech/prompts.js';
import { CONFIRMING_KEY } from '../../../../verify/model.js';
import type { Claim, OutboundMessage } from '../../../carrier.js';
import type { Agent } from '../agent.js';
import { Invitation, type InviteFailure } from '../dialog/invitation.js';
import type { Media, MediaSession, Sound } from '../media/media.js';
import { hostPort } from '../message/uri.js';
import type { ReadSettings } from '../settings.js';
import type { Trunk } from '../trunk/trunk.js';
import { callerOf, formatNumber } from './caller.js';
import {
  BEFORE_ANSWER,
  type Phrase,
  type ScriptAction,
  type ScriptEvent,
  type ScriptResult,
  type ScriptSettings,
  step,
  type TimerName,
} from './script.js';

export interface CallOptions {
  readonly agent: Agent;
  readonly trunk: Trunk;
  readonly media: Media;
  readonly speech: Speech;
  readonly settings: ReadSettings;
  readonly message: OutboundMessage;
  readonly claim: Claim;
  /** Told as the call goes on, before its end. */
  readonly onStatus: (status: 'ringing' | 'in-progress') => void;
}

/** How a call ended. */
export type CallResult =
  | { readonly kind: 'not-answered'; readonly failure: InviteFailure; readonly rang: boolean }
  /** Seconds from the answer to the end, rounded up. */
  | { readonly kind: 'answered'; readonly result: ScriptResult; readonly duration: number }
  /** We could not even begin: no port for its sound, say. */
  | { readonly kind: 'not-begun'; readonly why: string };

/** How often what is being said begins again when its sound was cut short, as by another codec: no peer needs more. */
const SAY_AGAIN = 8;

/** A key that comes by RTP and by INFO was pressed once; in milliseconds. */
const SAME_PRESS = 1_000;

/** One call over one trunk: joins signalling, sound and script. */
export class Call {
  readonly #options: CallOptions;
  readonly #script: ScriptSettings;
  readonly #timers = new Map<TimerName, Timer>();
  /** Aborted when nobody is there any more to hear the code. */
  readonly #nobody = new AbortController();
  readonly result: Promise<CallResult>;
  #resolve: (result: CallResult) => void = () => {};
  #state = BEFORE_ANSWER;
  #session: MediaSession | null = null;
  #invitation: Invitation | null = null;
  #answeredAt: number | null = null;
  #rang = false;
  #over = false;
  #stopping = false;
  /** The media thread has been asked for a port: it is waited for, to be given back. */
  #opening = false;
  #limit: Timer | null = null;
  /** Which `say` is the latest: the end of an earlier one is no news. */
  #saying = 0;
  #saidAgain = 0;
  #lastKey: { readonly key: string; readonly by: 'rtp' | 'info'; readonly at: number } | null = null;

  constructor(options: CallOptions) {
    this.#options = options;
    const { dtmf, confirmByKey } = options.message;
    const key = confirmByKey ? CONFIRMING_KEY : dtmf;
    this.#script = { ...options.settings.script, key, confirms: confirmByKey };
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Begins the call; `result` tells how it ended. */
  start(): void {
    this.#begin().catch((error: unknown) => {
      this.#finish({ kind: 'not-begun', why: error instanceof Error ? error.message : 'defect' });
    });
  }

  /** Ends it, since the server stops. */
  stop(): void {
    this.#stopping = true;
    if (this.#answeredAt !== null) this.#step({ kind: 'stop' });
    else this.#abandon();
  }

  /** Ends it unless it was answered: whoever lifted the phone is greeted, and the claim will be refused. */
  cancel(): void {
    if (this.#answeredAt !== null) return;
    this.#stopping = true;
    this.#abandon();
  }

  /** Ends what nobody has answered. What waits for DNS to say where the trunk is waits no longer. */
  #abandon(): void {
    if (this.#invitation) this.#invitation.hangUp();
    else if (!this.#opening)
      this.#finish({ kind: 'not-answered', failure: { kind: 'cancelled' }, rang: false });
  }

  async #begin(): Promise<void> {
    const { agent, trunk, media, speech, settings, message } = this.#options;
    void speech.prepare(message.locale, message.brandName);
    const peers = await trunk.peers();
    if (this.#over) return;
    const [first] = peers;
    if (!first) {
      const error = Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
      this.#finish({ kind: 'not-answered', failure: { kind: 'unreachable', error }, rang: false });
      return;
    }
    const { callerId, assertedIdentity, plus, dialPrefix, publicAddress, codecs, srtp, latching } = settings;
    this.#opening = true;
    const session = await media.open({
      call: message.hopId,
      address: await agent.localAddress(first),
      publicAddress,
      codecs,
      srtp,
      latching,
    });
    this.#session = session;
    if (this.#stopping) {
      this.#finish({ kind: 'not-answered', failure: { kind: 'cancelled' }, rang: false });
      return;
    }
    session.on('dtmf', (digit) => this.#key(digit, 'rtp'));
    session.on('voice-start', () => this.#step({ kind: 'voice-start' }));
    session.on('voice-end', (length) => this.#step({ kind: 'voice-end', length }));
    session.on('media-timeout', () => {
      // Whoever answered now would hear nothing.
      if (this.#answeredAt === null) this.#invitation?.hangUp();
      else this.#step({ kind: 'media-timeout' });
    });
    const { domain, credentials } = trunk.settings;
    const host = hostPort(domain, null);
    const caller = callerOf({
      candidates: [message.src, message.sender, callerId, credentials?.username ?? null],
      assertedIdentity,
      plus,
      domain,
    });
    const called = `${dialPrefix}${formatNumber(message.recipient, plus && dialPrefix === '')}`;
    const uri = `sip:${called.replaceAll('#', '%23')}@${hostPort(domain, trunk.settings.port)}`;
    this.#invitation = new Invitation({
      agent,
      peers,
      uri,
      routes: trunk.serviceRoute,
      from: caller.from,
      to: `<sip:${called.replaceAll('#', '%23')}@${host}>`,
      contactUser: caller.user,
      headers: caller.headers,
      authenticator: trunk.authenticator,
      media: session,
      responseTimeout: settings.responseTimeout,
      // A code that has expired is worth nothing to whoever answers then.
      ringTimeout: Math.max(
        1_000,
        Math.min(settings.ringTimeout, message.expiresAt - agent.environment.now()),
      ),
      sessionInterval: settings.sessionInterval,
      redirect: (target) => trunk.redirect(target, message.recipient),
      events: {
        onRinging: () => {
          this.#rang = true;
          this.#options.onStatus('ringing');
        },
        onAnswered: () => this.#answered(session),
        onFailed: (failure) => this.#finish({ kind: 'not-answered', failure, rang: this.#rang }),
        onEnded: () => this.#step({ kind: 'hung-up' }),
        onDigit: (digit) => this.#key(digit, 'info'),
      },
    });
    this.#invitation.start();
  }

  #answered(session: MediaSession): void {
    const { agent, settings, onStatus } = this.#options;
    this.#answeredAt = agent.environment.monotonic();
    this.#limit = agent.environment.after(settings.maxDuration, () =>
      this.#step({ kind: 'maximum-duration' }),
    );
    session.start();
    onStatus('in-progress');
    this.#step({ kind: 'answered' });
  }

  #key(key: string, by: 'rtp' | 'info'): void {
    const at = this.#options.agent.environment.monotonic();
    const last = this.#lastKey;
    if (last && last.key === key && last.by !== by && at - last.at < SAME_PRESS) return;
    this.#lastKey = { key, by, at };
    this.#step({ kind: 'key', key });
  }

  #step(event: ScriptEvent): void {
    if (this.#over || this.#answeredAt === null) return;
    const { state, actions } = step(this.#state, event, this.#script);
    this.#state = state;
    for (const action of actions) this.#do(action);
  }

  #do(action: ScriptAction): void {
    const { environment } = this.#options.agent;
    switch (action.do) {
      case 'say':
        this.#say(action.phrases);
        break;
      case 'be-silent':
        this.#saying++;
        this.#session?.stopPlaying();
        break;
      case 'commit':
        this.#claim();
        break;
      case 'withdraw':
        this.#nobody.abort();
        break;
      case 'set-timer':
        this.#timers.get(action.name)?.cancel();
        this.#timers.set(
          action.name,
          environment.after(action.after, () => this.#step({ kind: 'timer', name: action.name })),
        );
        break;
      case 'clear-timer':
        this.#timers.get(action.name)?.cancel();
        break;
      case 'hang-up':
        this.#invitation?.hangUp();
        break;
      case 'end':
        this.#end(action.result);
    }
  }

  #say(phrases: readonly Phrase[]): void {
    const saying = ++this.#saying;
    this.#play(phrases).then(
      (how) => {
        if (this.#over || saying !== this.#saying) return;
        if (how === 'played') this.#step({ kind: 'said' });
        // The peer has changed the codec, and waits to hear the rest.
        else if (++this.#saidAgain <= SAY_AGAIN) this.#say(phrases);
        else this.#step({ kind: 'cannot-speak', why: 'the peer cut the sound short again and again' });
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : 'defect';
        this.#step({ kind: 'cannot-speak', why: `the prompts cannot be played: ${why.slice(0, 120)}` });
      },
    );
  }

  async #play(phrases: readonly Phrase[]): Promise<'played' | 'stopped'> {
    const clips = phrases.flatMap((phrase) => this.#piecesOf(phrase)) as readonly Sound[];
    return (await this.#session?.play(clips)) ?? 'stopped';
  }

  #piecesOf(phrase: Phrase): readonly Piece[] {
    const { speech, message } = this.#options;
    const { locale, brandName, code, dtmf } = message;
    switch (phrase) {
      case 'greeting':
        return speech.greeting(locale, brandName);
      case 'challenge':
        return speech.challenge(locale, String(dtmf) as Parameters<Speech['challenge']>[1]);
      case 'code':
        return speech.code(locale, code);
      case 'code-again':
        return speech.code(locale, code, true);
      case 'hint':
        return speech.repeatHint(locale);
      case 'confirm-greeting':
        return speech.confirmGreeting(locale, brandName);
      case 'confirm':
        return speech.confirm(locale);
      case 'confirmed':
        return speech.confirmed(locale);
      case 'goodbye':
        return speech.goodbye(locale);
    }
  }

  #claim(): void {
    this.#options.claim(this.#invitation?.callId ?? null, this.#nobody.signal).then(
      (ok) => this.#step({ kind: 'committed', ok }),
      () => this.#step({ kind: 'committed', ok: false }),
    );
  }

  #end(result: ScriptResult): void {
    this.#invitation?.hangUp();
    const elapsed = this.#options.agent.environment.monotonic() - (this.#answeredAt ?? 0);
    this.#finish({ kind: 'answered', result, duration: Math.ceil(elapsed / 1000) });
  }

  #finish(result: CallResult): void {
    if (this.#over) return;
    this.#over = true;
    this.#limit?.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    const session = this.#session;
    session?.stopPlaying();
    // The ports are free again before the call counts as over.
    const closed = session ? session.close().catch(() => null) : Promise.resolve(null);
    void closed.then(() => this.#resolve(result));
  }
}
