import type { Timer } from '../../../../environment.js';
import { describeNetworkError } from '../../../http-client.js';
import type { Agent } from '../agent.js';
import { listOf, type SipResponse, secondsOf } from '../message/message.js';
import { hostPort, parseAddress, parseUri } from '../message/uri.js';
import type { TrunkSettings } from '../settings.js';
import { token } from '../transaction/layer.js';
import { type Peer, peerKey } from '../transport/transport.js';
import { createAuthenticator } from './authenticator.js';
import { type Answered, exchange } from './exchange.js';
import { type Resolver, resolvePeers } from './resolve.js';

export interface TrunkOptions {
  readonly agent: Agent;
  readonly resolver: Resolver;
  readonly settings: TrunkSettings;
  /** Milliseconds between two looks whether it answers; 0: none. */
  readonly keepAlive: number;
  /** Milliseconds that a peer may stay silent. */
  readonly responseTimeout: number;
  /** Seconds that a registration is asked to last. */
  readonly registerFor: number;
  readonly onChange: (state: 'up' | 'down', detail: string | null) => void;
}

/** How long found addresses are used, in milliseconds. When DNS fails, the last ones are, for as long again. */
const RESOLVED_FOR = 30_000;
/** Milliseconds that calls wait for a DNS that is slow when there are addresses of before. */
const RESOLVE_WITHIN = 1_000;
/** Milliseconds for which a peer that did not answer is tried last. */
const LAST_FOR = 120_000;
/** Waits before a failed registration is tried again, in milliseconds: doubling from first to last. */
const REGISTER_RETRY_FIRST = 5_000;
const REGISTER_RETRY_LAST = 300_000;
/** Answers to OPTIONS that say that a trunk is not well. Any other, a refusal included, shows that it is there. */
const UNWELL = [408, 503, 504];
/** Digits in which two numbers must agree to be one, where a number is without its country. */
const LEAST_NATIONAL = 7;

/** What was last found out: null while nothing was; in a few words why it is not well. */
interface Finding {
  readonly ok: boolean | null;
  readonly detail: string | null;
}

const NOTHING_YET: Finding = { ok: null, detail: null };

/** One trunk: where its peers are, whether they answer, and its registration. */
export class Trunk {
  readonly settings: TrunkSettings;
  readonly authenticator: ReturnType<typeof createAuthenticator>;
  readonly #options: TrunkOptions;
  readonly #ids: { readonly callId: string; readonly tag: string };
  #number = 0;
  #peers: readonly Peer[] = [];
  #freshUntil = Number.NEGATIVE_INFINITY;
  /** Until when a peer is tried last, on the monotonic clock. */
  readonly #unwell = new Map<string, number>();
  #resolving: Promise<readonly Peer[]> | null = null;
  #reachable = NOTHING_YET;
  #registered = NOTHING_YET;
  /** When the registrar forgets us, unless it is asked again. */
  #registeredUntil = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #retry = REGISTER_RETRY_FIRST;
  #expires: number;
  #lookTimer: Timer | null = null;
  #registerTimer: Timer | null = null;
  #registering = false;
  #stopped = false;
  /** What `onChange` was told last. */
  #told: { readonly state: 'up' | 'down'; readonly detail: string | null } | null = null;

  constructor(options: TrunkOptions) {
    const { environment } = options.agent;
    this.#options = options;
    this.settings = options.settings;
    this.authenticator = createAuthenticator(options.settings.credentials, environment);
    this.#ids = { callId: token(environment, 16), tag: token(environment, 8) };
    this.#expires = options.registerFor;
  }

  /** Whether a call may be tried: nothing says that it cannot be. */
  get isUsable(): boolean {
    const now = this.#options.agent.environment.monotonic();
    const registered = this.#registered.ok === true && this.#registeredUntil > now;
    return (
      this.#pausedUntil <= now && this.#reachable.ok !== false && (!this.settings.register || registered)
    );
  }

