import { MemoryDatabase } from '#store/memory/database.js';
import type { Write } from '#store/working-set.js';
import type { Attempt, AttemptId, Callback, Hop, Session } from '#verify/model.js';
import { stepsTo } from '#verify/statuses.js';

/** A database that checks every write: whatever happens, no state goes back and no limit is passed. */
export class WatchedDatabase extends MemoryDatabase {
  /** Redeliveries: the callback, and the number of the try that each must lead to. */
  readonly redeliveries: {
    readonly attempt: AttemptId;
    readonly sequence: number;
    readonly number: number;
  }[] = [];

  override write(writes: Iterable<Write>): void {
    const all = [...writes];
    for (const write of all) {
      if (write.kind !== 'update') continue;
      if (write.table === 'session') sessionGoesForward(this.session(write.row.uuid)!, write.row);
      if (write.table === 'attempt') attemptGoesForward(this.attempt(write.row.uuid)!, write.row);
      if (write.table === 'hop') hopGoesForward(write.was as Hop, write.row);
      if (write.table === 'callback') {
        const was = this.callback(write.row.attempt, write.row.sequence)!;
        callbackGoesForward(was, write.row);
        const { attempt, sequence, triesBefore } = write.row;
        if (triesBefore > was.triesBefore) {
          this.redeliveries.push({ attempt, sequence, number: triesBefore + 1 });
        }
      }
    }
    super.write(all);
    for (const write of all) {
      if (write.kind !== 'delete' && write.table === 'session') this.#oneLiveSession(write.row);
    }
  }

  #oneLiveSession(session: Session): void {
    if (session.status !== 'in-progress') return;
    const live = this.live(session.application, session.recipient);
    must(live?.session === session.uuid, `session ${session.uuid} is in progress but not the live one`);
    const rivals = [...this.tables.session.values()].filter(
      (each) =>
        each.application === session.application &&
        each.recipient === session.recipient &&
        each.status === 'in-progress',
    );
    must(rivals.length === 1, `${rivals.length} sessions of one pair are in progress`);
  }
}

export function must(condition: boolean, why: string): void {
  if (!condition) throw new Error(`broken promise: ${why}`);
}

function sessionGoesForward(was: Session, is: Session): void {
  must(was.status === 'in-progress' || was.status === is.status, `session went ${was.status} → ${is.status}`);
  must(is.validations >= was.validations && is.validations <= 10, `${is.validations} validations`);
  must(is.attempts >= was.attempts && is.attempts <= is.maxAttempts, `${is.attempts} attempts`);
  must(was.status === 'in-progress' || is.validations === was.validations, 'an ended session was validated');
}

function attemptGoesForward(was: Attempt, is: Attempt): void {
  const forward = is.status === was.status || stepsTo(was.channel, was.status, is.status).length > 0;
  must(forward, `attempt went ${was.status} → ${is.status}`);
  must(was.delivery === 'pending' || is.delivery !== 'pending', `delivery went ${was.delivery} → pending`);
  must(is.callbacksMade >= was.callbacksMade, 'callbacks were unmade');
  must(is.callbacksSettled >= was.callbacksSettled, 'callbacks were unsettled');
  must(is.hop >= was.hop, `hop went ${was.hop} → ${is.hop}`);
}

function hopGoesForward(was: Hop, is: Hop): void {
  must(was.state !== 'delivered' || is.state === 'delivered', `hop went delivered → ${is.state}`);
}

function callbackGoesForward(was: Callback, is: Callback): void {
  const order = { held: 0, ready: 1, delivered: 2, failed: 2 };
  must(is.body === was.body && is.url === was.url, 'the content of a callback changed');
  must(is.tries - is.triesBefore <= 4, `a callback was tried ${is.tries - is.triesBefore} times`);
  must(is.tries >= was.tries, 'tries of a callback were forgotten');
  if (is.triesBefore !== was.triesBefore) {
    must(is.triesBefore === is.tries, 'a redelivery forgot tries');
    // One batch may settle it and make it due again.
    must(was.state !== 'held', 'a callback was redelivered before its turn');
    return;
  }
  must(order[is.state] >= order[was.state], `callback went ${was.state} → ${is.state}`);
  must(order[was.state] < 2 || is.state === was.state, 'a settled callback changed');
}
