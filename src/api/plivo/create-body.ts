import { type Static, Type } from 'typebox';

/** A field that may be absent or null, which Ruby sends for whatever is not set (contract §8). */
function field<Value>(schema: object, expected: string) {
  return Type.Optional(Type.Unsafe<Value | null>({ ...schema, nullable: true, description: expected }));
}

/** The fields of contract §2. A description completes "… must be". */
const FIELDS = {
  recipient: Type.Optional(
    Type.Unsafe<string | number | null>({
      type: ['string', 'integer', 'null'],
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'a phone number in international format',
    }),
  ),
  app_uuid: field<string>({ type: 'string', maxLength: 64 }, 'the UUID of an application'),
  channel: field<'sms' | 'voice'>({ type: 'string', enum: ['sms', 'voice', null] }, 'sms or voice'),
  url: field<string>({ type: 'string' }, 'an absolute http or https URL'),
  method: field<'POST' | 'GET'>({ type: 'string', enum: ['POST', 'GET', null] }, 'POST or GET'),
  locale: field<string>(
    { type: 'string', maxLength: 35, pattern: '^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$' },
    'a locale such as en, en_US or pt-BR',
  ),
  brand_name: field<string>({ type: 'string', maxLength: 50 }, 'a string of at most 50 characters'),
  app_hash: field<string>(
    { type: 'string', pattern: '^([A-Za-z0-9+/]{11})?$' },
    'the 11 characters of an Android SMS Retriever hash',
  ),
  code_length: field<number>({ type: 'integer', enum: [0, 4, 5, 6, 7, 8, null] }, 'an integer from 4 to 8'),
  otp: field<string>({ type: 'string', pattern: '^[0-9]{4,8}$' }, 'a string of 4 to 8 digits'),
  dtmf: field<number>({ type: 'integer', minimum: 0, maximum: 9 }, 'an integer from 0 to 9'),
  fraud_check: field<'enabled' | 'disabled'>(
    { type: 'string', enum: ['enabled', 'disabled', null] },
    'enabled or disabled',
  ),
  check_fs: field<boolean>({ type: 'boolean' }, 'true or false'),
  src: field<string>(
    { type: 'string', pattern: '^[ -~]{1,20}$' },
    'a sender id or caller id of 1 to 20 ASCII characters',
  ),
};

export const CREATE_FIELDS: readonly string[] = Object.keys(FIELDS);

export const CreateBody = Type.Object(FIELDS);
export type CreateBody = Static<typeof CreateBody>;
