import { isIP } from 'node:net';
import { type Static, Type } from 'typebox';
import { SettingsError } from '../../settings-error.js';
import { readAuthority, type TrunkAuthority } from './authority.js';
import { type ClientIdentity, readIdentity } from './identity.js';
import type { Codec, SrtpPolicy } from './media/media.js';
import type { Protocol } from './message/uri.js';

const HOST = '^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)$';
const NUMBER = '^(\\+?[0-9]{3,15}|anonymous)$';

function integer(minimum: number, maximum: number, standard: number, what: string) {
  const description = `${minimum} to ${maximum}, ${what}`;
  return Type.Optional(Type.Integer({ minimum, maximum, default: standard, description }));
}

const trunk = Type.Object(
  {
    host: Type.String({
      pattern: HOST,
      description: 'a domain or an IP address, without sip: before it and without a port behind it',
    }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: '1 to 65535' })),
    transport: Type.Optional(
      Type.Union([Type.Literal('udp'), Type.Literal('tcp'), Type.Literal('tls')], {
        description: 'udp, tcp or tls',
      }),
    ),
    domain: Type.Optional(
      Type.String({ pattern: HOST, description: 'the domain in From, To and the called URI' }),
    ),
    username: Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{1,128}$', description: 'a user name' })),
    password: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'a password' })),
    register: Type.Optional(Type.Boolean({ description: 'true or false' })),
    redirect_hosts: Type.Optional(
      Type.Array(Type.String({ pattern: HOST }), { maxItems: 32, description: 'a list of hosts' }),
    ),
    authority: Type.Optional(
      Type.String({ pattern: '-----BEGIN CERTIFICATE-----', description: 'a certificate in PEM' }),
    ),
    certificate: Type.Optional(
      Type.String({ pattern: '-----BEGIN CERTIFICATE-----', description: 'our certificate in PEM' }),
    ),
    key: Type.Optional(
      Type.String({ pattern: '-----BEGIN [A-Z ]*PRIVATE KEY-----', description: 'its private key in PEM' }),
    ),
  },
  { additionalProperties: false, description: 'a trunk: host, and what it needs' },
);

