import { normaliseCallbackUrl } from './callback-url.js';
import type { ApplicationChanges } from './commands.js';
import { checkDomain, checkLastLine } from './messages/last-line.js';
import { checkTemplate, MAX_TEMPLATE_LENGTH } from './messages/template.js';
import type {
  Application,
  CallbackMethod,
  Channel,
  FraudShield,
  Recipient,
  RestrictedNumberType,
  TestNumber,
} from './model.js';
import { parseRecipient, RESTRICTED_NUMBER_TYPES } from './recipients.js';
import { formatTime } from './time.js';

/** Most test numbers of one application. */
export const MAX_TEST_NUMBERS = 50;

/** The fields of an application as they are written from outside (contract §9). Null means unset. */
export interface ApplicationFields {
  readonly alias?: string | null;
  readonly brand_name?: string | null;
  /** Empty: the default message in the locale of each attempt. */
  readonly template?: string | null;
  readonly code_length?: number | null;
  readonly expiry?: number | null;
  readonly max_attempts?: number | null;
  readonly channels?: readonly Channel[] | null;
  readonly locale?: string | null;
  readonly app_hash?: string | null;
  /** Empty: none. */
  readonly domain?: string | null;
  /** Empty: none. */
  readonly url?: string | null;
  readonly method?: CallbackMethod | null;
  readonly fraud_shield?: FraudShield | null;
  readonly resend_cooldown?: number | null;
  readonly test_numbers?: readonly { readonly recipient: string; readonly otp: string }[] | null;
  /** Calls ask to press 1, which verifies the session, and speak no code. */
  readonly confirm_by_key?: boolean | null;
  /** Restricted kinds of numbers that are allowed. */
  readonly number_types?: readonly RestrictedNumberType[] | null;
  readonly is_default?: boolean | null;
}

/** No control characters (category Cc), as every dialect of regular expressions says it. */
export const NO_CONTROLS = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$';

/** What a field may be, as JSON Schema; `description` completes "… must be". */
type FieldSchema = Readonly<Record<string, unknown>> & { readonly description: string };

function integer(minimum: number, maximum: number, unit = ''): FieldSchema {
  const description = `an integer from ${minimum} to ${maximum}${unit}`;
  return { type: ['integer', 'null'], minimum, maximum, description };
}

function oneOf(...values: string[]): FieldSchema {
  return { type: ['string', 'null'], enum: [...values, null], description: alternatives(values) };
}

function alternatives(values: readonly string[]): string {
  return values.join(', ').replace(/, ([^,]+)$/, ' or $1');
}

/** The schemas of `ApplicationFields`: the one place of their bounds, whoever validates with them. */
export const APPLICATION_FIELDS: Readonly<Record<keyof ApplicationFields, FieldSchema>> = {
  alias: {
    type: ['string', 'null'],
    minLength: 1,
    maxLength: 64,
    pattern: NO_CONTROLS,
    description: 'a name of 1 to 64 characters',
  },
  brand_name: {
    type: ['string', 'null'],
    maxLength: 50,
    pattern: NO_CONTROLS,
    description: 'a string of at most 50 characters',
  },
  template: {
    type: ['string', 'null'],
    maxLength: MAX_TEMPLATE_LENGTH,
    description: `a string of at most ${MAX_TEMPLATE_LENGTH} characters, or empty for the default message`,
  },
  code_length: integer(4, 8),
  expiry: integer(60, 3600, ' (seconds)'),
  max_attempts: integer(1, 10),
  channels: {
    type: ['array', 'null'],
    items: { type: 'string', enum: ['sms', 'voice'], description: 'sms or voice' },
    minItems: 1,
    maxItems: 2,
    uniqueItems: true,
    description: 'a list of sms, voice or both',
  },
  locale: {
    type: ['string', 'null'],
    maxLength: 35,
    pattern: '^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$',
    description: 'a locale such as en, en_US or pt-BR',
  },
  app_hash: {
    type: ['string', 'null'],
    pattern: '^([A-Za-z0-9+/]{11})?$',
    description: 'the 11 characters of an Android SMS Retriever hash, or empty for none',
  },
  domain: {
    type: ['string', 'null'],
    maxLength: 253,
    description: 'a host name such as example.com, or empty for none',
  },
  url: {
    type: ['string', 'null'],
    maxLength: 2048,
    description: 'an absolute http or https URL, or empty for none',
  },
  method: oneOf('POST', 'GET'),
  fraud_shield: oneOf('high', 'medium', 'low', 'off'),
  resend_cooldown: integer(0, 3600, ' (seconds)'),
  test_numbers: {
    type: ['array', 'null'],
    items: {
      type: 'object',
      required: ['recipient', 'otp'],
      additionalProperties: false,
      properties: {
        recipient: { type: 'string', maxLength: 64, description: 'a phone number in international format' },
        otp: { type: 'string', pattern: '^[0-9]{4,8}$', description: 'a string of 4 to 8 digits' },
      },
      description: 'an object with recipient and otp',
    },
    maxItems: MAX_TEST_NUMBERS,
    description: `a list of at most ${MAX_TEST_NUMBERS} objects with recipient and otp`,
  },
  number_types: {
    type: ['array', 'null'],
    items: {
      type: 'string',
      enum: RESTRICTED_NUMBER_TYPES,
      description: alternatives(RESTRICTED_NUMBER_TYPES),
    },
    maxItems: RESTRICTED_NUMBER_TYPES.length,
    uniqueItems: true,
    description: `a list of ${RESTRICTED_NUMBER_TYPES.join(', ')}, or empty for none`,
  },
  confirm_by_key: { type: ['boolean', 'null'], description: 'true or false' },
  is_default: { type: ['boolean', 'null'], description: 'true or false' },
};

