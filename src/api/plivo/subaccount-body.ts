import { type Static, Type } from 'typebox';
import { NO_CONTROLS } from '../../verify/application-fields.js';

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
});
export type SubaccountBody = Static<typeof SubaccountBody>;

/** Whether the subaccount is to be enabled; undefined when nothing is said of it. */
export function readEnabled({ enabled }: SubaccountBody): boolean | undefined {
  return enabled === undefined || enabled === null ? undefined : String(enabled) === 'true';
}
