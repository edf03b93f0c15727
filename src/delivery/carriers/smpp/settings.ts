import { type Static, Type } from 'typebox';
import { isErrorOf } from '../../../verify/channel-errors.js';
import { SettingsError } from '../../settings-error.js';
import type { SenderKind } from './addresses.js';
import type { IdForm } from './message-id.js';

const DEFAULTS = {
  bind: 'transceiver',
  binds: 1,
  interface_version: 3.4,
  window: 50,
  connect_timeout_ms: 10_000,
  response_timeout_ms: 10_000,
  enquire_link_ms: 30_000,
  inactivity_ms: 0,
  registered_delivery: 1,
  validity: 'relative',
  encoding: 'gsm-7',
  long_messages: 'udh-8',
  short_code_digits: 6,
  unanswered: 'resend',
} as const;

/** Ports that SMPP is commonly served at, plain and over TLS. */
const PORT = 2775;
const TLS_PORT = 3550;

const byte = (what: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 255, description: what }));
const text = (max: number, description: string) =>
  Type.Optional(Type.String({ pattern: `^[\\x20-\\x7e]{0,${max}}$`, default: '', description }));
const integer = (minimum: number, maximum: number, initial: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, default: initial, description }));
const oneOf = <const Values extends readonly (string | number)[]>(
  values: Values,
  initial: Values[number],
  description: string,
) => Type.Optional(Type.Unsafe<Values[number]>(Type.Enum([...values], { default: initial, description })));
const closed = { additionalProperties: false } as const;

const form = Type.Optional(
  Type.Object({ ton: byte('TON'), npi: byte('NPI'), plus: Type.Optional(Type.Boolean()) }, closed),
);
const idForm = Type.Optional(Type.Enum(['as-is', 'hex', 'decimal']));