export type FieldsRead =
  | { readonly ok: true; readonly changes: ApplicationChanges }
  /** `why` is a sentence that begins with the field's name. */
  | { readonly ok: false; readonly why: string };

/**
 * The changes that fields ask for; what is absent or null stays as it is.
 * @param fields such as `APPLICATION_FIELDS` allows
 */
export function readApplicationFields(fields: ApplicationFields): FieldsRead {
  const { url, test_numbers: numbers } = fields;
  const template = checkTemplate(fields.template ?? null);
  if (!template.ok) return { ok: false, why: `template ${template.why}` };
  const domain = checkDomain(fields.domain ?? null);
  if (!domain.ok) return { ok: false, why: `domain ${domain.why}` };
  const clash = checkLastLine({ appHash: fields.app_hash ?? '', domain: domain.value });
  if (clash) return { ok: false, why: clash };
  const checked = url ? normaliseCallbackUrl(url) : null;
  if (checked && !checked.ok) return { ok: false, why: `url ${checked.why}` };
  const testNumbers = numbers == null ? null : readTestNumbers(numbers);
  if (typeof testNumbers === 'string') return { ok: false, why: testNumbers };

  const changes: { [Name in keyof Application]?: Application[Name] | null | undefined } = {
    alias: fields.alias,
    brandName: fields.brand_name,
    template: fields.template == null ? null : template.value,
    codeLength: fields.code_length,
    expiry: fields.expiry,
    maxAttempts: fields.max_attempts,
    channels: fields.channels,
    locale: fields.locale,
    appHash: fields.app_hash,
    domain: fields.domain == null ? null : domain.value,
    method: fields.method,
    fraudShield: fields.fraud_shield,
    resendCooldown: fields.resend_cooldown,
    testNumbers,
    confirmByKey: fields.confirm_by_key,
    numberTypes: fields.number_types,
    isDefault: fields.is_default,
  };
  const given = Object.entries(changes).filter(([, value]) => value !== null && value !== undefined);
  return {
    ok: true,
    changes: { ...Object.fromEntries(given), ...(url == null ? {} : { url: checked?.url ?? null }) },
  };
}

/** Each number once, as E.164 digits; else what is wrong. */
function readTestNumbers(
  numbers: readonly { readonly recipient: string; readonly otp: string }[],
): readonly TestNumber[] | string {
  const read = new Map<Recipient, string>();
  for (const [index, { recipient, otp }] of numbers.entries()) {
    const parsed = parseRecipient(recipient);
    if (!parsed) {
      return `test_numbers/${index}/recipient is not a valid phone number in international format`;
    }
    if (read.has(parsed.recipient)) return `test_numbers/${index}/recipient is in the list twice`;
    read.set(parsed.recipient, otp);
  }
  return [...read].map(([recipient, otp]) => ({ recipient, otp }));
}

/** An application as it is shown: every field that can be written, and what identifies it (contract §9). */
export function applicationFields(application: Application) {
  return {
    app_uuid: application.uuid,
    account: application.account,
    alias: application.alias,
    brand_name: application.brandName,
    template: application.template,
    code_length: application.codeLength,
    expiry: application.expiry,
    max_attempts: application.maxAttempts,
    channels: [...application.channels],
    locale: application.locale,
    app_hash: application.appHash,
    domain: application.domain,
    url: application.url,
    method: application.method,
    fraud_shield: application.fraudShield,
    resend_cooldown: application.resendCooldown,
    test_numbers: application.testNumbers.map(({ recipient, otp }) => ({ recipient, otp })),
    confirm_by_key: application.confirmByKey,
    number_types: [...application.numberTypes],
    is_default: application.isDefault,
    created_at: formatTime(application.createdAt),
    updated_at: formatTime(application.updatedAt),
  };
}