/** What a `sip` carrier's entry in `countersign.yaml` may hold. */
export const sipSettings = Type.Object(
  {
    trunks: Type.Array(trunk, {
      minItems: 1,
      maxItems: 8,
      description: 'a list of 1 to 8 trunks, in the order in which they are tried',
    }),
    caller_id: Type.Optional(
      Type.String({ pattern: NUMBER, description: 'a number that may begin with +, or anonymous' }),
    ),
    asserted_identity: Type.Optional(
      Type.String({ pattern: '^\\+?[0-9]{3,15}$', description: 'a number that may begin with +' }),
    ),
    number_format: Type.Optional(
      Type.Union([Type.Literal('plus'), Type.Literal('digits')], {
        default: 'plus',
        description: 'plus or digits: how numbers are written to the trunk',
      }),
    ),
    dial_prefix: Type.Optional(
      Type.String({
        pattern: '^[0-9*#+]{0,16}$',
        description: 'up to 16 digits, put before the called number',
      }),
    ),
    bind: Type.Optional(
      Type.String({
        pattern: '^[0-9a-fA-F:.]{2,45}$',
        default: '0.0.0.0',
        description: 'a local IP address',
      }),
    ),
    port: integer(0, 65_535, 5060, 'the local port of SIP; 0: any free one'),
    public_address: Type.Optional(
      Type.String({
        pattern: '^[0-9a-fA-F:.]{2,45}$',
        description: 'the IP address by which the outside reaches this server',
      }),
    ),
    public_port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description: '1 to 65535, the port of SIP as the outside sees it',
      }),
    ),
    rtp_ports: Type.Optional(
      Type.Object(
        {
          from: Type.Integer({ minimum: 1024, maximum: 65_535 }),
          to: Type.Integer({ minimum: 1025, maximum: 65_535 }),
        },
        {
          additionalProperties: false,
          default: { from: 16_384, to: 17_383 },
          description: 'from and to, UDP ports of which each call takes two',
        },
      ),
    ),
    codecs: Type.Optional(
      Type.Array(Type.Union([Type.Literal('PCMU'), Type.Literal('PCMA')]), {
        minItems: 1,
        uniqueItems: true,
        default: ['PCMU', 'PCMA'],
        description: 'a list of PCMU and PCMA, the preferred one first',
      }),
    ),
    srtp: Type.Optional(
      Type.Union([Type.Literal('off'), Type.Literal('optional'), Type.Literal('required')], {
        default: 'off',
        description: 'off, optional or required',
      }),
    ),
    silence: Type.Optional(
      Type.Union([Type.Literal('continuous'), Type.Literal('comfort-noise')], {
        default: 'continuous',
        description: 'continuous or comfort-noise: what is sent while nothing is said',
      }),
    ),
    rtp_source: Type.Optional(
      Type.Union([Type.Literal('same-address'), Type.Literal('first-source')], {
        default: 'same-address',
        description: 'same-address or first-source',
      }),
    ),
    calls: integer(1, 1_000, 30, 'the most calls at a time'),
    calls_per_second: integer(1, 100, 5, 'the most calls that begin in a second'),
    ring_seconds: integer(5, 180, 45, 'how long a call rings'),
    response_seconds: integer(1, 32, 6, 'how long a peer may stay silent before the next is tried'),
    max_seconds: integer(20, 600, 120, 'the longest duration of a call after its answer'),
    media_timeout_seconds: integer(5, 120, 30, 'how long nothing at all may be heard of the callee'),
    session_interval_seconds: integer(
      0,
      7_200,
      1_800,
      'the session interval of RFC 4028, at least 90; 0: none',
    ),
    keepalive_seconds: integer(0, 3_600, 30, 'between two OPTIONS to each trunk; 0: none'),
    register_seconds: integer(60, 86_400, 600, 'how long a registration is asked to last'),
    machine_detection: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'true or false: whether a long greeting is taken for a machine',
      }),
    ),
    machine_ms: integer(1_000, 15_000, 2_800, 'milliseconds of first words that only a machine speaks'),
    opening_silence_ms: integer(
      200,
      5_000,
      1_000,
      'milliseconds of silence after the answer before we speak',
    ),
    key_seconds: integer(3, 60, 8, 'how long the key that confirms the callee is waited for, each time'),
    key_asks: integer(1, 5, 2, 'how often that key is asked for'),
    repeats: integer(0, 5, 2, 'how often key 1 repeats the code'),
    repeat_seconds: integer(1, 30, 4, 'how long key 1 is waited for'),
  },
  { additionalProperties: false },
);

export type SipSettings = Static<typeof sipSettings>;

export interface TrunkSettings {
  readonly host: string;
  readonly port: number | null;
  readonly protocol: Protocol | null;
  readonly domain: string;
  readonly credentials: { readonly username: string; readonly password: string } | null;
  readonly register: boolean;
  readonly redirectHosts: readonly string[];
  /** Trusted over TLS besides the well-known ones, for this trunk alone; null: none. */
  readonly authority: TrunkAuthority | null;
  /** Shown over TLS; null: none. */
  readonly identity: ClientIdentity | null;
}

/** The settings with their defaults filled in; times in milliseconds. */
export interface ReadSettings {
  readonly trunks: readonly TrunkSettings[];
  readonly callerId: string | null;
  readonly assertedIdentity: string | null;
  readonly plus: boolean;
  readonly dialPrefix: string;
  readonly bind: string;
  readonly port: number;
  readonly publicAddress: string | null;
  readonly publicPort: number | null;
  readonly rtpPorts: { readonly from: number; readonly to: number };
  readonly codecs: readonly Codec[];
  readonly srtp: SrtpPolicy;
  readonly silence: 'continuous' | 'comfort-noise';
  readonly latching: 'same-address' | 'first-source';
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly ringTimeout: number;
  readonly responseTimeout: number;
  readonly maxDuration: number;
  readonly mediaTimeout: number;
  /** Seconds. */
  readonly sessionInterval: number;
  readonly keepAlive: number;
  /** Seconds. */
  readonly registerFor: number;
  readonly script: {
    readonly openingSilence: number;
    readonly machineAfter: number | null;
    readonly keyWait: number;
    readonly keyAsks: number;
    readonly repeats: number;
    readonly repeatWait: number;
  };
}

