import { type Static, Type } from 'typebox';
import { type Keyring, tokenPlace } from '../../verify/keyring.js';
import type { Account } from '../../verify/model.js';
import { formatTime } from '../../verify/time.js';
import { apiId, optionalText, time } from '../wire.js';

const FIELDS = {
  account: Type.String({ description: 'the path of its main account' }),
  auth_id: Type.String({ pattern: '^SA[A-Z0-9]{18}$' }),
  auth_token: Type.String(),
  created: time('when it was created'),
  enabled: Type.Boolean(),
  modified: optionalText('when it was changed last; null: never'),
  name: Type.String(),
  new_auth_token: optionalText('null: a rotated token is good at once'),
  resource_uri: Type.String({ description: 'its path' }),
  /** Only where they are restricted: beyond the SDKs' shape. */
  countries: Type.Optional(Type.Array(Type.String(), { description: 'only where they are restricted' })),
};

/** A subaccount on the wire (contract §9): in a list, and alone. */
export const ListedSubaccount = Type.Object(FIELDS);
export const RetrievedSubaccount = Type.Object({ api_id: apiId, ...FIELDS });

/**
 * A subaccount as its main account sees it, with its auth token. `modified` is null until something changed.
 * @throws UnknownKeyError when this process cannot open the token
 */
export function subaccountView(account: Account, keyring: Keyring): Static<typeof ListedSubaccount> {
  const { authId, parent, name, enabled, token, createdAt, modifiedAt, countries } = account;
  return {
    account: `/v1/Account/${parent}/`,
    auth_id: authId,
    auth_token: keyring.open(tokenPlace(authId), token),
    created: formatTime(createdAt),
    enabled,
    modified: modifiedAt === createdAt ? null : formatTime(modifiedAt),
    name,
    // A rotated token is good at once, and is `auth_token` then.
    new_auth_token: null,
    resource_uri: `/v1/Account/${parent}/Subaccount/${authId}/`,
    ...(countries === null ? {} : { countries: [...countries] }),
  };
}