  /** What to know of it; null when all is well. */
  get detail(): string | null {
    if (this.isUsable) return null;
    const known = this.#reachable.detail ?? this.#registered.detail;
    if (known !== null) return known;
    return this.settings.register && this.#registered.ok === null
      ? 'not registered yet'
      : 'asked for a pause';
  }

  /** Whether it was found out how it stands: a trunk with a registration is not up before that was asked for. */
  get isKnown(): boolean {
    if (this.#reachable.ok === false) return true;
    return (this.settings.register ? this.#registered.ok : this.#reachable.ok) !== null;
  }

  /** Begins to register and to look whether it answers. */
  start(): void {
    if (this.settings.register) void this.#register();
    if (this.#options.keepAlive > 0) void this.#look();
    // Its requests are taken by their address, from the beginning.
    if (!this.settings.register && this.#options.keepAlive === 0) void this.peers();
  }

  /** Takes back the registration, for `within` milliseconds at most. */
  async stop(within: number): Promise<void> {
    this.#stopped = true;
    this.#lookTimer?.cancel();
    this.#registerTimer?.cancel();
    if (this.#registered.ok !== true) return;
    this.#registered = NOTHING_YET;
    // A connection that would have to be opened for it may take longer.
    await new Promise<void>((resolve) => {
      const limit = this.#options.agent.environment.after(within, resolve);
      const done = () => {
        limit.cancel();
        resolve();
      };
      this.#ask('REGISTER', { expires: 0 }, within).then(done, done);
    });
  }

  /** Peers in the order in which they are tried, those that did not answer of late last; empty when none is found. */
  async peers(): Promise<readonly Peer[]> {
    const found = await this.#found();
    const now = this.#options.agent.environment.monotonic();
    const isUnwell = (peer: Peer) => (this.#unwell.get(peerKey(peer)) ?? 0) > now;
    return [...found.filter((peer) => !isUnwell(peer)), ...found.filter(isUnwell)];
  }

  async #found(): Promise<readonly Peer[]> {
    const { environment } = this.#options.agent;
    if (environment.monotonic() < this.#freshUntil) return this.#peers;
    this.#resolving ??= this.#resolve();
    if (this.#peers.length === 0) return this.#resolving;
    const found = this.#resolving;
    return new Promise((resolve) => {
      const timer = environment.after(RESOLVE_WITHIN, () => resolve(this.#peers));
      void found.then((peers) => {
        timer.cancel();
        resolve(peers);
      });
    });
  }

  async #resolve(): Promise<readonly Peer[]> {
    const { agent, resolver, settings } = this.#options;
    const found = this.#identified(await resolvePeers(settings, resolver, agent.environment).catch(() => []));
    this.#resolving = null;
    if (found.length > 0) this.#peers = found;
    for (const [key, until] of this.#unwell) {
      if (until <= agent.environment.monotonic()) this.#unwell.delete(key);
    }
    if (this.#peers.length > 0) this.#freshUntil = agent.environment.monotonic() + RESOLVED_FOR;
    return this.#peers;
  }

  /** Whether an address is one of its peers, as last found. */
  has(address: string): boolean {
    return this.#peers.some((peer) => peer.address === address);
  }

  /** RFC 3261 §21.5.4: no call for as long as the trunk asked. */
  pause(milliseconds: number): void {
    this.#pausedUntil = this.#options.agent.environment.monotonic() + milliseconds;
  }

  /**
   * The peers of a redirect's target: of the trunk's own hosts, or of those that its settings allow, and not for another
   * number than was called, which is another person at another price.
   * @param called digits of the number
   */
  async redirect(uri: string, called: string): Promise<readonly Peer[]> {
    const target = parseUri(uri);
    if (!target || isOtherNumber(target.user, called)) return [];
    const { agent, resolver, settings } = this.#options;
    const { host, domain, redirectHosts } = settings;
    const allowed = [host, domain, ...redirectHosts].includes(target.host) || this.has(target.host);
    if (!allowed) return [];
    const named = target.parameters.get('transport')?.toLowerCase();
    const protocol = target.secure ? 'tls' : named === 'tcp' || named === 'tls' ? named : settings.protocol;
    if (target.host === host && target.port === null) return this.peers();
    const destination = { host: target.host, port: target.port, protocol };
    return this.#identified(await resolvePeers(destination, resolver, agent.environment));
  }

  /** What the trunk says when it is asked, for a check. A REGISTER so changes nothing. */
  probe(method: 'OPTIONS' | 'REGISTER'): Promise<Answered> {
    return this.#ask(method, {}, this.#options.responseTimeout);
  }

  /** The peers with what is shown to them over TLS. */
  #identified(peers: readonly Peer[]): readonly Peer[] {
    const { identity } = this.settings;
    if (!identity) return peers;
    return peers.map((peer) => (peer.protocol === 'tls' ? { ...peer, identity: identity.id } : peer));
  }

  async #look(): Promise<void> {
    const { keepAlive, responseTimeout } = this.#options;
    const answer = await this.#ask('OPTIONS', {}, responseTimeout);
    if (this.#stopped) return;
    // A refusal for want of credentials is an answer too: the INVITE will tell.
    const isWell =
      answer.kind === 'credentials' ||
      (answer.kind === 'response' && !UNWELL.includes(answer.response.status));
    const isBack = isWell && this.#reachable.ok === false;
    this.#note({ reachable: { ok: isWell, detail: isWell ? null : describeAnswer(answer) } });
    this.#lookTimer = this.#options.agent.environment.after(keepAlive, () => void this.#look());
    // Who was away may have forgotten us.
    if (isBack && this.settings.register && !this.#registering) this.#registerAfter(0);
  }

  /** RFC 3261 §10.2, kept alive until `stop`. */
  async #register(): Promise<void> {
    const { environment } = this.#options.agent;
    this.#registering = true;
    const answer = await this.#ask('REGISTER', { expires: this.#expires }, this.#options.responseTimeout * 2);
    this.#registering = false;
    if (this.#stopped) return;
    const now = environment.monotonic();
    if (answer.kind === 'response' && answer.response.status < 300) {
      this.#retry = REGISTER_RETRY_FIRST;
      const granted = grantedBy(answer.response, answer.contact) ?? this.#expires;
      this.#registeredUntil = now + granted * 1000;
      this.#note({ registered: { ok: true, detail: null } });
      // Soon enough for a few repeats before the registration is forgotten.
      this.#registerAfter(Math.max(granted * 850, granted * 1000 - 60_000, 5_000));
      return;
    }
    if (answer.kind === 'response' && answer.response.status === 423) {
      const least = secondsOf(answer.response, 'min-expires') ?? 0;
      if (least > this.#expires && least <= 604_800) {
        this.#expires = least;
        return this.#register();
      }
    }
    // What a registrar granted stands while it is only out of reach or unwell.
    const stands = this.#registered.ok === true && this.#registeredUntil > now && isPassing(answer);
    this.#note({ registered: { ok: stands, detail: `registration: ${describeAnswer(answer)}` } });
    const asked = answer.kind === 'response' ? (secondsOf(answer.response, 'retry-after') ?? 0) * 1000 : 0;
    this.#registerAfter(Math.min(Math.max(this.#retry, asked), REGISTER_RETRY_LAST));
    this.#retry = Math.min(this.#retry * 2, REGISTER_RETRY_LAST);
  }

  #registerAfter(delay: number): void {
    this.#registerTimer?.cancel();
    this.#registerTimer = this.#options.agent.environment.after(delay, () => void this.#register());
  }

  async #ask(
    method: 'OPTIONS' | 'REGISTER',
    extra: { readonly expires?: number },
    timeout: number,
  ): Promise<Answered> {
    const { agent, settings } = this.#options;
    const domain = hostPort(settings.domain, null);
    const user = settings.credentials?.username ?? '';
    const address = `<sip:${user === '' ? '' : `${encodeURIComponent(user)}@`}${domain}>`;
    const registering = method === 'REGISTER';
    const peers = await this.peers();
    if (peers.length === 0) {
      return { kind: 'unreachable', error: Object.assign(new Error('not found'), { code: 'ENOTFOUND' }) };
    }
    return exchange(agent, peers, this.authenticator, {
      method,
      uri: `sip:${domain}`,
      from: address,
      to: registering ? address : `<sip:${domain}>`,
      // A registration's refreshes belong together (RFC 3261 §10.2.4); each OPTIONS is one of its own.
      callId: registering ? this.#ids.callId : token(agent.environment, 16),
      tag: registering ? this.#ids.tag : token(agent.environment, 8),
      nextNumber: () => ++this.#number,
      headers: (contact): Readonly<Record<string, string | number>> => {
        if (!registering) return { contact, accept: 'application/sdp' };
        // Without a contact it only asks what is registered (RFC 3261 §10.2.3).
        return extra.expires === undefined ? {} : { contact, expires: extra.expires };
      },
      contactUser: user === '' ? '' : encodeURIComponent(user),
      timeout,
      onUnwell: (peer) => this.#unwell.set(peerKey(peer), agent.environment.monotonic() + LAST_FOR),
    });
  }

  #note(found: { readonly reachable?: Finding; readonly registered?: Finding }): void {
    this.#reachable = found.reachable ?? this.#reachable;
    this.#registered = found.registered ?? this.#registered;
    if (!this.isKnown) return;
    const state = this.isUsable ? 'up' : 'down';
    const { detail } = this;
    // Down for another reason is news too: who mended one thing waits to hear of the next.
    if (this.#told?.state === state && this.#told.detail === detail) return;
    this.#told = { state, detail };
    this.#options.onChange(state, detail);
  }
}

function isPassing(answer: Answered): boolean {
  if (answer.kind === 'response') return answer.response.status === 408 || answer.response.status >= 500;
  return answer.kind !== 'credentials';
}

/**
 * Whether a user part is a telephone number, and not the one that was called: in full, whatever is dialled before it, or as
 * its country writes it, with a prefix of three digits at most in place of the country's own.
 */
function isOtherNumber(user: string, called: string): boolean {
  const number = plainUser(user)
    .replace(/;.*$/s, '')
    .replace(/[().-]/g, '');
  if (!/^[+0-9*#]{5,}$/.test(number) || number.endsWith(called)) return false;
  const isNational = [0, 1, 2, 3].some((prefix) => {
    const rest = number.slice(prefix);
    return rest.length >= LEAST_NATIONAL && called.endsWith(rest);
  });
  return number.startsWith('+') || !isNational;
}

/** As it is meant: who writes `%2B` means `+` (RFC 3261 §19.1.2). */
function plainUser(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

/** Seconds that a registrar granted: what it says of our own contact, where it is shown as we told it; else `Expires`. */
function grantedBy(response: SipResponse, contact: string): number | null {
  const all = listOf(response, 'contact').flatMap((value) => parseAddress(value) ?? []);
  const own = all.filter(({ uri }) => uri === parseAddress(contact)?.uri);
  const contacts = own.length > 0 ? own : all;
  const named = contacts.map(({ parameters }) => Number(parameters.get('expires'))).filter((one) => one > 0);
  const granted = named.length > 0 ? Math.min(...named) : secondsOf(response, 'expires');
  return granted === null ? null : Math.min(granted, 604_800);
}

/** An answer in a few words. */
export function describeAnswer(answer: Answered): string {
  switch (answer.kind) {
    case 'silent':
      return 'no answer';
    case 'unreachable': {
      const why = describeNetworkError(answer.error);
      return why === null ? 'cannot be reached' : `cannot be reached: ${why}`;
    }
    case 'credentials':
      return answer.given ? 'user name or password refused' : 'asks for a user name and password';
    case 'response':
      return `SIP ${answer.response.status}`;
  }
}