/** @throws SettingsError for settings that do not go together */
export function readSettings(given: SipSettings): ReadSettings {
  const rtpPorts = given.rtp_ports ?? { from: 16_384, to: 17_383 };
  if (rtpPorts.from + (rtpPorts.from % 2) >= rtpPorts.to) {
    throw new SettingsError('rtp_ports', 'expected room for at least an even port and the next one');
  }
  const interval = given.session_interval_seconds ?? 1_800;
  if (interval > 0 && interval < 90) {
    throw new SettingsError('session_interval_seconds', 'expected 0, or at least 90');
  }
  for (const name of ['bind', 'public_address'] as const) {
    const address = given[name];
    if (address !== undefined && isIP(address) === 0) throw new SettingsError(name, 'expected an IP address');
  }
  if (given.public_port !== undefined && given.public_address === undefined) {
    throw new SettingsError('public_port', 'expected public_address beside it');
  }
  return {
    trunks: given.trunks.map((one, index) => readTrunk(one, index)),
    callerId: given.caller_id ?? null,
    assertedIdentity: given.asserted_identity ?? null,
    plus: (given.number_format ?? 'plus') === 'plus',
    dialPrefix: given.dial_prefix ?? '',
    bind: given.bind ?? '0.0.0.0',
    port: given.port ?? 5060,
    publicAddress: given.public_address ?? null,
    publicPort: given.public_port ?? null,
    rtpPorts,
    codecs: given.codecs ?? ['PCMU', 'PCMA'],
    srtp: given.srtp ?? 'off',
    silence: given.silence ?? 'continuous',
    latching: given.rtp_source ?? 'same-address',
    calls: given.calls ?? 30,
    callsPerSecond: given.calls_per_second ?? 5,
    ringTimeout: (given.ring_seconds ?? 45) * 1000,
    responseTimeout: (given.response_seconds ?? 6) * 1000,
    maxDuration: (given.max_seconds ?? 120) * 1000,
    mediaTimeout: (given.media_timeout_seconds ?? 30) * 1000,
    sessionInterval: interval,
    keepAlive: (given.keepalive_seconds ?? 30) * 1000,
    registerFor: given.register_seconds ?? 600,
    script: {
      openingSilence: given.opening_silence_ms ?? 1_000,
      machineAfter: (given.machine_detection ?? true) ? (given.machine_ms ?? 2_800) : null,
      keyWait: (given.key_seconds ?? 8) * 1000,
      keyAsks: given.key_asks ?? 2,
      repeats: given.repeats ?? 2,
      repeatWait: (given.repeat_seconds ?? 4) * 1000,
    },
  };
}

function readTrunk(given: SipSettings['trunks'][number], index: number): TrunkSettings {
  const { username, password, authority, certificate, key } = given;
  const path = `trunks.${index}`;
  if ((username === undefined) !== (password === undefined)) {
    throw new SettingsError(path, 'expected username and password together');
  }
  if (given.register && username === undefined) {
    throw new SettingsError(`${path}.register`, 'expected username and password beside it');
  }
  if ((certificate === undefined) !== (key === undefined)) {
    throw new SettingsError(path, 'expected certificate and key together');
  }
  if (certificate !== undefined && given.transport !== 'tls') {
    throw new SettingsError(`${path}.certificate`, 'expected transport: tls beside it');
  }
  const host = plainHost(given.host);
  return {
    host,
    port: given.port ?? null,
    protocol: given.transport ?? null,
    domain: plainHost(given.domain ?? host),
    credentials: username !== undefined && password !== undefined ? { username, password } : null,
    register: given.register ?? false,
    redirectHosts: (given.redirect_hosts ?? []).map(plainHost),
    authority: authority === undefined ? null : readAuthority(`${path}.authority`, authority),
    identity: certificate === undefined || key === undefined ? null : readIdentity(path, certificate, key),
  };
}

/** In lower case, without the brackets of an IPv6 address. */
function plainHost(host: string): string {
  return host.replace(/^\[|\]$/g, '').toLowerCase();
}
