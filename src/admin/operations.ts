import { type Static, type TObject, type TOptional, type TUnsafe, Type } from 'typebox';
import { Errors } from 'typebox/schema';
import { MasterKeyError } from '../store/master-keys.js';
import { StoreError } from '../store/store.js';
import { APPLICATION_FIELDS, type ApplicationFields } from '../verify/application-fields.js';
import { COUNTRIES_FIELD } from '../verify/countries.js';
import {
  createAccount,
  listAccounts,
  MAX_KEEP_OLD,
  rotateToken,
  setAccountEnabled,
  showAccount,
  updateAccount,
} from './accounts.js';
import {
  createApplication,
  deleteApplication,
  listApplications,
  showApplication,
  updateApplication,
} from './applications.js';
import { backUp } from './backup.js';
import { listCarriers, startTest, testState } from './carriers.js';
import type { AdminContext } from './context.js';
import { AdminError } from './error.js';
import { activateKey, addKey, listKeys, resealSecrets, retireKey, revokeKey } from './keys.js';
import { addOptOut, listOptOuts, removeOptOut } from './opt-outs.js';
import { readStatus } from './status.js';

interface Operation<Input extends TObject, Output> {
  readonly input: Input;
  readonly run: (context: AdminContext, input: Static<Input>) => Promise<Output>;
}

function operation<Input extends TObject, Output>(
  input: Input,
  run: (context: AdminContext, input: Static<Input>) => Promise<Output>,
): Operation<Input, Output> {
  return { input, run };
}

const closed = { additionalProperties: false } as const;
const nothing = Type.Object({}, closed);
const authId = Type.String({ pattern: '^(MA|SA)[A-Z0-9]{18}$', description: 'an auth id' });
const key = Type.Object(
  { id: Type.String({ pattern: '^[0-9a-f]{8}$', description: 'the 8 hexadecimal digits of a key id' }) },
  closed,
);

const appUuid = Type.String({
  pattern: '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$',
  description: 'the UUID of an application',
});
const recipient = Type.String({ maxLength: 64, description: 'a phone number in international format' });
type FieldTypes = {
  [Name in keyof ApplicationFields]-?: TOptional<TUnsafe<NonNullable<ApplicationFields[Name]>>>;
};
/** The settings of an application, with the schemas that the API has too. */
const applicationFields = Object.fromEntries(
  Object.entries(APPLICATION_FIELDS).map(([name, schema]) => [name, Type.Optional(Type.Unsafe(schema))]),
) as unknown as FieldTypes;

