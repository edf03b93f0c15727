import { describe, expect, it } from 'vitest';
import { createLog } from '#telemetry/log.js';

function logTo(level: string) {
  const lines: string[] = [];
  return { lines, log: createLog(level, { write: (line) => void lines.push(line) }) };
}

describe('a log line', () => {
  it('is one line of JSON with level and UTC time', () => {
    const { lines, log } = logTo('info');
    log.info({ carrier: 'gateway\nforged' }, 'receipt recorded');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1);
    const { time, ...rest } = JSON.parse(lines[0] ?? '');
    expect(rest).toEqual({ level: 'info', carrier: 'gateway\nforged', msg: 'receipt recorded' });
    expect(new Date(time).toISOString()).toBe(time);
  });

  it('below the level is not written', () => {
    const { lines, log } = logTo('warn');
    log.info('quiet');
    log.warn('loud');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['loud']);
  });

  it('tells of an error its name, text, place, code and cause, and nothing that hangs on it', () => {
    const { lines, log } = logTo('info');
    const cause = Object.assign(new TypeError('the cause'), { data: 'sentinel-73519264' });
    const error = Object.assign(new Error('went wrong', { cause }), {
      code: 'E_WRONG',
      headers: { authorization: 'sentinel-73519264' },
    });
    log.error({ err: error }, 'failed');
    expect(JSON.parse(lines[0] ?? '').err).toEqual({
      type: 'Error',
      message: 'went wrong',
      stack: error.stack,
      code: 'E_WRONG',
      cause: { type: 'TypeError', message: 'the cause', stack: cause.stack },
    });
  });

  it('survives an error that is its own cause, and what was thrown without being an error', () => {
    const { lines, log } = logTo('info');
    const error = new Error('round');
    error.cause = error;
    log.error({ err: error }, 'failed');
    log.error({ err: 'sentinel-73519264' }, 'failed');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[1] ?? '').err).toEqual({ type: 'string' });
  });
});
