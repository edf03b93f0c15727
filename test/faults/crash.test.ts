import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  depthOf,
  inParallel,
  type ServerProcess,
  startServerProcess,
  until,
} from '../support/server-process.js';
import { carrierOf, orderOf, sendReceipt, startCustomer, startGateway, take } from './gateway.js';

/** What the server has promised for a session, as far as the customer heard. */
interface Promised {
  readonly session: string;
  readonly recipient: string;
  /** Attempts answered 202. */
  attempts: number;
  verified: boolean;
}

/** Area codes with ten thousand valid numbers each below 555: a fast machine creates many sessions. */
const AREAS = '415 212 646 213 312 617 202 305 404 503 206 702 713 214 303 602 612 314 504 216'.split(' ');

function recipientOf(number: number): string {
  return `1${AREAS[Math.floor(number / 10_000)]}555${String(number % 10_000).padStart(4, '0')}`;
}

/** A customer's program that goes on as well as it can while the server is killed under it. */
class Load {
  readonly promised = new Map<string, Promised>();
  readonly #newest: Promised[] = [];
  /** Right codes that succeeded although the session had been verified before. */
  readonly secondSuccesses: string[] = [];
  readonly surprises: string[] = [];
  /** Attempts whose answer never came: they may exist. */
  unanswered = 0;
  #next = 0;
  #stopped = false;
  readonly #workers: Promise<void>[];

  constructor(
    readonly server: ServerProcess,
    readonly url: string,
    readonly codeOf: (promised: Promised) => Promise<string | undefined>,
    width: number,
  ) {
    this.#workers = Array.from({ length: width }, (_, index) => this.#work(index));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }

  async #work(index: number): Promise<void> {
    for (let step = index; !this.#stopped; step++) {
      try {
        const known = this.#newest.at(-1 - (step % 16));
        if (!known || step % 4 < 2) await this.#create(recipientOf(this.#next++));
        else if (step % 4 === 2) await this.#create(known.recipient);
        else await this.#validate(known);
      } catch {
        // The server is dead at present. Meanwhile no numbers are used up.
        do await wait(20);
        while (!this.server.isAlive && !this.#stopped);
      }
    }
  }

  async #create(recipient: string): Promise<void> {
    this.unanswered++;
    const { status, body } = await this.server.create({ recipient, url: this.url });
    this.unanswered--;
    if (status !== 202) {
      if (!/maximum/.test(body.error)) this.surprises.push(`create: ${status} ${body.error}`);
      return;
    }
    const session = body.session_uuid;
    let promised = this.promised.get(session);
    if (!promised) {
      promised = { session, recipient, attempts: 0, verified: false };
      this.promised.set(session, promised);
      this.#newest.push(promised);
    }
    promised.attempts++;
  }

  /** The right code twice at once: one of them succeeds at most, and none when it did before. */
  async #validate(promised: Promised): Promise<void> {
    const code = await this.codeOf(promised);
    if (code === undefined) return;
    const answers = await Promise.allSettled(
      [code, code].map((otp) => this.server.validate(promised.session, otp)),
    );
    for (const answer of answers) {
      if (answer.status === 'rejected') continue;
      const { status, body } = answer.value;
      if (status === 200) {
        if (promised.verified) this.secondSuccesses.push(promised.session);
        promised.verified = true;
      } else if (!/already verified|maximum/.test(body.error)) {
        this.surprises.push(`validate: ${status} ${body.error}`);
      }
    }
  }
}

/** What is to be promised between two kills, so that each interrupts something, however slow the machine is. */
const PROMISES_BETWEEN_KILLS = 15;

/** Kills the server again and again at moments that nobody chose, and starts it each time. */
async function killRepeatedly(server: ServerProcess, load: Load, times: number): Promise<void> {
  for (let kill = 0; kill < times; kill++) {
    const enough = load.promised.size + PROMISES_BETWEEN_KILLS;
    // The second kill comes at once, in the middle of the recovery from the first.
    if (kill !== 1) await until('the load goes on', () => load.promised.size >= enough);
    await wait(kill === 1 ? 0 : Math.random() * 600);
    await server.end('SIGKILL');
    await server.start();
  }
}

