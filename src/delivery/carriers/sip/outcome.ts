import type { AttemptStatus } from '../../../verify/model.js';
import { describeNetworkError } from '../../http-client.js';
import type { InviteFailure } from './dialog/invitation.js';

/** What a call that did not come about means: for the attempt, and for the next carrier. */
export interface Outcome {
  readonly status: Extract<AttemptStatus, 'busy' | 'no-answer' | 'failed'>;
  /** Channel error code of contract §7. */
  readonly errorCode: number;
  /** `recipient`: another carrier would hear the same. `carrier`: the next one is tried. */
  readonly fault: 'recipient' | 'carrier';
  /** Whether the trunk as such is in trouble. */
  readonly down: boolean;
}

type Row = readonly [Outcome['status'], number, Outcome['fault'], down?: 'down'];

/** SIP response codes (RFC 3261 §21 and the documents after it). What is not here goes by its hundred. */
const RESPONSES: Readonly<Record<number, Row>> = {
  400: ['failed', 5010, 'carrier'],
  402: ['failed', 3040, 'carrier'],
  403: ['failed', 3040, 'carrier'],
  404: ['failed', 3050, 'recipient'],
  406: ['failed', 5010, 'carrier'],
  408: ['failed', 3070, 'carrier'],
  410: ['failed', 2010, 'recipient'],
  413: ['failed', 5010, 'carrier'],
  414: ['failed', 2000, 'recipient'],
  415: ['failed', 5010, 'carrier'],
  416: ['failed', 2000, 'recipient'],
  420: ['failed', 5010, 'carrier'],
  421: ['failed', 5010, 'carrier'],
  422: ['failed', 5010, 'carrier'],
  433: ['failed', 3040, 'carrier'],
  480: ['no-answer', 3000, 'recipient'],
  481: ['failed', 5020, 'carrier'],
  482: ['failed', 5020, 'carrier'],
  483: ['failed', 5020, 'carrier'],
  484: ['failed', 2000, 'recipient'],
  485: ['failed', 2000, 'recipient'],
  486: ['busy', 3010, 'recipient'],
  487: ['failed', 3080, 'carrier'],
  488: ['failed', 5010, 'carrier'],
  491: ['failed', 5010, 'carrier'],
  500: ['failed', 3080, 'carrier'],
  501: ['failed', 3080, 'carrier'],
  502: ['failed', 5000, 'carrier'],
  503: ['failed', 3090, 'carrier', 'down'],
  504: ['failed', 5000, 'carrier'],
  513: ['failed', 5010, 'carrier'],
  580: ['failed', 3090, 'carrier'],
  600: ['busy', 3010, 'recipient'],
  603: ['failed', 3110, 'recipient'],
  604: ['failed', 3120, 'recipient'],
  606: ['failed', 5010, 'carrier'],
  607: ['failed', 3020, 'recipient'],
  608: ['failed', 3020, 'recipient'],
};

const HUNDREDS: Readonly<Record<number, Row>> = {
  3: ['failed', 5020, 'carrier'],
  4: ['failed', 5010, 'carrier'],
  5: ['failed', 3080, 'carrier'],
  6: ['failed', 3110, 'recipient'],
};

/**
 * Q.850 causes (table 1) of a `Reason` header, which say more than the response that a gateway made of them. Those that
 * say nothing of their own (16, 31, 127 and what is not here) leave it to the response.
 */
const CAUSES: Readonly<Record<number, Row>> = {
  1: ['failed', 3050, 'recipient'],
  2: ['failed', 5020, 'carrier'],
  3: ['failed', 5020, 'carrier'],
  17: ['busy', 3010, 'recipient'],
  18: ['no-answer', 3000, 'recipient'],
  19: ['no-answer', 3000, 'recipient'],
  20: ['failed', 2010, 'recipient'],
  21: ['failed', 3020, 'recipient'],
  22: ['failed', 3050, 'recipient'],
  27: ['failed', 2010, 'recipient'],
  28: ['failed', 2000, 'recipient'],
  29: ['failed', 3020, 'carrier'],
  34: ['failed', 3090, 'carrier'],
  38: ['failed', 5000, 'carrier'],
  41: ['failed', 3080, 'carrier'],
  42: ['failed', 3090, 'carrier'],
  44: ['failed', 3090, 'carrier'],
  47: ['failed', 3090, 'carrier'],
  55: ['failed', 3040, 'carrier'],
  57: ['failed', 3040, 'carrier'],
  58: ['failed', 3080, 'carrier'],
  79: ['failed', 3080, 'carrier'],
  88: ['failed', 2000, 'carrier'],
  102: ['failed', 3070, 'carrier'],
  111: ['failed', 3080, 'carrier'],
};

/** What happened without a response. */
const EVENTS: Readonly<Record<Exclude<InviteFailure['kind'], 'response'>, Row>> = {
  'no-response': ['failed', 3070, 'carrier', 'down'],
  unreachable: ['failed', 5000, 'carrier', 'down'],
  credentials: ['failed', 3040, 'carrier', 'down'],
  'ring-timeout': ['no-answer', 6010, 'recipient'],
  cancelled: ['failed', 5010, 'carrier'],
  media: ['failed', 5010, 'carrier'],
};

/**
 * The one table from what ended a call before its answer to status, error code and whose fault it is.
 * @param rang whether it had rung: a network's own time-out is then the callee's silence
 */
export function outcomeOf(failure: InviteFailure, rang: boolean): Outcome {
  // A proxy said 100, and whoever is behind it nothing more: that phone never rang.
  if (failure.kind === 'ring-timeout' && !rang) return outcome(['failed', 3070, 'carrier']);
  if (failure.kind !== 'response') return outcome(EVENTS[failure.kind]);
  const { status, cause } = failure;
  const row = cause === null ? undefined : CAUSES[cause];
  if (row) return outcome(status === 503 && row[2] === 'carrier' ? [row[0], row[1], row[2], 'down'] : row);
  if (status === 408 && rang) return outcome(['no-answer', 3000, 'recipient']);
  return outcome(RESPONSES[status] ?? HUNDREDS[Math.floor(status / 100)] ?? HUNDREDS[5]!);
}

/** What a SIP response alone means, as a provider of calls tells it. */
export function outcomeOfResponse(status: number): Outcome {
  return outcomeOf({ kind: 'response', status, cause: null, retryAfter: null }, false);
}

/** A failure in a few words, for the log and the hop. */
export function describeFailure(failure: InviteFailure): string {
  switch (failure.kind) {
    case 'response':
      return `SIP ${failure.status}${failure.cause === null ? '' : `, Q.850 cause ${failure.cause}`}`;
    case 'no-response':
      return 'no response in time';
    case 'unreachable': {
      const why = describeNetworkError(failure.error);
      return why === null ? 'the trunk cannot be reached' : `the trunk cannot be reached: ${why}`;
    }
    case 'credentials':
      return failure.given
        ? 'user name or password refused'
        : 'the trunk asks for credentials that are not set';
    case 'ring-timeout':
      return 'not answered in time';
    case 'cancelled':
      return 'the call was cancelled';
    case 'media':
      return `media refused: ${failure.why.slice(0, 120)}`;
  }
}

function outcome([status, errorCode, fault, down]: Row): Outcome {
  return { status, errorCode, fault, down: down === 'down' };
}
