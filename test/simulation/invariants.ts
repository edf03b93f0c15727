import { lastTry } from '#verify/callbacks.js';
import type { Attempt } from '#verify/model.js';
import { isFailure, isSuccess } from '#verify/statuses.js';
import { isDropped } from '#verify/unwanted.js';
import { contentOf } from './customer.js';
import { must } from './watched-database.js';
import type { World } from './world.js';

/** What must hold when everything has settled, whatever happened before. */
export function checkInvariants(world: World): void {
  everySessionEnded(world);
  atMostOneVerification(world);
  nothingElseVerifies(world);
  noCallIsBroughtTwice(world);
  whatWasConfirmedIsVerified(world);
  noAcceptedAttemptIsLost(world);
  everyTryIsKept(world);
  callbacksAreSettledAndInOrder(world);
  everyTryIsLogged(world);
  noRedeliveryIsLost(world);
}

function everySessionEnded({ database, accepted }: World): void {
  for (const session of accepted.values()) must(database.session(session) !== undefined, `lost ${session}`);
  for (const session of database.tables.session.values()) {
    must(session.status !== 'in-progress', `session ${session.uuid} never ended`);
    const attempts = database.attemptsOf(session.uuid);
    must(attempts.length === session.attempts, `${attempts.length} attempts of ${session.attempts}`);
  }
  must(database.tables.live.size === 0, 'live rows were left behind');
}

function atMostOneVerification({ database, verified }: World): void {
  for (const [uuid, times] of verified) {
    must(times === 1, `session ${uuid} was verified ${times} times`);
    must(database.session(uuid)?.status === 'verified', `a verification of ${uuid} was lost`);
  }
}

/** By a code or by a key, and by nothing else. */
function nothingElseVerifies({ database, guessed, networks, line }: World): void {
  const carriers = [...networks, line];
  for (const { uuid, status } of database.tables.session.values()) {
    if (status !== 'verified' || guessed.has(uuid)) continue;
    const asked = database.attemptsOf(uuid).filter((attempt) => attempt.confirmByKey);
    const isPressed = asked.some((attempt) => carriers.some(({ pressed }) => pressed.has(attempt.uuid)));
    must(isPressed, `nobody verified session ${uuid}, and it is verified`);
  }
}

function noCallIsBroughtTwice({ line }: World): void {
  const once = new Set(line.brought);
  must(once.size === line.brought.length, 'a call was brought after it had been brought before');
}

/** A key that was pressed verifies its session, once, and whoever wants to be called back is told. */
function whatWasConfirmedIsVerified({ database, line, verified }: World): void {
  for (const uuid of line.confirmed) {
    const attempt = database.attempt(uuid)!;
    const session = database.session(attempt.session)!;
    must(
      attempt.confirmByKey && attempt.status === 'completed',
      `confirmed attempt ${uuid} is ${attempt.status}`,
    );
    must(session.status === 'verified', `session ${session.uuid} was confirmed and is ${session.status}`);
    must(!verified.has(session.uuid), `session ${session.uuid} was confirmed and validated`);
    const others = database.attemptsOf(session.uuid).filter((one) => line.confirmed.has(one.uuid));
    must(others.length === 1, `session ${session.uuid} was confirmed ${others.length} times`);
    if (session.url === null) continue;
    const bodies = Array.from(
      { length: attempt.callbacksMade },
      (_, index) => new URLSearchParams(database.callback(uuid, index + 1)!.body),
    );
    const told = bodies.filter((body) => body.get('SessionStatus') === 'verified');
    must(
      told.length === 1 && told[0]!.get('ChannelStatus') === 'completed',
      `that ${uuid} was confirmed was called back ${told.length} times`,
    );
  }
}

function noAcceptedAttemptIsLost(world: World): void {
  const { database, accepted, networks, line } = world;
  const carriers = [...networks, line];
  const taken = new Set(carriers.flatMap((one) => one.taken.map((hop) => hop.split('.')[0])));
  for (const uuid of accepted.keys()) {
    const attempt = database.attempt(uuid);
    must(attempt !== undefined, `attempt ${uuid} was answered with 202 and is gone`);
    const failed = attempt!.status === 'failed';
    must(taken.has(uuid) || failed, `attempt ${uuid} was never delivered`);
  }
  for (const attempt of database.tables.attempt.values()) {
    must(attempt.delivery !== 'pending', `attempt ${attempt.uuid} is pending for ever`);
    must(
      !attempt.taken || isHad(world, attempt),
      `attempt ${attempt.uuid} would be charged, and nobody had it`,
    );
    must(!isDropped(attempt), `nobody told how attempt ${attempt.uuid} ended, which was dropped`);
    const ends = isSuccess(attempt.status) || isFailure(attempt.status) || attempt.status === 'sent';
    must(attempt.delivery === 'handed' || ends, `attempt ${attempt.uuid} is over and ${attempt.status}`);
    must(
      !isFailure(attempt.status) || attempt.channel === 'sms' || !line.brought.includes(attempt.uuid),
      `call ${attempt.uuid} was brought and is ${attempt.status}`,
    );
    const delivered = networks.some((network) => network.acknowledged.has(attempt.uuid));
    must(!delivered || reached(attempt), `a delivered receipt of ${attempt.uuid} left it ${attempt.status}`);
  }
}

