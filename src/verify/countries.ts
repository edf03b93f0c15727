import { isSupportedCountry } from 'libphonenumber-js/max';

/** More than there are countries. */
export const MAX_COUNTRIES = 300;

/** What a list of countries may be, as JSON Schema; `description` completes "… must be". */
export const COUNTRIES_FIELD = {
  type: ['array', 'null'],
  items: { type: 'string', pattern: '^[A-Z]{2}$', description: 'a country code such as US or DE' },
  maxItems: MAX_COUNTRIES,
  description: 'a list of ISO 3166-1 alpha-2 country codes such as US or DE, or empty for all countries',
} as const;

export type CountriesRead =
  /** `countries`: null permits all. */
  | { readonly ok: true; readonly countries: readonly string[] | null }
  /** `why` is a sentence that begins with the field's name. */
  | { readonly ok: false; readonly why: string };

/**
 * The countries that an account may send to, each once. An empty list takes the restriction away.
 * @param codes such as `COUNTRIES_FIELD` allows
 */
export function readCountries(codes: readonly string[]): CountriesRead {
  const unknown = codes.findIndex((code) => !isSupportedCountry(code));
  if (unknown >= 0) {
    return {
      ok: false,
      why: `countries/${unknown} is not the ISO 3166-1 alpha-2 code of a country with numbers`,
    };
  }
  return { ok: true, countries: codes.length === 0 ? null : [...new Set(codes)] };
}
