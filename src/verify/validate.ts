import { failuresWithin } from './budget.js';
import { checkCode } from './codes.js';
import type { Validate, ValidateOutcome } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import type { Keyring } from './keyring.js';
import { MAX_VALIDATIONS, mayUse, type Session, sessionStatus } from './model.js';
import type { State } from './state.js';
import { verifySession } from './verified.js';

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
    case 'right': {
      const { changes, effects } = verifySession(state, used(session, command.now), command);
      return { outcome: { kind: 'validated' }, changes, effects };
    }
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
