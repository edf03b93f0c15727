import type { Environment } from '../environment.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Recipient } from '../verify/model.js';
import { parseRecipient } from '../verify/recipients.js';
import { formatTime } from '../verify/time.js';
import type { Carrier, CarrierReport, Claim, OutboundMessage, SubmitResult } from './carrier.js';
import { plainMessage } from './plain-message.js';
import type { Router } from './router.js';

/** A carrier as the operator sees it. Times are UTC. */
export interface CarrierSummary {
  readonly name: string;
  readonly type: string;
  readonly channels: readonly string[];
  readonly state: 'up' | 'down' | 'connecting';
  readonly detail: string | null;
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly in_flight: number;
  readonly window: number;
  /** Most submits a second; null when nothing limits them. */
  readonly rate: number | null;
  /** Submits since the start by result. */
  readonly submits: Readonly<Record<SubmitResult['kind'], number>>;
  /** What the carrier itself counts. */
  readonly counts: Readonly<Record<string, number>>;
  readonly last_error: { readonly time: string; readonly error_code: number; readonly reason: string } | null;
}

/** A message that tries one carrier. */
export interface TestMessage {
  readonly carrier: string;
  readonly to: string;
  readonly text?: string;
  readonly sender?: string;
}

/** What came of it so far. */
export interface TestState {
  readonly id: string;
  /** Null: the carrier has not answered yet. */
  readonly result: {
    readonly kind: SubmitResult['kind'];
    readonly message_id: string | null;
    readonly error_code: number | null;
    readonly reason: string | null;
    /** Milliseconds. */
    readonly took: number;
  } | null;
  readonly receipts: readonly {
    readonly status: string;
    readonly error_code: number | null;
    /** Milliseconds after the submit. */
    readonly after: number;
  }[];
}

export interface CarrierDesk {
  /** Submits through a carrier, counted and timed. */
  submit(
    carrier: Carrier,
    message: OutboundMessage,
    claim?: Claim,
    unwanted?: AbortSignal,
  ): Promise<SubmitResult>;
  list(): CarrierSummary[];
  /** @returns the test's id; or, as text, why there is none */
  test(message: TestMessage): { readonly id: string } | { readonly why: string };
  /** Null when there is no such test, or none any more. */
  testState(id: string): TestState | null;
  /** Whether a report is about a test message: no row knows of it. */
  claims(carrier: string, report: CarrierReport): boolean;
}

export interface DeskOptions {
  readonly environment: Environment;
  readonly carriers: ReadonlyMap<string, Carrier>;
  readonly metrics: Pick<Metrics, 'submitTime'>;
  readonly router: Router;
  /** How the breaker of a carrier stands. */
  readonly breakerOf: (carrier: string) => CarrierSummary['breaker'];
}

const TEST_TEXT = 'This is a test message of Countersign.';
/** Tests that are remembered, and for how long, in milliseconds. */
const MAX_TESTS = 16;
const TEST_KEPT = 120_000;
const MAX_RECEIPTS = 10;
const MAX_EARLY = 100;

interface Watched {
  readonly carrier: Carrier;
  readonly submits: Record<SubmitResult['kind'], number>;
  inFlight: number;
  lastError: CarrierSummary['last_error'];
}

interface Test {
  readonly carrier: string;
  readonly hopId: string;
  readonly startedAt: number;
  messageId: string | null;
  result: TestState['result'];
  readonly receipts: TestState['receipts'][number][];
  /** Reports by message id that came before the carrier told the test's own. */
  early: { readonly messageId: string; readonly status: string; readonly errorCode: number | null }[];
}