/** What an `smpp` carrier's entry in `countersign.yaml` may hold. */
export const smppSettings = Type.Object(
  {
    host: Type.String({
      pattern: '^[^\\s/@]{1,253}$',
      description: "the SMSC's host name or address",
    }),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: `1 to 65535; ${PORT}, with tls ${TLS_PORT}` }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          ca: Type.Optional(Type.String()),
          cert: Type.Optional(Type.String()),
          key: Type.Optional(Type.String()),
          servername: Type.Optional(Type.String()),
          reject_unauthorized: Type.Optional(Type.Boolean()),
        },
        {
          ...closed,
          description:
            '{} for TLS with the known authorities, or with any of ca, cert, key (PEM), servername, reject_unauthorized',
        },
      ),
    ),
    system_id: Type.String({
      pattern: '^[\\x21-\\x7e]{1,15}$',
      description: 'the user name at the SMSC, 1 to 15 printable ASCII characters',
    }),
    password: Type.String({
      pattern: '^[\\x20-\\x7e]{0,64}$',
      description:
        'the password at the SMSC, by the standard at most 8 printable ASCII characters, at most 64 here',
    }),
    system_type: text(12, 'the system type that the SMSC asks for, at most 12 printable ASCII characters'),
    interface_version: oneOf([3.4, 5], DEFAULTS.interface_version, '3.4 or 5.0'),
    address_range: text(
      40,
      'the addresses whose messages are wanted, as the SMSC writes them, at most 40 characters',
    ),
    address_range_ton: byte('0 to 255, type of number of address_range'),
    address_range_npi: byte('0 to 255, numbering plan of address_range'),
    bind: oneOf(
      ['transceiver', 'separate', 'transmitter'],
      DEFAULTS.bind,
      'transceiver, separate (a transmitter and a receiver) or transmitter (no receipts)',
    ),
    binds: integer(1, 64, DEFAULTS.binds, '1 to 64 binds, or pairs of binds, at a time'),
    window: integer(1, 10_000, DEFAULTS.window, '1 to 10000 submit_sm without an answer, over all binds'),
    rate: Type.Optional(
      Type.Number({
        minimum: 0.1,
        maximum: 100_000,
        description: '0.1 to 100000 SMS a second; none: no limit',
      }),
    ),
    burst: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100_000, description: '1 to 100000 SMS at once after a pause' }),
    ),
    connect_timeout_ms: integer(100, 120_000, DEFAULTS.connect_timeout_ms, '100 to 120000 milliseconds'),
    response_timeout_ms: integer(100, 120_000, DEFAULTS.response_timeout_ms, '100 to 120000 milliseconds'),
    enquire_link_ms: integer(1_000, 3_600_000, DEFAULTS.enquire_link_ms, '1000 to 3600000 milliseconds'),
    inactivity_ms: integer(
      0,
      86_400_000,
      DEFAULTS.inactivity_ms,
      '0 to 86400000 milliseconds without a message after which a bind is renewed; 0: never',
    ),
    sender: Type.Optional(
      Type.String({
        pattern: '^[\\x20-\\x7e]{1,21}$',
        description: 'the sender of messages for which nobody chose one, 1 to 21 printable ASCII characters',
      }),
    ),
    short_code_digits: integer(
      0,
      20,
      DEFAULTS.short_code_digits,
      '0 to 20 digits that a short code has at most',
    ),
    addresses: Type.Optional(
      Type.Object(
        { alphanumeric: form, short_code: form, international: form, destination: form },
        {
          ...closed,
          description:
            'a map of alphanumeric, short_code, international or destination to {ton, npi, plus}, numbers from 0 to 255 and true or false',
        },
      ),
    ),
    service_type: text(5, 'at most 5 printable ASCII characters'),
    protocol_id: byte('0 to 255'),
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 4, description: '0 to 4' })),
    registered_delivery: integer(0, 31, DEFAULTS.registered_delivery, '0 to 31, see SMPP 3.4 §5.2.17'),
    validity: oneOf(['relative', 'absolute', 'none'], DEFAULTS.validity, 'relative, absolute or none'),
    encoding: oneOf(
      ['gsm-7', 'gsm-7-packed', 'latin-1', 'ucs-2'],
      DEFAULTS.encoding,
      'gsm-7, gsm-7-packed, latin-1 or ucs-2',
    ),
    data_coding: Type.Optional(
      Type.Object(
        { gsm_7: byte('GSM-7'), latin_1: byte('Latin-1'), ucs_2: byte('UCS-2') },
        { ...closed, description: 'a map of gsm_7, latin_1 or ucs_2 to numbers from 0 to 255' },
      ),
    ),
    long_messages: oneOf(
      ['udh-8', 'udh-16', 'sar', 'payload'],
      DEFAULTS.long_messages,
      'udh-8, udh-16, sar or payload',
    ),
    parameters: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z0-9_]{0,31}$' }),
        Type.Object(
          {
            tag: Type.Integer({ minimum: 0, maximum: 0xffff }),
            value: Type.Optional(Type.String({ pattern: '^[\\x20-\\x7e]{1,255}$' })),
          },
          closed,
        ),
        {
          ...closed,
          description:
            'a map of names to {tag, value}: the number of an optional parameter, and its value where the route gives none',
        },
      ),
    ),
    message_id: Type.Optional(
      Type.Object(
        { submit: idForm, receipt: idForm, receipt_tlv: idForm },
        { ...closed, description: 'a map of submit, receipt or receipt_tlv to as-is, hex or decimal' },
      ),
    ),
    errors: Type.Optional(
      Type.Record(Type.String({ pattern: '^[0-9A-Za-z]{1,16}$' }), Type.Integer(), {
        ...closed,
        description: "a map of the carrier's error codes to SMS channel error codes",
      }),
    ),
    unanswered: oneOf(['resend', 'wait'], DEFAULTS.unanswered, 'resend or wait'),
  },
  closed,
);

export type SmppSettings = Static<typeof smppSettings>;

export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** What a connection needs to know. Times in milliseconds. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsSettings | null;
  readonly connectTimeout: number;
  readonly responseTimeout: number;
  readonly enquireLink: number;
  /** 0: never. */
  readonly inactivity: number;
}

/** What is said in a bind (SMPP 3.4 §4.1). */
export interface BindSettings {
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  /** 0x34 or 0x50. */
  readonly interfaceVersion: number;
  readonly addressRange: { readonly ton: number; readonly npi: number; readonly range: string };
}

export interface AddressForm {
  readonly ton: number;
  readonly npi: number;
  /** Whether the number is written with a leading `+`. */
  readonly plus: boolean;
}

export interface AddressSettings {
  readonly source: Readonly<Record<SenderKind, AddressForm>>;
  readonly destination: AddressForm;
  readonly shortCodeDigits: number;
}

export interface TextSettings {
  readonly encoding: 'gsm-7' | 'gsm-7-packed' | 'latin-1' | 'ucs-2';
  readonly dataCoding: Readonly<Record<'gsm-7' | 'latin-1' | 'ucs-2', number>>;
  readonly longMessages: 'udh-8' | 'udh-16' | 'sar' | 'payload';
}

export interface ReceiptSettings {
  readonly textId: IdForm;
  readonly tlvId: IdForm;
  /** Channel error codes by the carrier's own, in upper case without leading zeros. */
  readonly errors: ReadonlyMap<string, number>;
}

