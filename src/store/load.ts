import type {
  Account,
  Application,
  Attempt,
  Callback,
  Hop,
  IdempotencyRow,
  LiveSession,
  MasterKeyRow,
  OptOut,
  RecipientBudget,
  Session,
} from '../verify/model.js';
import { LIVE_SAMPLE, type Lookup } from '../verify/state.js';
import type { WorkingSet } from './working-set.js';

/** Reads of single keys by a database that answers at once. */
export interface RowSource {
  account(authId: string): Account | undefined;
  applicationsOf(account: string): readonly Application[];
  session(uuid: string): Session | undefined;
  /** Live rows of an application whose time has not passed at `now`, in no order. */
  liveOf(application: string, now: number, limit: number): readonly LiveSession[];
  live(application: string, recipient: string): LiveSession | undefined;
  attempt(uuid: string): Attempt | undefined;
  attemptsOf(session: string): readonly Attempt[];
  hopsOf(attempt: string): readonly Hop[];
  /** The newest hop of a carrier with this message id that was made at `since` or later. */
  hopByMessage(carrier: string, messageId: string, since: number): Hop | undefined;
  callback(attempt: string, sequence: number): Callback | undefined;
  budget(account: string, recipient: string): RecipientBudget | undefined;
  optOut(account: string, recipient: string): OptOut | undefined;
  idempotency(key: string): IdempotencyRow | undefined;
  keys(): readonly MasterKeyRow[];
}

/** Admits to the working set every row that a look-up names (see `Lookup`). */
export function load(source: RowSource, set: WorkingSet, lookup: Lookup): void {
  switch (lookup.kind) {
    case 'live': {
      const live = loadPair(source, set, lookup);
      if (lookup.main !== undefined) loadOptOut(source, set, lookup.main, lookup.recipient);
      if (lookup.idempotency !== undefined) loadIdempotency(source, set, lookup.idempotency);
      const session = live && source.session(live.session);
      if (session) loadSession(source, set, session);
      return;
    }
    case 'session': {
      const session = source.session(lookup.session);
      if (!session) return;
      loadSession(source, set, session);
      loadPair(source, set, session);
      return;
    }
    case 'attempt':
      loadAttempt(source, set, lookup.attempt);
      return;
    case 'message': {
      const hop = source.hopByMessage(lookup.carrier, lookup.messageId, lookup.since);
      if (hop) loadAttempt(source, set, hop.attempt);
      return;
    }
    case 'callback': {
      for (const sequence of [lookup.sequence, lookup.sequence + 1]) {
        const callback = source.callback(lookup.attempt, sequence);
        if (callback) set.admit('callback', callback);
      }
      const attempt = source.attempt(lookup.attempt);
      if (attempt) set.admit('attempt', attempt);
      return;
    }
    case 'opt-out':
      loadOptOut(source, set, lookup.account, lookup.recipient);
      return;
    case 'idempotency':
      for (const key of lookup.keys) loadIdempotency(source, set, key);
      return;
    case 'account': {
      const account = source.account(lookup.authId);
      if (account) set.admit('account', account);
      return;
    }
    case 'applications': {
      const account = source.account(lookup.account);
      if (account) set.admit('account', account);
      for (const application of source.applicationsOf(lookup.account)) {
        set.admit('application', application);
        if (lookup.live !== 'every' && lookup.live !== application.uuid) continue;
        for (const live of source.liveOf(application.uuid, lookup.now, LIVE_SAMPLE)) set.admit('live', live);
      }
      return;
    }
    case 'keys':
      for (const key of source.keys()) set.admit('key', key);
  }
}

function loadPair(
  source: RowSource,
  set: WorkingSet,
  pair: Pick<Session, 'application' | 'account' | 'recipient'>,
): LiveSession | undefined {
  const live = source.live(pair.application, pair.recipient);
  if (live) set.admit('live', live);
  const budget = source.budget(pair.account, pair.recipient);
  if (budget) set.admit('budget', budget);
  return live;
}

function loadOptOut(source: RowSource, set: WorkingSet, account: string, recipient: string): void {
  const row = source.optOut(account, recipient);
  if (row) set.admit('optOut', row);
}

function loadIdempotency(source: RowSource, set: WorkingSet, key: string): void {
  const row = source.idempotency(key);
  if (row) set.admit('idempotency', row);
}

function loadSession(source: RowSource, set: WorkingSet, session: Session): void {
  set.admit('session', session);
  for (const attempt of source.attemptsOf(session.uuid)) set.admit('attempt', attempt);
}

function loadAttempt(source: RowSource, set: WorkingSet, uuid: string): void {
  const attempt = source.attempt(uuid);
  if (!attempt) return;
  set.admit('attempt', attempt);
  for (const hop of source.hopsOf(uuid)) set.admit('hop', hop);
  const session = source.session(attempt.session);
  if (!session) return;
  set.admit('session', session);
  if (!attempt.confirmByKey) return;
  // What the carrier says of it may verify the session.
  loadSession(source, set, session);
  loadPair(source, set, session);
}
