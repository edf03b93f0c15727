import { failuresWithin } from './budget.js';
import { checkCode } from './codes.js';
import type { Effect, Validate, ValidateOutcome } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import type { Keyring } from './keyring.js';
import { MAX_VALIDATIONS, mayUse, type Session, sessionStatus } from './model.js';
import type { Change, State } from './state.js';

/** Contract §3, in the order of its table: what is refused for another reason does not count as a validation. */
export function validate(state: State, command: Validate, keyring: Keyring): Decision<Validate> {
  const session = state.session(command.session);
  if (!session || !mayUse(command.account, session)) return unchanged({ kind: 'not-found' });
  const status = sessionStatus(session, command.now);
  if (status === 'verified') return unchanged({ kind: 'already-verified' });
  if (status === 'expired') return unchanged({ kind: 'expired' });
  if (session.validations >= MAX_VALIDATIONS) return unchanged({ kind: 'too-many-validations' });
  const failures = failuresWithin(state.budget(session.account, session.recipient), command.now);
  if (failures.length >= command.failedValidationsLimit) return unchanged({ kind: 'recipient-exhausted' });

  const verdict = checkCode(keyring, session.uuid, session.code, command.otp, command.numeric);
  switch (verdict) {
    case 'unknown-key':
      return unchanged({ kind: 'unknown-key' });
    case 'right':
      return verified(state, used(session, command.now));
    case 'wrong':
      return {
        outcome: { kind: 'invalid' } satisfies ValidateOutcome,
        changes: [
          { table: 'session', row: used(session, command.now) },
          {
            table: 'budget',
            row: {
              account: session.account,
              recipient: session.recipient,
              failures: [...failures, command.now],
            },
          },
        ],
        effects: [],
      };
  }
}

function used(session: Session, now: number): Session {
  return { ...session, validations: session.validations + 1, updatedAt: now };
}

/** The session is verified, no longer live, and what was still to be delivered is dropped. */
function verified(state: State, session: Session): Decision<Validate> {
  const changes: Change[] = [{ table: 'session', row: { ...session, status: 'verified' } }];
  const effects: Effect[] = [];
  const live = state.live(session.application, session.recipient);
  if (live?.session === session.uuid) changes.push({ table: 'live', remove: live });
  for (const attempt of state.attemptsOf(session.uuid)) {
    if (attempt.delivery !== 'pending') continue;
    changes.push({ table: 'attempt', row: { ...attempt, delivery: 'done' } });
    effects.push({ kind: 'drop', attempt: attempt.uuid });
  }
  return { outcome: { kind: 'validated' }, changes, effects };
}