/** The settings with their defaults filled in, by who needs them. */
export interface ReadSettings {
  readonly connection: ConnectionSettings;
  readonly bind: BindSettings;
  readonly mode: 'transceiver' | 'separate' | 'transmitter';
  readonly binds: number;
  readonly window: number;
  /** SMS a second; null: no limit. */
  readonly rate: number | null;
  readonly burst: number;
  readonly sender: string | null;
  readonly addresses: AddressSettings;
  readonly text: TextSettings;
  readonly receipts: ReceiptSettings;
  readonly submitId: IdForm;
  readonly serviceType: string;
  readonly protocolId: number;
  readonly priority: number;
  readonly registeredDelivery: number;
  readonly validity: 'relative' | 'absolute' | 'none';
  readonly parameters: ReadonlyMap<string, { readonly tag: number; readonly value: string | null }>;
  readonly unanswered: 'resend' | 'wait';
}

/** India's DLT registration: principal entity and template (TRAI), as most carriers number them. */
const DLT = [
  ['entity_id', { tag: 0x1400, value: null }],
  ['template_id', { tag: 0x1401, value: null }],
] as const;

/** @throws Error for settings that each are possible but do not go together */
export function readSettings(given: SmppSettings): ReadSettings {
  const settings = { ...DEFAULTS, ...given };
  const { tls, addresses = {}, data_coding: coding = {}, message_id: id = {}, rate } = settings;
  if (settings.window < settings.binds)
    throw new SettingsError('window', 'expected at least one for each of binds');
  if (tls && (tls.cert === undefined) !== (tls.key === undefined)) {
    throw new SettingsError('tls', 'expected cert and key together, or neither');
  }
  for (const [code, meaning] of Object.entries(settings.errors ?? {})) {
    if (!isErrorOf('sms', meaning))
      throw new SettingsError(`errors.${code}`, 'expected an SMS channel error code');
  }
  const formOf = (given: Partial<AddressForm> | undefined, ton: number, npi: number): AddressForm => ({
    ton: given?.ton ?? ton,
    npi: given?.npi ?? npi,
    plus: given?.plus ?? false,
  });
  return {
    connection: {
      host: settings.host,
      port: settings.port ?? (tls ? TLS_PORT : PORT),
      tls: tls ? { ...tls, rejectUnauthorized: tls.reject_unauthorized ?? true } : null,
      connectTimeout: settings.connect_timeout_ms,
      responseTimeout: settings.response_timeout_ms,
      enquireLink: settings.enquire_link_ms,
      inactivity: settings.inactivity_ms,
    },
    bind: {
      systemId: settings.system_id,
      password: settings.password,
      systemType: settings.system_type ?? '',
      interfaceVersion: settings.interface_version === 5 ? 0x50 : 0x34,
      addressRange: {
        ton: settings.address_range_ton ?? 0,
        npi: settings.address_range_npi ?? 0,
        range: settings.address_range ?? '',
      },
    },
    mode: settings.bind,
    binds: settings.binds,
    window: settings.window,
    rate: rate ?? null,
    burst: settings.burst ?? Math.max(1, Math.ceil(rate ?? DEFAULTS.window)),
    sender: settings.sender ?? null,
    addresses: {
      source: {
        alphanumeric: formOf(addresses.alphanumeric, 5, 0),
        short_code: formOf(addresses.short_code, 3, 0),
        international: formOf(addresses.international, 1, 1),
      },
      destination: formOf(addresses.destination, 1, 1),
      shortCodeDigits: settings.short_code_digits,
    },
    text: {
      encoding: settings.encoding,
      dataCoding: { 'gsm-7': coding.gsm_7 ?? 0, 'latin-1': coding.latin_1 ?? 3, 'ucs-2': coding.ucs_2 ?? 8 },
      longMessages: settings.long_messages,
    },
    receipts: {
      textId: id.receipt ?? 'as-is',
      // §5.3.2.12: the id as the answer to the submit had it.
      tlvId: id.receipt_tlv ?? id.submit ?? 'as-is',
      errors: new Map(
        Object.entries(settings.errors ?? {}).map(([code, meaning]) => [errorKey(code), meaning]),
      ),
    },
    submitId: id.submit ?? 'as-is',
    serviceType: settings.service_type ?? '',
    protocolId: settings.protocol_id ?? 0,
    priority: settings.priority ?? 0,
    registeredDelivery: settings.registered_delivery,
    validity: settings.validity,
    parameters: new Map([
      ...DLT,
      ...Object.entries(settings.parameters ?? {}).map(
        ([name, { tag, value = null }]) => [name, { tag, value }] as const,
      ),
    ]),
    unanswered: settings.unanswered,
  };
}

/** A carrier's error code as it is compared: `001` and `1` are one. */
export function errorKey(code: string): string {
  return code.toUpperCase().replace(/^0+(?=.)/, '');
}
