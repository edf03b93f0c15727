import { randomBytes } from 'node:crypto';
import Database from 'libsql';
import { MIGRATIONS } from '#store/sqlite/migrations.js';
import { uuidv7 } from '#verify/uuid.js';

/** What one run of the yardstick does. */
export interface RawPlan {
  readonly seconds: number;
  /** Commands per commit, as the server had them; a session takes two. */
  readonly batch: number;
}

export interface RawResult {
  readonly sessions: number;
  readonly seconds: number;
}

/** Columns that are written, in the order of the values below. */
const INSERT = {
  session: `uuid, account, application, alias, recipient, country, channel, locale, status, code_key, code_length,
    code_sealed, url, method, max_attempts, attempts, validations, requestor_ip, expires_at, created_at, updated_at,
    main, resend_cooldown, test, validation_price`,
  live_session: 'application, recipient, session, expires_at',
  attempt: `uuid, session, account, sequence, channel, status, error_code, locale, brand_name, app_hash, template,
    dtmf, fraud_check, src, delivery, owner, carrier, hop, tries, next_at, takeovers, callbacks_made,
    callbacks_settled, created_at, updated_at, domain, main, price,
    segments, increment, taken, duration, confirm_by_key`,
  hop: `attempt, number, carrier, message_id, state, reason, error_code, created_at, updated_at, unanswered, cost,
    currency`,
};
const UPDATE_ATTEMPT = `update attempt set status = ?, error_code = ?, delivery = ?, owner = ?, carrier = ?, hop = ?,
  tries = ?, next_at = ?, takeovers = ?, callbacks_made = ?, callbacks_settled = ?, updated_at = ?,
  taken = ?, duration = ? where uuid = ?`;
const ACCOUNT = 'MABENCHMARKBENCHMARK';
const APPLICATION = '00000000-0000-7000-8000-000000000000';
const TEMPLATE =
  'Your $' + '{brand_name} verification code is $' + '{code}. It expires soon; do not share it.';

interface Started {
  readonly attempt: string;
  readonly at: number;
  readonly message: string;
}

/*
 * The yardstick of durability, a process of its own whose argument is a file that does not exist yet: the driver
 * alone, writing the rows of sessions that are created and reported delivered by the inbox, in as many commits as
 * the server makes. It decides nothing, loads nothing and answers nobody.
 */
const database = new Database(process.argv[2]!);
database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32768');
for (const migration of MIGRATIONS) database.exec(migration);
const insert = (table: keyof typeof INSERT) => {
  const marks = INSERT[table].split(',').fill('?').join(', ');
  return database.prepare(`insert into ${table} (${INSERT[table]}) values (${marks})`);
};
const statements = {
  session: insert('session'),
  live: insert('live_session'),
  attempt: insert('attempt'),
  hop: insert('hop'),
  updateAttempt: database.prepare(UPDATE_ATTEMPT),
  begin: database.prepare('begin immediate'),
  commit: database.prepare('commit'),
};

let number = 0;
const start = (): Started => {
  const at = Date.now();
  const [session, attempt] = [uuidv7(at, randomBytes(10)), uuidv7(at, randomBytes(10))];
  const recipient = `1415${2_000_000 + number++}`;
  statements.session.run(
    // biome-ignore format: one row, two lines
    [session, ACCOUNT, APPLICATION, 'default', recipient, 'US', 'sms', 'en', 'in-progress', 'key', 6,
      null, null, 'POST', 3, 1, 0, '127.0.0.1', at + 600_000, at, at, ACCOUNT, 0, 0, 0],
  );
  statements.live.run([APPLICATION, recipient, session, at + 600_000]);
  statements.attempt.run(
    // biome-ignore format: one row, two lines
    [attempt, session, ACCOUNT, 1, 'sms', 'queued', null, 'en', 'Acme', '', TEMPLATE, null, 'enabled', null,
      'pending', 1, 'inbox', 1, 0, at, 0, 0, 0, at, at, '', ACCOUNT, null, null,
      null, 0, null, 0],
  );
  return { attempt, at, message: uuidv7(at, randomBytes(10)) };
};
/** As the inbox has it recorded: that it took the message and that it arrived are one command. */
const deliver = ({ attempt, at, message }: Started) => {
  statements.hop.run([attempt, 1, 'inbox', message, 'delivered', null, null, at, at, null, null, null]);
  statements.updateAttempt.run([
    'delivered',
    null,
    'done',
    1,
    'inbox',
    1,
    1,
    at,
    0,
    0,
    0,
    at,
    1,
    null,
    attempt,
  ]);
};

process.on('message', (plan: RawPlan) => process.send!(run(plan)));

function run({ seconds, batch }: RawPlan): RawResult {
  const each = Math.max(1, Math.round(batch / 2));
  const startedAt = performance.now();
  let started: Started[] = [];
  let sessions = 0;
  while (performance.now() - startedAt < seconds * 1000) {
    statements.begin.run();
    started.forEach(deliver);
    sessions += started.length;
    started = Array.from({ length: each }, start);
    statements.commit.run();
  }
  return { sessions, seconds: (performance.now() - startedAt) / 1000 };
}