/** Whether a carrier was given it; of a call of our own, whether it came about. */
function isHad({ networks, line }: World, { uuid }: Attempt): boolean {
  if (line.brought.includes(uuid)) return true;
  return networks.some(({ taken }) => taken.some((hop) => hop.startsWith(`${uuid}.`)));
}

/** Every try has a hop, and what did not succeed says why; what got no answer says what followed. */
function everyTryIsKept({ database }: World): void {
  for (const attempt of database.tables.attempt.values()) {
    for (let number = 1; number < attempt.hop; number++) {
      const hop = database.tables.hop.get(`${attempt.uuid}|${number}`);
      must(hop !== undefined, `hop ${number} of ${attempt.uuid} is not kept`);
    }
  }
  for (const hop of database.tables.hop.values()) {
    const which = `hop ${hop.number} of ${hop.attempt}`;
    const unsuccessful = ['failed', 'retrying', 'unanswered'].includes(hop.state);
    must(!unsuccessful || (hop.reason !== null && hop.errorCode !== null), `${which} does not say why`);
    must(hop.state !== 'unanswered' || hop.unanswered !== null, `${which} does not say what followed`);
  }
}

function reached(attempt: Attempt): boolean {
  return attempt.status === (attempt.channel === 'sms' ? 'delivered' : 'completed');
}

/** At least once and in order: a repeat has the same content, and none comes before an earlier one is settled. */
function callbacksAreSettledAndInOrder({ database, customer }: World): void {
  const order = new Map<string, string[]>();
  const again = new Set<string>();
  for (const params of customer.received) {
    if (customer.again.has(params)) {
      again.add(contentOf(params));
      continue;
    }
    const attempt = params.get('AttemptUUID')!;
    const body = contentOf(params);
    const seen = order.get(attempt) ?? [];
    if (!seen.includes(body)) order.set(attempt, [...seen, body]);
    else must(seen.at(-1) === body, `a callback of ${attempt} was repeated after a later one`);
  }
  for (const attempt of database.tables.attempt.values()) {
    const expected: string[] = [];
    must(attempt.callbacksSettled === attempt.callbacksMade, `callbacks of ${attempt.uuid} were left behind`);
    for (let sequence = 1; sequence <= attempt.callbacksMade; sequence++) {
      const callback = database.callback(attempt.uuid, sequence)!;
      const tries = callback.tries - callback.triesBefore;
      const settled = callback.state === 'delivered' || (callback.state === 'failed' && tries === 4);
      must(
        settled,
        `callback ${sequence} of ${attempt.uuid} is ${callback.state} after ${callback.tries} tries`,
      );
      const body = contentOf(new URLSearchParams(callback.body));
      const arrived = order.get(attempt.uuid)?.includes(body) ?? false;
      must(
        callback.state !== 'delivered' || arrived || again.has(body),
        `callback ${sequence} of ${attempt.uuid} never arrived`,
      );
      // Two events may say the same: a failure after the time of the session, and its expiry.
      if (arrived && expected.at(-1) !== body) expected.push(body);
    }
    const got = order.get(attempt.uuid) ?? [];
    must(
      JSON.stringify(got) === JSON.stringify(expected),
      `callbacks of ${attempt.uuid} came out of order:\n  got ${statuses(got)}\n  expected ${statuses(expected)}`,
    );
  }
}

/** A row for each try, and none says that it succeeded unless the customer had it then. */
function everyTryIsLogged({ database, customer }: World): void {
  const unclaimed = new Map<string, number>();
  for (const params of customer.received) count(unclaimed, contentOf(params), 1);
  let rows = 0;
  for (const callback of database.tables.callback.values()) {
    const tries = database.triesOf(callback);
    rows += tries.length - (lastTry(callback) ? 1 : 0);
    must(tries.length === callback.tries, `${tries.length} of ${callback.tries} tries were logged`);
    for (const { httpStatus, nextAt } of tries) {
      if (httpStatus !== 200) continue;
      must(nextAt === null, 'a try that succeeded is followed by a retry');
      count(unclaimed, contentOf(new URLSearchParams(callback.body)), -1);
    }
  }
  must(rows === database.tables.callbackTry.size, 'tries of no callback were logged');
  for (const [body, left] of unclaimed) must(left >= 0, `a try was logged that never arrived: ${body}`);
}

function count(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

/** What was asked for again was tried again. */
function noRedeliveryIsLost({ database, redelivered }: World): void {
  must(database.redeliveries.length >= redelivered, 'a redelivery was answered with 202 and is gone');
  for (const { attempt, sequence, number } of database.redeliveries) {
    const tries = database.triesOf(database.callback(attempt, sequence)!);
    must(tries[number - 1]?.byHand === true, `redelivery of ${attempt}.${sequence} was never tried`);
  }
}

function statuses(bodies: readonly string[]): string {
  return bodies
    .map((body) => /ChannelStatus,([^&]*)/.exec(body)?.[1] + (body.includes('expired') ? ' (expired)' : ''))
    .join(', ');
}
