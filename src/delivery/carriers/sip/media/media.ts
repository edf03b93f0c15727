/** The codecs of a call, by their names in SDP (RFC 3551 §4.5.14): G.711 µ-law and A-law, 8 kHz, one channel. */
export type Codec = 'PCMU' | 'PCMA';

/**
 * Something to be heard. Clips are known by the identity of their array: hand over the same `Int16Array` for the
 * same prompt in every call and it is encoded and sent to the media thread once; never change it afterwards.
 */
export type Sound =
  /** 8 kHz, one channel, 16-bit linear. At most `MAX_CLIP_SAMPLES`. */
  | { readonly samples: Int16Array }
  /** Milliseconds of silence, 0 to 60,000. */
  | { readonly silence: number };

/** What the SDP of a call says of SRTP with SDES keys (RFC 4568). */
export type SrtpPolicy =
  /** `RTP/AVP` without keys; an answer or offer that insists on SRTP is refused. */
  | 'off'
  /** `RTP/AVP` with `a=crypto` lines, which a peer that knows nothing of them ignores. */
  | 'optional'
  /** `RTP/SAVP`; an answer or offer without a key that we can use is refused. */
  | 'required';

export interface MediaOptions {
  /** Names the call in errors only; unique while the call lives. */
  readonly call: string;
  /** The local address to bind, IPv4 or IPv6. Not a wildcard unless `publicAddress` is given. */
  readonly address: string;
  /** The address to write into SDP where it is not the bound one (behind NAT). */
  readonly publicAddress: string | null;
  /** In order of preference, at least one. */
  readonly codecs: readonly Codec[];
  readonly srtp: SrtpPolicy;
  /**
   * Whose packets are taken before the peer's port is known (symmetric RTP, RFC 4961). `same-address` (the
   * default): only those from the address in the peer's SDP, whatever their port. `first-source`: the first one
   * that sends valid packets, for a peer that is itself behind NAT and writes an address into its SDP that nobody
   * can reach. Either way the first source is kept until a new SDP of the peer changes its address or port, save that
   * the very port in the SDP comes before others of its address; with SRTP only an authenticated packet counts.
   */
  readonly latching?: 'same-address' | 'first-source';
}

/** Sends and receives the sound of all calls, in a thread of its own. */
export interface Media {
  /**
   * Binds a pair of ports (RTP even, RTCP the next) out of the configured range.
   * @throws Error that says why: no free port, an address that cannot be bound, a media thread that is starting again
   */
  open(options: MediaOptions): Promise<MediaSession>;
  /** Ends all calls' media with an RTCP BYE, frees their ports and stops the thread. */
  close(): Promise<void>;
  /** Totals since the start, for metrics. */
  stats(): MediaTotals;
}

export interface MediaTotals {
  /** Calls whose ports are bound now. */
  readonly activeCalls: number;
  readonly packetsSent: number;
  /** Of those, the ones that left more than 5 ms after their time. */
  readonly packetsLate: number;
  readonly packetsReceived: number;
  /** Received and thrown away: malformed, from a stranger, too many, a wrong SRTP tag. */
  readonly packetsRefused: number;
  /** How often the thread died and was started again. */
  readonly restarts: number;
}

export interface MediaEvents {
  /** A key press (RFC 4733), once, when it has ended: `0`–`9`, `*`, `#`, `A`–`D`. The duration is in milliseconds. */
  dtmf: [digit: string, durationMs: number];
  /** The callee has begun to make sound: some 60 ms of it have been heard. */
  'voice-start': [];
  /** The sound has been over for 400 ms (configurable). Its length in milliseconds, without that wait. */
  'voice-end': [lengthMs: number];
  /**
   * The call's media is dead. `no-packets`: nothing came for the time-out, while the peer ought to send; said again
   * only after packets have come again. `failed`: the media thread died; the session plays nothing any more and can
   * only be closed.
   */
  'media-timeout': [reason: 'no-packets' | 'failed'];
}

/**
 * The sound of one call. The order is that of RFC 3264: `offer()`, then `answer()` with the peer's (a provisional
 * response's too, and again when a later response has another), `start()`. SDP texts hold SRTP keys where SRTP is
 * not `off`: never log them.
 */
export interface MediaSession {
  /** The local RTP port, even; RTCP has the next one. */
  readonly port: number;
  /** Our SDP offer: the first one, or, for a re-INVITE that has none, what was agreed. */
  offer(): string;
  /** Takes the peer's answer to the last `offer()`. A refusal (a sentence for the log, no secret in it) changes nothing. */
  answer(sdp: string): 'ok' | { readonly refused: string };
  /**
   * Our SDP answer to an offer of the peer's within the call (re-INVITE, UPDATE), hold included: while the peer wants
   * to hear nothing, nothing is sent and what is played stands still. Null when there is nothing in it that we can do:
   * answer 488; what was agreed stays as it was.
   */
  answerOffer(sdp: string): string | null;
  /** Begins to send, silence at first. Once the call is answered; more than once is harmless. */
  start(): void;
  /**
   * Plays the clips one after the other without a gap. A `play` that is still going on is stopped first.
   * `played` once the last packet has left, `stopped` if it was cut short by anything at all, or before an answer.
   * @throws RangeError for a sound out of its bounds, or more than 1000 of them
   */
  play(clips: readonly Sound[]): Promise<'played' | 'stopped'>;
  stopPlaying(): void;
  /**
   * Sends key presses (RFC 4733), 160 ms each with 80 ms between; what is played stands still meanwhile.
   * @param digits `0`–`9`, `*`, `#`, `A`–`D`, at most 64
   * @throws Error when the peer takes no telephone events, a digit is unknown, or the session ends before all are sent
   */
  sendDtmf(digits: string): Promise<void>;
  on<Name extends keyof MediaEvents>(name: Name, listener: (...values: MediaEvents[Name]) => void): void;
  /** Says goodbye (RTCP BYE) and frees the ports, once they are closed. Calling it again gives the same answer. */
  close(): Promise<MediaStats>;
}

/** How one call's media went. Zeros when the media thread died. */
export interface MediaStats {
  readonly packetsSent: number;
  /** Sent more than 5 ms after their time. */
  readonly packetsLate: number;
  readonly packetsReceived: number;
  /** Packets of the peer that never came, by their sequence numbers. */
  readonly packetsLost: number;
  /** Interarrival jitter of what the peer sends, in milliseconds (RFC 3550 §6.4.1). */
  readonly jitterMs: number;
  /** What the peer reported last of our packets (RFC 3550 §6.4.2); null when it never did. */
  readonly remote: {
    readonly packetsLost: number;
    readonly jitterMs: number;
    /** Null until the peer has echoed one of our sender reports. */
    readonly roundTripMs: number | null;
  } | null;
  readonly codec: Codec | null;
  readonly srtp: boolean;
}

/** Longest clip: two minutes. */
export const MAX_CLIP_SAMPLES = 8_000 * 120;
