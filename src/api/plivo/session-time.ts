import { badRequest } from '../errors.js';
import { parameter } from './query.js';

/** From `since` on and before `until`, milliseconds. */
export interface TimeRange {
  readonly since: number;
  readonly until: number;
}

/** What a list shows when no time is asked for, in milliseconds. */
const DEFAULT_SPAN = 24 * 3600 * 1000;

/** A time as the filters take it. */
export const TIME_FORMAT =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))?$/;

/** A moment that someone wrote down, to the microsecond, and how long the last unit written is. */
interface Written {
  /** Whole milliseconds, and whether microseconds follow. */
  readonly floor: number;
  readonly ceiling: number;
  /** Milliseconds: a minute, a second, or 1 where a fraction is written. */
  readonly precision: number;
}

/**
 * The range of creation times that the `session_time` filters ask for (contract §5), all of them together; the
 * last 24 hours when there is none. `session_time` itself means the minute, second or fraction that is written.
 * `session_time_gt` and its like are how the Node SDK spells `session_time__gt` (contract §8).
 */
export function sessionTimeRange(query: unknown, now: number): TimeRange {
  const ranges: Partial<TimeRange>[] = [];
  const add = (suffix: string, range: (written: Written) => Partial<TimeRange>) => {
    const names = suffix === '' ? ['session_time'] : [`session_time__${suffix}`, `session_time_${suffix}`];
    for (const name of names) {
      const text = parameter(query, name);
      if (text !== undefined) ranges.push(range(readTime(name, text)));
    }
  };
  add('', ({ floor, ceiling, precision }) =>
    floor === ceiling ? { since: floor, until: floor + precision } : { since: ceiling, until: ceiling },
  );
  add('gt', ({ floor }) => ({ since: floor + 1 }));
  add('gte', ({ ceiling }) => ({ since: ceiling }));
  add('lt', ({ ceiling }) => ({ until: ceiling }));
  add('lte', ({ floor }) => ({ until: floor + 1 }));
  // What was created in this very millisecond belongs to the list.
  if (ranges.length === 0) return { since: now - DEFAULT_SPAN, until: now + 1 };
  return {
    since: Math.max(0, ...ranges.map(({ since }) => since ?? 0)),
    until: Math.min(now + 1, ...ranges.map(({ until }) => until ?? now + 1)),
  };
}

/** `YYYY-MM-DD HH:MM[:ss[.uuuuuu]]`, UTC or with `Z` or an offset, `T` allowed for the space. */
function readTime(name: string, text: string): Written {
  const match = TIME_FORMAT.exec(text);
  const [year, month, day, hour, minute, second] = (match?.slice(1, 7) ?? []).map((part) =>
    Number(part ?? 0),
  );
  const time = match ? Date.UTC(year!, month! - 1, day, hour, minute, second) : Number.NaN;
  const [sign, offsetHours, offsetMinutes] = [match?.[8], Number(match?.[9] ?? 0), Number(match?.[10] ?? 0)];
  // A date that does not exist, such as 30 February, would have become another one.
  const exists =
    match &&
    new Date(time).toISOString().startsWith(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}`);
  if (!exists || second! > 59 || offsetHours > 23 || offsetMinutes > 59) {
    throw badRequest(`${name} must be a UTC time such as 2026-01-31 08:52:39.363253`);
  }
  const offset = (sign === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes) * 60_000;
  const micros = Number((match[7] ?? '').padEnd(6, '0'));
  const whole = time - offset;
  return {
    floor: whole + Math.floor(micros / 1000),
    ceiling: whole + Math.ceil(micros / 1000),
    precision: match[7] !== undefined ? 1 : match[6] !== undefined ? 1000 : 60_000,
  };
}
