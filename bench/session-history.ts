import Database from 'libsql';
import { MIGRATIONS } from '#store/sqlite/migrations.js';
import type { AccountId, ApplicationId } from '#verify/model.js';
import { ACCOUNT } from './processes.js';

/** Whose sessions they are: nine of ten the first's. */
const BUSY = ACCOUNT as AccountId;
const QUIET = 'MAQUIETQUIETQUIET000' as AccountId;
/** How many sessions match what is rare, at any size: a country, a brand. */
const RARE = 25;
export const DAY = 86_400_000;
export const SPAN = 60 * DAY;

export const applicationOf = (index: number) =>
  `00000000-0000-7000-8000-00000000000${index}` as ApplicationId;
export const recipientOf = (index: number) => `1415${String(index).padStart(7, '0')}`;

/** A new id of session or attempt number `i`, of the time `at`; the same whenever it is computed. */
const uuid = (kind: 8 | 9) => `(substr(printf('%012x', at), 1, 8) || '-' || substr(printf('%012x', at), 9, 4)
  || printf('-7%03x-${kind}%03x-%012x', (i * 2654435761) % 4096, (i * 40503) % 4096, i))`;

/**
 * Writes `count` sessions of the last 60 days with an attempt each, half of them of the last 24 hours so that lists of
 * either span have full pages at any size. The last 100 are live.
 * SQLite computes the rows by itself, and sorts the indexes once all are there.
 * @param path a file that does not exist yet
 */
export function writeHistory(path: string, count: number, now: number): void {
  const database = new Database(path);
  database.exec('pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -262144');
  for (const migration of MIGRATIONS) database.exec(migration);
  const indexes = database
    .prepare(`select name, sql from sqlite_master where type = 'index' and tbl_name in ('session', 'attempt')
              and sql is not null`)
    .all() as { name: string; sql: string }[];
  for (const { name } of indexes) database.exec(`drop index ${name}`);

  const live = 100;
  const rare = Math.floor(count / RARE);
  const rows = `with recursive numbers(i) as (select 0 union all select i + 1 from numbers where i < ${count - 1}),
    timed as (select i, case when i >= ${count - live} then ${now} - (${count} - i) * 50
      when i < ${count / 2} then ${now - SPAN} + i * ${(SPAN - DAY) / (count / 2)}
      else ${now - DAY} + (i - ${count / 2}) * ${(DAY - 600_000) / (count / 2)} end as at from numbers),
    placed as (select i, cast(at as integer) as at, i % 10 as application,
      case when i % 10 = 9 then '${QUIET}' else '${BUSY}' end as account from timed)`;
  database.exec(`${rows}
    insert into session (uuid, account, main, application, alias, recipient, country, channel, locale, status, code_key,
      code_length, code_sealed, url, method, max_attempts, resend_cooldown, test, attempts, validations, requestor_ip,
      expires_at, created_at, updated_at, validation_price)
    select ${uuid(8)}, account, account, '00000000-0000-7000-8000-00000000000' || application,
      'alias ' || application, printf('1415%07d', (i * 7919) % ${Math.ceil(count / 4)}),
      case when i % ${rare} = 7 then 'LI' when i % 4 = 0 then 'FR' else 'US' end, 'sms', 'en',
      case when i >= ${count - live} then 'in-progress'
        when (i * 31) % 100 < 70 then 'verified' else 'expired' end,
      'benchkey', 6, null, null, 'POST', 5, 0, 0, 1, 1, '192.0.2.10',
      case when i >= ${count - live} then ${now + 3_600_000} else at + 600000 end, at, at, 0
    from placed`);
  database.exec(`${rows}
    insert into attempt select ${uuid(9)}, ${uuid(8)}, account, 1, 'sms', 'delivered', null, 'en',
      case when i % ${rare} = 11 then 'Rare' when i % 2 = 0 then 'Brand ' || (i % 100) else '' end,
      case when i % 10 = 1 then 'FA+9qCX9VSu' else '' end,
      'Your code is ready. It expires soon; do not share it with anyone.', null, 'enabled', null, 'done', 1, 'inbox',
      1, 1, at, 0, 0, 0, at, at, '', account, null, null, null, 1, null, 0
    from placed`);
  database.exec(`insert into live_session select application, recipient, min(uuid), expires_at from session
    where status = 'in-progress' group by application, recipient`);
  for (const { sql } of indexes) database.exec(sql);
  database.exec(`pragma user_version = ${MIGRATIONS.length}`);
  database.close();
}
