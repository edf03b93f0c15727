import type { Environment, Timer } from '../../../environment.js';
import { CONFIRMING_KEY } from '../../../verify/model.js';
import type { Claim, OutboundMessage } from '../../carrier.js';
import {
  challenge,
  code,
  confirm,
  confirmed,
  confirmGreeting,
  goodbye,
  greeting,
  repeatHint,
  type Verb,
  type Words,
} from './document.js';
import type { CallNews, Placed } from './provider.js';
import type { ReadVoiceSettings } from './settings.js';
import type { Speaker } from './voices.js';

/**
 * What a provider asks: what the call does at its answer, after a key that was asked for before the code or instead of
 * it, without that key, after key 1.
 */
export type Step =
  | { readonly at: 'answer' }
  /** `asked`: how often the key had been asked for then. */
  | { readonly at: 'key' | 'confirm'; readonly asked: number }
  /** The key was asked for as often as it may be, and nobody pressed any. */
  | { readonly at: 'unpressed' }
  | { readonly at: 'repeat' };

export interface CallOptions {
  readonly environment: Environment;
  readonly message: OutboundMessage;
  readonly settings: ReadVoiceSettings;
  readonly speaker: Speaker;
  readonly claim: Claim;
  /** An address, good for one request, at which the provider asks for a step. */
  readonly addressOf: (step: Step) => string;
  /** Told as the call goes on, before the code is spoken. */
  readonly onStatus: (status: 'ringing' | 'in-progress') => void;
}

/** How a call ended. */
export type Ending =
  | { readonly kind: 'told'; readonly news: CallNews }
  /** The provider told nothing in time. */
  | { readonly kind: 'silence' }
  /** The server stops. */
  | { readonly kind: 'stopped' }
  /** Its session has ended before anybody answered. */
  | { readonly kind: 'unwanted' };

/** Milliseconds that a provider may hold a call back before it rings: accounts have few calls a second. */
const QUEUED = 60_000;
/** Milliseconds beyond what a call may last that its end may take to be told. */
const TOLD_WITHIN = 30_000;

/** One call that a provider places for us: what it says, and how it goes. */
export class Call {
  readonly #options: CallOptions;
  readonly ended: Promise<Ending>;
  #end: (ending: Ending) => void = () => {};
  #sign: () => void = () => {};
  /** Resolves when the provider has told anything of the call. */
  readonly heardOf: Promise<void>;
  callId: string | null = null;
  requestId: string | null = null;
  /** Somebody, or a machine, answered, and the provider asked what the call says. */
  answered = false;
  machine = false;
  /** The callee stayed for all the asking, and did not press the key. */
  unpressed = false;
  /** The mark is committed: the call is not placed again. */
  claimed = false;
  /** The attempt is not ours to bring any more. */
  unwanted = false;
  /** The call was over while the mark could not be committed: nobody has heard the code. */
  leftEarly = false;
  /** The document with the code was given out. Never of a call that is to be confirmed. */
  spoken = false;
  #over = false;
  #rang = false;
  #repeated = 0;
  #claiming: Promise<void> | null = null;
  /** Aborted when nobody is there any more to hear the code. */
  readonly #nobody = new AbortController();
  #limit: Timer | null = null;

