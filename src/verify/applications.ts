import type {
  ApplicationChanges,
  CreateApplication,
  DeleteApplication,
  UpdateApplication,
} from './commands.js';
import { type Decision, unchanged } from './decision.js';
import { checkLastLine } from './messages/last-line.js';
import type { AccountId, Application, ApplicationId } from './model.js';
import type { Change, State } from './state.js';

/** Most applications of one account. */
export const MAX_APPLICATIONS = 100;

/** The application that an account has from its creation, with the defaults of contract §9. */
export function defaultApplication(uuid: ApplicationId, account: AccountId, now: number): Application {
  return {
    uuid,
    account,
    alias: 'default',
    brandName: '',
    template: '',
    codeLength: 6,
    expiry: 600,
    maxAttempts: 5,
    channels: ['sms', 'voice'],
    locale: 'en',
    appHash: '',
    domain: '',
    url: null,
    method: 'POST',
    fraudShield: 'off',
    resendCooldown: 0,
    testNumbers: [],
    confirmByKey: false,
    numberTypes: [],
    isDefault: true,
    createdAt: now,
    updatedAt: now,
  };
}

/** An application with these rules, and the defaults of contract §9 for the others. */
export function newApplication(
  uuid: ApplicationId,
  account: AccountId,
  rules: ApplicationChanges,
  now: number,
): Application {
  return { ...defaultApplication(uuid, account, now), alias: 'application', isDefault: false, ...rules };
}

/** Adds an application; the first of an account is its default whatever was asked. */
export function createApplication(state: State, command: CreateApplication): Decision<CreateApplication> {
  const { application } = command;
  if (!state.account(application.account)) return unchanged({ kind: 'not-found' });
  const others = state.applicationsOf(application.account);
  if (others.length >= MAX_APPLICATIONS) {
    const why = `the account has ${MAX_APPLICATIONS} applications, which is the maximum: delete one first`;
    return unchanged({ kind: 'conflict', why });
  }
  const clash = checkLastLine(application);
  if (clash) return unchanged({ kind: 'conflict', why: clash });
  const isDefault = application.isDefault || others.length === 0;
  return {
    outcome: { kind: 'done' },
    changes: [
      ...(isDefault ? replacedDefaults(others, application.createdAt) : []),
      { table: 'application', row: { ...application, isDefault } },
    ],
    effects: [],
  };
}

/** Changes what is named. The default gives up its place only to another: there is always exactly one. */
export function updateApplication(state: State, command: UpdateApplication): Decision<UpdateApplication> {
  const { now, changes } = command;
  const application = ownApplication(state, command);
  if (!application) return unchanged({ kind: 'not-found' });
  if (application.isDefault && changes.isDefault === false) {
    const why = 'is_default: this is the default application, make another the default instead';
    return unchanged({ kind: 'conflict', why });
  }
  const updated = { ...application, ...changes, updatedAt: now };
  const clash = checkLastLine(updated);
  if (clash) return unchanged({ kind: 'conflict', why: clash });
  const others = state.applicationsOf(command.account).filter(({ uuid }) => uuid !== application.uuid);
  return {
    outcome: { kind: 'done' },
    changes: [
      ...(changes.isDefault ? replacedDefaults(others, now) : []),
      { table: 'application', row: updated },
    ],
    effects: [],
  };
}

/**
 * Removes an application. A create that was under way still starts its session: that has a copy of all rules, and
 * works to its end.
 */
export function deleteApplication(state: State, command: DeleteApplication): Decision<DeleteApplication> {
  const application = ownApplication(state, command);
  if (!application) return unchanged({ kind: 'not-found' });
  if (application.isDefault) {
    const why = 'this is the default application of its account: make another the default first';
    return unchanged({ kind: 'conflict', why });
  }
  if (state.hasLive(application.uuid, command.now)) {
    const why = 'the application has live sessions: try again when they have ended';
    return unchanged({ kind: 'conflict', why });
  }
  return {
    outcome: { kind: 'done' },
    changes: [{ table: 'application', remove: application }],
    effects: [],
  };
}

function ownApplication(
  state: State,
  { account, application }: { readonly account: AccountId; readonly application: ApplicationId },
): Application | undefined {
  const found = state.application(application);
  return found?.account === account ? found : undefined;
}

function replacedDefaults(others: readonly Application[], now: number): Change[] {
  return others
    .filter(({ isDefault }) => isDefault)
    .map((each) => ({ table: 'application', row: { ...each, isDefault: false, updatedAt: now } }));
}