/** What operators see of the carriers, and may try with them. Holds no text and no number. */
export function createCarrierDesk(options: DeskOptions): CarrierDesk {
  const { environment, metrics } = options;
  const watched = new Map<string, Watched>(
    [...options.carriers.values()].map((carrier) => {
      const submits = { accepted: 0, refused: 0, unavailable: 0, unanswered: 0 };
      return [carrier.name, { carrier, submits, inFlight: 0, lastError: null }];
    }),
  );
  const tests = new Map<string, Test>();

  async function submit(
    one: Watched,
    message: OutboundMessage,
    claim?: Claim,
    unwanted?: AbortSignal,
  ): Promise<SubmitResult> {
    const started = environment.monotonic();
    one.inFlight++;
    try {
      const result = await one.carrier.submit(message, claim, unwanted);
      one.submits[result.kind]++;
      if (result.kind !== 'accepted') {
        const { errorCode, reason } = result;
        one.lastError = { time: formatTime(environment.now()), error_code: errorCode, reason };
      }
      return result;
    } finally {
      one.inFlight--;
      metrics.submitTime.observe({ carrier: one.carrier.name }, (environment.monotonic() - started) / 1000);
    }
  }

  async function run(one: Watched, test: Test, message: OutboundMessage): Promise<void> {
    const took = () => Math.round(environment.monotonic() - test.startedAt);
    try {
      const result = await submit(one, message, async () => true);
      const accepted = result.kind === 'accepted';
      test.messageId = accepted ? result.messageId : null;
      test.result = {
        kind: result.kind,
        message_id: test.messageId,
        error_code: accepted ? null : result.errorCode,
        reason: accepted ? null : result.reason,
        took: took(),
      };
      if (accepted && result.status) receive(test, result.status, null);
      for (const { messageId, status, errorCode } of test.early) {
        if (messageId === test.messageId) receive(test, status, errorCode);
      }
      test.early = [];
    } catch (error) {
      const reason = `a defect: ${error instanceof Error ? error.message : typeof error}`;
      test.result = { kind: 'unavailable', message_id: null, error_code: null, reason, took: took() };
    }
  }

  function receive(test: Test, status: string, errorCode: number | null): void {
    const after = Math.round(environment.monotonic() - test.startedAt);
    if (test.receipts.length < MAX_RECEIPTS) {
      test.receipts.push({ status: status.slice(0, 32), error_code: errorCode, after });
    }
  }

  /** Message ids are used again, so a test may claim none for long. */
  function forgetOld(keep: number): void {
    const oldest = environment.monotonic() - TEST_KEPT;
    for (const [id, { startedAt }] of tests) {
      if (startedAt < oldest || tests.size > keep) tests.delete(id);
    }
  }

  return {
    submit: (carrier, ...rest) => submit(watched.get(carrier.name)!, ...rest),

    list: () =>
      [...watched.values()].map(({ carrier, submits, inFlight, lastError }) => {
        const breaker = options.breakerOf(carrier.name);
        const status = carrier.status?.();
        return {
          name: carrier.name,
          type: carrier.type,
          channels: [...carrier.channels],
          state: status?.state ?? (breaker === 'open' ? 'down' : 'up'),
          detail: status?.detail ?? null,
          breaker,
          in_flight: status?.inFlight ?? inFlight,
          window: status?.window ?? carrier.window,
          rate: status?.rate ?? null,
          submits: { ...submits },
          counts: { ...status?.counts },
          last_error: lastError,
        };
      }),

    test({ carrier: name, to, text = TEST_TEXT, sender }) {
      const one = watched.get(name);
      if (!one) return { why: `there is no carrier ${name}: see carriers` };
      if (!one.carrier.channels.includes('sms')) return { why: `the carrier ${name} does not serve SMS` };
      const parsed = parseRecipient(to);
      if (!parsed) return { why: 'to: expected a valid phone number in international format' };
      const { recipient, country } = parsed as { recipient: Recipient; country: string | null };
      const choice = options.router.choose({ channel: 'sms', recipient, country });
      const message = plainMessage(environment, text, {
        recipient,
        src: sender ?? null,
        sender: choice?.sender ?? null,
        parameters: choice?.parameters ?? {},
      });
      const test: Test = {
        carrier: name,
        hopId: message.hopId,
        startedAt: environment.monotonic(),
        messageId: null,
        result: null,
        receipts: [],
        early: [],
      };
      forgetOld(MAX_TESTS - 1);
      tests.set(message.attempt, test);
      void run(one, test, message);
      return { id: message.attempt };
    },

    testState(id) {
      const test = tests.get(id);
      return test ? { id, result: test.result, receipts: [...test.receipts] } : null;
    },

    claims(carrier, { by, status, errorCode }) {
      if (tests.size > 0) forgetOld(MAX_TESTS);
      for (const test of tests.values()) {
        const meant =
          by.kind === 'hop'
            ? by.hopId === test.hopId
            : test.messageId !== null && by.messageId === test.messageId;
        if (test.carrier !== carrier) continue;
        if (!meant) {
          const may = by.kind === 'message' && test.result === null && test.early.length < MAX_EARLY;
          if (may) test.early.push({ messageId: by.messageId, status, errorCode });
          continue;
        }
        receive(test, status, errorCode);
        return true;
      }
      return false;
    },
  };
}