/** Everything that was promised, after the last restart. Returns every attempt's status by its id. */
async function everythingIsThere(server: ServerProcess, load: Load): Promise<Map<string, string>> {
  const faults: string[] = [];
  const statuses = new Map<string, string>();
  const verified = new Set<string>();
  let extra = 0;
  await inParallel(load.promised.values(), 16, async (promised) => {
    const { session } = promised;
    const { status, body } = await server.retrieve(session);
    if (status !== 200) return void faults.push(`${session} answered ${status}`);
    if (body.count < promised.attempts) faults.push(`${session} has lost an attempt`);
    extra += body.count - promised.attempts;
    if (promised.verified && body.status !== 'verified') faults.push(`${session} is ${body.status} again`);
    if (body.status === 'verified') verified.add(session);
    for (const attempt of body.attempt_details) {
      statuses.set(attempt.attempt_uuid, attempt.status);
      if (attempt.status !== 'delivered' && !verified.has(session)) {
        faults.push(`attempt ${attempt.attempt_uuid} of ${session} is ${attempt.status}`);
      }
    }
  });
  expect(faults).toEqual([]);
  expect(extra).toBeLessThanOrEqual(load.unanswered);
  expect(load.secondSuccesses).toEqual([]);
  expect(load.surprises).toEqual([]);
  expect([...load.promised.values()].filter((each) => each.verified).length).toBeGreaterThan(0);
  return statuses;
}

const nothingWaits = async (server: ServerProcess) =>
  (await server.metric(depthOf('deliveries'))) === 0 && (await server.metric(depthOf('callbacks'))) === 0;

/** The callbacks that an attempt's status demands. */
const STEPS = ['queued', 'sent', 'delivered'];
const stepsUpTo = (status: string) => STEPS.slice(0, STEPS.indexOf(status) + 1);

describe('a server that is killed again and again under load', () => {
  test('keeps what it promised: sessions, deliveries over a gateway, receipts, callbacks in order', {
    timeout: 400_000,
  }, async () => {
    const recorded = new Set<string>();
    const codes = new Map<string, string>();
    // Whatever the server did not hear is told again, as a gateway does.
    const receipts: Promise<void>[] = [];
    const tell = async (hop: string, attempt: string) => {
      for (let tries = 0; tries < 2_000 && !recorded.has(attempt); tries++) {
        const told = await sendReceipt(server.url, 'gateway', hop, 'delivered').catch(() => false);
        if (told) recorded.add(attempt);
        else await wait(50);
      }
    };
    const gateway = await startGateway((message, response) => {
      codes.set(message.session_uuid, message.code);
      take(message, response);
      if (!recorded.has(message.attempt_uuid)) receipts.push(tell(message.hop_id, message.attempt_uuid));
    });
    const customer = await startCustomer();
    const server = await startServerProcess({
      config: `carriers:\n${carrierOf('gateway', gateway.url)}`,
      env: { COUNTERSIGN_LOG_LEVEL: 'info' },
    });
    const load = new Load(server, `${customer.url}/status`, async ({ session }) => codes.get(session), 16);
    await killRepeatedly(server, load, 7);
    await load.stop();
    await until('deliveries and callbacks are done', () => nothingWaits(server));
    await Promise.all(receipts);
    await until('deliveries and callbacks are done', () => nothingWaits(server));

    const statuses = await everythingIsThere(server, load);
    expect(gateway.faults).toEqual([]);
    const { byAttempt, faults } = orderOf(customer.calls);
    expect(faults).toEqual([]);
    const wrong = [...statuses].filter(([attempt, status]) => {
      const isKnown = gateway.attempts.has(attempt) || status === 'queued';
      const reached = recorded.has(attempt) ? status === 'delivered' : true;
      return !isKnown || !reached || String(byAttempt.get(attempt)) !== String(stepsUpTo(status));
    });
    expect(wrong).toEqual([]);
  });

  test('keeps what it promised with the inbox, which reports by itself', { timeout: 400_000 }, async () => {
    const customer = await startCustomer();
    const server = await startServerProcess();
    const codeOf = async ({ recipient, session }: Promised) => {
      const { body } = await server.call('GET', `/Inbox/?recipient=${recipient}&limit=5`);
      return body.messages.find((message) => message.session_uuid === session)?.otp;
    };
    const load = new Load(server, `${customer.url}/status`, codeOf, 16);
    await killRepeatedly(server, load, 6);
    await load.stop();
    await until('deliveries and callbacks are done', () => nothingWaits(server));

    const statuses = await everythingIsThere(server, load);
    const { byAttempt, faults } = orderOf(customer.calls);
    expect(faults).toEqual([]);
    const wrong = [...statuses].filter(
      ([attempt, status]) => String(byAttempt.get(attempt)) !== String(stepsUpTo(status)),
    );
    expect(wrong).toEqual([]);
  });
});