/** What administration can do, by name. The same operations serve the socket and an offline database. */
const OPERATIONS = {
  'account.create': operation(
    Type.Object(
      {
        name: Type.Optional(
          Type.String({
            maxLength: 100,
            pattern: '^\\P{Cc}*$',
            description: 'a name of at most 100 characters',
          }),
        ),
      },
      closed,
    ),
    createAccount,
  ),
  'account.list': operation(nothing, listAccounts),
  'account.show': operation(Type.Object({ auth_id: authId }, closed), showAccount),
  'account.update': operation(
    Type.Object(
      {
        auth_id: authId,
        countries: Type.Optional(Type.Unsafe<readonly string[]>({ ...COUNTRIES_FIELD, type: 'array' })),
      },
      closed,
    ),
    updateAccount,
  ),
  'account.set-enabled': operation(
    Type.Object({ auth_id: authId, enabled: Type.Boolean() }, closed),
    setAccountEnabled,
  ),
  'account.rotate-token': operation(
    Type.Object(
      {
        auth_id: authId,
        keep_old: Type.Optional(
          Type.Integer({ minimum: 0, maximum: MAX_KEEP_OLD, description: 'a time of at most 30 days' }),
        ),
      },
      closed,
    ),
    rotateToken,
  ),
  'app.create': operation(
    Type.Object({ account: Type.Optional(authId), ...applicationFields }, closed),
    createApplication,
  ),
  'app.list': operation(Type.Object({ account: Type.Optional(authId) }, closed), listApplications),
  'app.show': operation(Type.Object({ app_uuid: appUuid }, closed), showApplication),
  'app.update': operation(
    Type.Object({ app_uuid: appUuid, ...applicationFields }, closed),
    updateApplication,
  ),
  'app.delete': operation(Type.Object({ app_uuid: appUuid }, closed), deleteApplication),
  'keys.list': operation(nothing, listKeys),
  'keys.add': operation(nothing, addKey),
  'keys.activate': operation(key, activateKey),
  'keys.reseal': operation(nothing, resealSecrets),
  'keys.retire': operation(key, retireKey),
  'keys.revoke': operation(key, revokeKey),
  'optout.add': operation(Type.Object({ account: Type.Optional(authId), recipient }, closed), addOptOut),
  'optout.remove': operation(
    Type.Object({ account: Type.Optional(authId), recipient }, closed),
    removeOptOut,
  ),
  'optout.list': operation(
    Type.Object(
      {
        account: Type.Optional(authId),
        limit: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 100_000, description: 'a number from 1 to 100000' }),
        ),
      },
      closed,
    ),
    listOptOuts,
  ),
  'carriers.list': operation(nothing, listCarriers),
  'carriers.test': operation(
    Type.Object(
      {
        carrier: Type.String({ maxLength: 32, description: 'the name of a carrier' }),
        to: recipient,
        text: Type.Optional(
          Type.String({ minLength: 1, maxLength: 1000, description: 'a text of 1 to 1000 characters' }),
        ),
        sender: Type.Optional(
          Type.String({
            pattern: '^[\\x20-\\x7e]{1,32}$',
            description: 'a sender id or number of 1 to 32 printable ASCII characters',
          }),
        ),
      },
      closed,
    ),
    startTest,
  ),
  'carriers.test-state': operation(
    Type.Object({ id: Type.String({ maxLength: 64, description: 'the id of a test' }) }, closed),
    testState,
  ),
  backup: operation(
    Type.Object({ path: Type.String({ minLength: 1, maxLength: 4096, description: 'a path' }) }, closed),
    backUp,
  ),
  status: operation(nothing, readStatus),
};

type Operations = typeof OPERATIONS;
export type OperationName = keyof Operations;
export type InputOf<Name extends OperationName> = Static<Operations[Name]['input']>;
export type OutputOf<Name extends OperationName> = Awaited<ReturnType<Operations[Name]['run']>>;

/**
 * Does one operation, wherever the database is open.
 * @throws AdminError
 */
export type Administration = <Name extends OperationName>(
  name: Name,
  input: InputOf<Name>,
) => Promise<OutputOf<Name>>;

export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}

/** Administration of a database that this process has open. */
export function administrationOf(context: AdminContext): Administration {
  // The table pairs each name with its types; indexed by a name that is not known yet, it cannot tell them.
  return (async (name: OperationName, input: Record<string, unknown>) => {
    const { input: schema, run } = OPERATIONS[name] as unknown as Operation<TObject, unknown>;
    const [, [error]] = Errors(schema, input);
    if (error) throw invalidInput(schema, error.instancePath.split('/')[1], error.message);
    try {
      return await run(context, input);
    } catch (error) {
      throw asAdminError(error);
    }
  }) as Administration;
}

function invalidInput(schema: TObject, field: string | undefined, message: string): AdminError {
  const property = field === undefined ? undefined : (schema.properties[field] as { description?: string });
  if (!property) return new AdminError('invalid', message);
  return new AdminError('invalid', `${field}: expected ${property.description ?? message}`);
}

function asAdminError(error: unknown): unknown {
  if (error instanceof MasterKeyError) return new AdminError('conflict', error.message, { cause: error });
  if (!(error instanceof StoreError)) return error;
  const message = `the database did not do it: ${error.message}`;
  return new AdminError(error.kind === 'unavailable' ? 'unavailable' : 'failed', message, { cause: error });
}
