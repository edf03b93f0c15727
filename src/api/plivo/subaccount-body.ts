import { type Static, Type } from 'typebox';
import { NO_CONTROLS } from '../../verify/application-fields.js';
import { COUNTRIES_FIELD, readCountries } from '../../verify/countries.js';
import { badRequest } from '../errors.js';

/**
 * The fields of a subaccount. SDKs send further ones (ids, `cascade`), which are ignored; Node sends booleans as
 * strings (contract §9).
 */
export const SubaccountBody = Type.Object({
  name: Type.Optional(
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      minLength: 1,
      maxLength: 100,
      pattern: NO_CONTROLS,
      description: 'a name of 1 to 100 characters',
    }),
  ),
  enabled: Type.Optional(
    Type.Unsafe<boolean | 'true' | 'false' | null>({
      enum: [true, false, 'true', 'false', null],
      description: 'true or false',
    }),
  ),
  countries: Type.Optional(Type.Unsafe<readonly string[] | null>(COUNTRIES_FIELD)),
});
export type SubaccountBody = Static<typeof SubaccountBody>;

/** Whether the subaccount is to be enabled; undefined when nothing is said of it. */
export function readEnabled({ enabled }: SubaccountBody): boolean | undefined {
  return enabled === undefined || enabled === null ? undefined : String(enabled) === 'true';
}

/**
 * The countries that the subaccount may send to, null for all; undefined when nothing is said of them.
 * @throws ApiError 400
 */
export function readSubaccountCountries({ countries }: SubaccountBody): readonly string[] | null | undefined {
  if (countries === undefined || countries === null) return undefined;
  const read = readCountries(countries);
  if (!read.ok) throw badRequest(read.why);
  return read.countries;
}