  constructor(options: CallOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.heardOf = new Promise((resolve) => {
      this.#sign = resolve;
    });
    this.#watch(QUEUED + options.settings.ringSeconds * 1000 + TOLD_WITHIN);
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Whether what is told is told of this call. */
  isMeant({ callId, requestId }: CallNews): boolean {
    const sameCall = this.callId === null || this.callId === callId;
    return sameCall && (this.requestId === null || requestId === null || this.requestId === requestId);
  }

  /** The provider took the call. */
  placed({ callId, requestId }: Placed): void {
    this.callId ??= callId;
    this.requestId ??= requestId;
  }

  /** The provider tells how it goes. */
  heard(news: CallNews): void {
    this.#take(news);
    if (news.status === 'ringing' && !this.#rang && !this.answered) {
      this.#rang = true;
      this.#options.onStatus('ringing');
    }
    if (news.status === 'under-way' || news.status === 'ringing' || news.status === 'in-progress') return;
    this.finish({ kind: 'told', news });
  }

  /** What the call does next. With the code, or that the number is confirmed, only after the mark is committed. */
  async next(step: Step, news: CallNews): Promise<readonly Verb[]> {
    const { message, settings, speaker, onStatus } = this.#options;
    this.#take(news);
    this.#watch(settings.maxSeconds * 1000 + TOLD_WITHIN);
    if (step.at === 'answer') {
      this.answered = true;
      onStatus('in-progress');
    }
    if (news.machine) this.machine = true;
    if (this.machine) return [{ verb: 'hang-up' }];
    switch (step.at) {
      case 'answer': {
        if (message.confirmByKey) {
          // Said before it is asked for: no key counts before that is heard.
          const words = confirmGreeting(speaker, message.brandName);
          return [{ verb: 'say', words }, ...this.#ask('confirm', 0, [])];
        }
        const hello = greeting(speaker, message.brandName);
        return message.dtmf === null ? this.#speak(hello) : this.#ask('key', 0, hello);
      }
      case 'key':
        if (news.key === String(message.dtmf)) return this.#speak([]);
        return step.asked < settings.keyAsks ? this.#ask('key', step.asked, []) : this.#giveUp(news);
      case 'confirm':
        if (news.key === String(CONFIRMING_KEY)) return this.#confirm();
        return step.asked < settings.keyAsks ? this.#ask('confirm', step.asked, []) : this.#giveUp(news);
      case 'unpressed':
        return this.#giveUp(news);
      case 'repeat':
        if (news.key !== '1') return this.#farewell();
        this.#repeated++;
        return this.#speak([]);
    }
  }

  /** Ends it for us; what comes later finds no call. */
  finish(ending: Ending): void {
    if (this.#over) return;
    this.#over = true;
    this.#limit?.cancel();
    // That the key was pressed stays true.
    if (!this.#options.message.confirmByKey) this.#nobody.abort();
    // Whether the mark is committed is known only when it has been tried.
    void Promise.resolve(this.#claiming).then(() => this.#end(ending));
  }

  #take({ callId, requestId }: CallNews): void {
    this.callId ??= callId;
    this.requestId ??= requestId;
    this.#sign();
  }

  #watch(within: number): void {
    this.#limit?.cancel();
    this.#limit = this.#options.environment.after(within, () => this.finish({ kind: 'silence' }));
  }

  /**
   * Asks for the key as often as it may still be: each time that nobody presses one, the next follows, and after the last
   * a step that tells a callee who did not press it from one who hung up.
   */
  #ask(at: 'key' | 'confirm', asked: number, before: readonly Words[]): readonly Verb[] {
    const { message, settings, speaker, addressOf } = this.#options;
    const request = at === 'confirm' ? confirm(speaker) : challenge(speaker, message.dtmf!);
    const asks = Array.from({ length: settings.keyAsks - asked }, (_, index): Verb => {
      const words = [...(index === 0 ? before : []), ...request];
      const url = addressOf({ at, asked: asked + index + 1 });
      return { verb: 'ask', words, url, seconds: settings.keySeconds };
    });
    return [...asks, { verb: 'redirect', url: addressOf({ at: 'unpressed' }) }];
  }

  #giveUp(news: CallNews): readonly Verb[] {
    // Plivo may ask even of a callee who has hung up: https://docs.plivo.com/docs/voice/xml/redirect
    this.unpressed = news.status === 'in-progress';
    return [{ verb: 'hang-up' }];
  }

  async #speak(before: readonly Words[]): Promise<readonly Verb[]> {
    const { message, settings, speaker, addressOf } = this.#options;
    await this.#commit();
    if (!this.claimed || this.#over) return [{ verb: 'hang-up' }];
    this.spoken = true;
    const say: Verb = { verb: 'say', words: [...before, ...code(speaker, message.code)] };
    if (this.#repeated >= settings.repeats) return [say, ...this.#farewell()];
    const words = repeatHint(speaker);
    const ask: Verb = {
      verb: 'ask',
      words,
      url: addressOf({ at: 'repeat' }),
      seconds: settings.repeatSeconds,
    };
    return [say, ask, ...this.#farewell()];
  }

  /** The number is confirmed by the commit: only after it may the call say so. */
  async #confirm(): Promise<readonly Verb[]> {
    await this.#commit();
    if (!this.claimed || this.#over) return [{ verb: 'hang-up' }];
    return [{ verb: 'say', words: confirmed(this.#options.speaker) }, ...this.#farewell()];
  }

  async #commit(): Promise<void> {
    if (this.claimed) return;
    this.#claiming ??= this.#options.claim(this.callId, this.#nobody.signal).then(
      (ok) => {
        this.claimed = ok;
        this.leftEarly = !ok && this.#nobody.signal.aborted;
        this.unwanted = !ok && !this.leftEarly;
      },
      () => {
        this.unwanted = true;
      },
    );
    await this.#claiming;
  }

  #farewell(): readonly Verb[] {
    return [{ verb: 'say', words: goodbye(this.#options.speaker) }, { verb: 'hang-up' }];
  }
}
