import {
  type ApplicationFields,
  applicationFields,
  readApplicationFields,
} from '../verify/application-fields.js';
import { newApplication } from '../verify/applications.js';
import type { ApplicationChanges, ChangeOutcome } from '../verify/commands.js';
import type { Account, AccountId, Application, ApplicationId } from '../verify/model.js';
import { uuidv7 } from '../verify/uuid.js';
import type { AdminContext } from './context.js';
import { AdminError } from './error.js';

/** An application with every setting, as the API shows it. */
export type ApplicationSummary = ReturnType<typeof applicationFields>;

/** How many applications are read at a time. */
const PAGE = 100;

/** Adds an application to an account: the one named, or the only main account. */
export async function createApplication(
  context: AdminContext,
  { account, ...fields }: ApplicationFields & { account?: string },
): Promise<ApplicationSummary> {
  const { store, environment } = context;
  const owner = await ownerOf(context, account);
  const now = environment.now();
  const uuid = uuidv7(now, environment.randomBytes(10)) as ApplicationId;
  const application = newApplication(uuid, owner, changesOf(fields), now);
  await done(context, store.submit({ type: 'create-application', application }), uuid);
  return showApplication(context, { app_uuid: uuid });
}

/** The applications of an account and its subaccounts, or of all accounts; newest first within each account. */
export async function listApplications(
  context: AdminContext,
  { account }: { account?: string },
): Promise<ApplicationSummary[]> {
  const { store } = context;
  const wanted = account === undefined ? null : await accountOf(context, account);
  const accounts = wanted ? [wanted] : (await store.read.accounts()).filter(({ parent }) => parent === null);
  const found: Application[] = [];
  for (const { authId } of accounts) {
    for (let offset = 0, read = PAGE; read === PAGE; offset += PAGE) {
      const query = { account: authId, withSubaccounts: true, limit: PAGE, offset };
      const page = await store.read.applications(query);
      found.push(...page);
      read = page.length;
    }
  }
  return found.map(applicationFields);
}

export async function showApplication(
  context: AdminContext,
  { app_uuid }: { app_uuid: string },
): Promise<ApplicationSummary> {
  return applicationFields(await applicationOf(context, app_uuid));
}

/** Changes what is named; live sessions keep the rules that they began with. */
export async function updateApplication(
  context: AdminContext,
  { app_uuid, ...fields }: ApplicationFields & { app_uuid: string },
): Promise<ApplicationSummary> {
  const { store, environment } = context;
  const { uuid, account } = await applicationOf(context, app_uuid);
  const changes = changesOf(fields);
  const now = environment.now();
  const command = { type: 'update-application', now, account, application: uuid, changes } as const;
  await done(context, store.submit(command), uuid);
  return showApplication(context, { app_uuid });
}

/** Removes an application that is not the default and has no live session. */
export async function deleteApplication(
  context: AdminContext,
  { app_uuid }: { app_uuid: string },
): Promise<{ app_uuid: string }> {
  const { store, environment } = context;
  const { uuid, account } = await applicationOf(context, app_uuid);
  const now = environment.now();
  const command = { type: 'delete-application', now, account, application: uuid } as const;
  await done(context, store.submit(command), uuid);
  return { app_uuid: uuid };
}

async function ownerOf(context: AdminContext, account: string | undefined): Promise<AccountId> {
  if (account !== undefined) return (await accountOf(context, account)).authId;
  const mains = (await context.store.read.accounts()).filter(({ parent }) => parent === null);
  const [only] = mains;
  if (!only || mains.length > 1) {
    throw new AdminError(
      'invalid',
      `account: expected an auth id, as there are ${mains.length} main accounts`,
    );
  }
  return only.authId;
}

async function accountOf({ store }: AdminContext, authId: string): Promise<Account> {
  const account = await store.read.account(authId as AccountId);
  if (!account) throw new AdminError('not-found', `there is no account ${authId}: see account list`);
  return account;
}

async function applicationOf({ store }: AdminContext, uuid: string): Promise<Application> {
  const application = await store.read.application(uuid.toLowerCase() as ApplicationId);
  if (!application) throw unknownApplication(uuid);
  return application;
}

function changesOf(fields: ApplicationFields): ApplicationChanges {
  const read = readApplicationFields(fields);
  if (!read.ok) throw new AdminError('invalid', read.why);
  return read.changes;
}

async function done(
  { directory }: AdminContext,
  submitted: Promise<ChangeOutcome>,
  uuid: ApplicationId,
): Promise<void> {
  const outcome = await submitted;
  directory.clear();
  if (outcome.kind === 'not-found') throw unknownApplication(uuid);
  if (outcome.kind === 'conflict') throw new AdminError('conflict', outcome.why);
}

function unknownApplication(uuid: string): AdminError {
  return new AdminError('not-found', `there is no application ${uuid}: see app list`);
}
