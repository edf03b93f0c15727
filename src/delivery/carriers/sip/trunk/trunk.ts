import type { Timer } from '../../../../environment.js';
import type { Agent } from '../agent.js';
import { hostPort, parseUri } from '../message/uri.js';
import type { TrunkSettings } from '../settings.js';
import { token } from '../transaction/layer.js';
import { type Peer, peerKey } from '../transport/transport.js';
import { createAuthenticator } from './authenticator.js';
import { type Answered, describeAnswer, exchange } from './exchange.js';
import { NOTHING_YET, type Question, Registration } from './registration.js';
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
/** Answers to OPTIONS that say that a trunk is not well. Any other, a refusal included, shows that it is there. */
const UNWELL = [408, 503, 504];
/** Digits in which two numbers must agree to be one, where a number is without its country. */
const LEAST_NATIONAL = 7;

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
  readonly #registration: Registration | null;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #lookTimer: Timer | null = null;
  /** Ends what is asked when the trunk stops. */
  readonly #looks = new AbortController();
  #stopped = false;
  /** What `onChange` was told last. */
  #told: { readonly state: 'up' | 'down'; readonly detail: string | null } | null = null;

  constructor(options: TrunkOptions) {
    const { environment } = options.agent;
    this.#options = options;
    this.settings = options.settings;
    this.authenticator = createAuthenticator(options.settings.credentials, environment);
    this.#ids = { callId: token(environment, 16), tag: token(environment, 8) };
    const { register } = options.settings;
    this.#registration = register ? this.#createRegistration() : null;
  }

  /** Whether a call may be tried: nothing says that it cannot be. */
  get isUsable(): boolean {
    const now = this.#options.agent.environment.monotonic();
    return this.#pausedUntil <= now && this.#reachable.ok !== false && (this.#registration?.stands ?? true);
  }

  /** The proxies that calls are to be led through, in `Route`, while the registration stands (RFC 3608). */
  get serviceRoute(): readonly string[] {
    return this.#registration?.serviceRoute ?? [];
  }

  /** What to know of it; null when all is well. */
  get detail(): string | null {
    if (this.isUsable) return null;
    const known = this.#reachable.detail ?? this.#registration?.finding.detail ?? null;
    if (known !== null) return known;
    return this.#registration?.finding.ok === null ? 'not registered yet' : 'asked for a pause';
  }

  /** Whether it was found out how it stands: a trunk with a registration is not up before that was asked for. */
  get isKnown(): boolean {
    if (this.#reachable.ok === false) return true;
    return (this.#registration?.finding ?? this.#reachable).ok !== null;
  }

  /** Begins to register and to look whether it answers. */
  start(): void {
    this.#registration?.start();
    if (this.#options.keepAlive > 0) void this.#look();
    // Its requests are taken by their address, from the beginning.
    if (!this.settings.register && this.#options.keepAlive === 0) void this.peers();
  }

  /** Takes back the registration, for `within` milliseconds at most, or twice as long while it is being asked for. */
  async stop(within: number): Promise<void> {
    this.#stopped = true;
    this.#lookTimer?.cancel();
    this.#looks.abort();
    await this.#registration?.stop(within);
  }

  /**
   * Peers in the order in which they are tried, those that did not answer of late last; empty when none is found. A
   * service route begins behind the peer that told it, which then is the first.
   */
  peers(): Promise<readonly Peer[]> {
    return this.#ordered(this.serviceRoute.length > 0 ? this.#registration?.grantedBy : null);
  }

  async #ordered(first: string | null = null): Promise<readonly Peer[]> {
    const found = await this.#found();
    const now = this.#options.agent.environment.monotonic();
    const isUnwell = (peer: Peer) => (this.#unwell.get(peerKey(peer)) ?? 0) > now;
    const rank = (peer: Peer) => (isUnwell(peer) ? 2 : peerKey(peer) === first ? 0 : 1);
    return found.toSorted((one, other) => rank(one) - rank(other));
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
    const found = this.#secured(await resolvePeers(settings, resolver, agent.environment).catch(() => []));
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
    const found = this.#secured(await resolvePeers(destination, resolver, agent.environment));
    // One of its own addresses, which its certificate need not name.
    const isOwnAddress = this.has(target.host);
    return found.map((peer) =>
      peer.protocol === 'tls' && isOwnAddress ? { ...peer, serverName: host } : peer,
    );
  }

  /** What the trunk says when it is asked, for a check. A REGISTER so changes nothing. */
  probe(method: 'OPTIONS' | 'REGISTER'): Promise<Answered> {
    return this.#ask(method, { timeout: this.#options.responseTimeout, signal: this.#looks.signal });
  }

  /** The peers with what is trusted for them and shown to them over TLS. */
  #secured(peers: readonly Peer[]): readonly Peer[] {
    const { authority, identity } = this.settings;
    const terms = {
      ...(authority ? { authority: authority.id } : {}),
      ...(identity ? { identity: identity.id } : {}),
    };
    return peers.map((peer) => (peer.protocol === 'tls' ? { ...peer, ...terms } : peer));
  }

  async #look(): Promise<void> {
    const { keepAlive, responseTimeout } = this.#options;
    const answer = await this.#ask('OPTIONS', { timeout: responseTimeout, signal: this.#looks.signal });
    if (this.#stopped) return;
    // A refusal for want of credentials is an answer too: the INVITE will tell.
    const isWell =
      answer.kind === 'credentials' ||
      (answer.kind === 'response' && !UNWELL.includes(answer.response.status));
    const isBack = isWell && this.#reachable.ok === false;
    this.#reachable = { ok: isWell, detail: isWell ? null : describeAnswer(answer) };
    this.#tell();
    this.#lookTimer = this.#options.agent.environment.after(keepAlive, () => void this.#look());
    // Who was away may have forgotten us.
    if (isBack) this.#registration?.again();
  }

  #createRegistration(): Registration {
    const { agent, registerFor, responseTimeout } = this.#options;
    return new Registration({
      environment: agent.environment,
      registerFor,
      timeout: responseTimeout * 2,
      ask: (binding) => this.#ask('REGISTER', binding),
      onLoss: (listener) => agent.onLoss(listener),
      onFinding: () => this.#tell(),
    });
  }

  /** A REGISTER without a binding asks what is registered (RFC 3261 §10.2.3). */
  async #ask(
    method: 'OPTIONS' | 'REGISTER',
    { timeout, signal, headers, first }: Question,
  ): Promise<Answered> {
    const { agent, settings } = this.#options;
    const domain = hostPort(settings.domain, null);
    const user = settings.credentials?.username ?? '';
    const address = `<sip:${user === '' ? '' : `${encodeURIComponent(user)}@`}${domain}>`;
    const registering = method === 'REGISTER';
    const peers = await this.#ordered(first);
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
      headers: headers ?? (registering ? () => ({}) : (contact) => ({ contact, accept: 'application/sdp' })),
      contactUser: user === '' ? '' : encodeURIComponent(user),
      timeout,
      signal,
      onUnwell: (peer) => this.#unwell.set(peerKey(peer), agent.environment.monotonic() + LAST_FOR),
    });
  }

  /** Tells how it stands, where that is something else than was told last. */
  #tell(): void {
    if (!this.isKnown) return;
    const state = this.isUsable ? 'up' : 'down';
    const { detail } = this;
    // Down for another reason is news too: who mended one thing waits to hear of the next.
    if (this.#told?.state === state && this.#told.detail === detail) return;
    this.#told = { state, detail };
    this.#options.onChange(state, detail);
  }
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
