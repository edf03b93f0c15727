import { describe, expect, it } from 'vitest';
import { BIND_ERRORS } from '#delivery/carriers/smpp/explain.js';
import { GSM_ERRORS, MESSAGE_STATES, stateOf } from '#delivery/carriers/smpp/receipt-status.js';
import { smppSettings } from '#delivery/carriers/smpp/settings.js';
import { SUBMIT_ERRORS } from '#delivery/carriers/smpp/submit-status.js';
import { read } from './markdown.js';

const page = read('docs/carriers/smpp.md');

describe('the page of the smpp carrier', () => {
  it.each([
    'interface_version',
    'bind',
    'binds',
    'window',
    'connect_timeout_ms',
    'response_timeout_ms',
    'enquire_link_ms',
    'inactivity_ms',
    'short_code_digits',
    'registered_delivery',
    'validity',
    'encoding',
    'long_messages',
    'unanswered',
  ] as const)('tells the default of %s as it is', (name) => {
    const { default: value } = smppSettings.properties[name] as { default?: unknown };
    expect(page).toContain(`| \`${name}\` | ${value} |`);
  });

  it('tells every answer to a submit as it is taken', () => {
    const told = [...page.matchAll(/^\| (`ESME_R[^|]+) \| ([^|]+) \| (\d+) \|$/gm)].flatMap(
      ([, names, what, code]) =>
        names!.split(', ').map((name) => [name.replaceAll('`', ''), [what, Number(code)]] as const),
    );
    const taken = Object.entries(SUBMIT_ERRORS).map(([name, meaning]) => {
      const words = {
        refused: 'this message never: `failed`',
        throttled: 'not now, and slower',
        unavailable: 'down' in meaning && meaning.down ? 'not now, the carrier is in trouble' : 'not now',
      };
      return [name, [words[meaning.kind], meaning.errorCode]] as const;
    });
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(taken));
  });

  it('tells refused binds in the words of doctor', () => {
    for (const [name, words] of Object.entries(BIND_ERRORS))
      expect(page).toContain(`| \`${name}\` | ${words} |`);
  });

  it('tells the states of receipts as they are taken', () => {
    const told = [...page.matchAll(/^\| (\d) \| ([A-Z]+) \| `([a-z]+)` \| (\d*) ?\|$/gm)];
    expect(told).toHaveLength(MESSAGE_STATES.length);
    for (const [, state, stat, status, code] of told) {
      expect(stateOf(stat!)).toBe(Number(state));
      expect(MESSAGE_STATES[Number(state)]).toEqual({ status, errorCode: code ? Number(code) : null });
    }
  });

  it('tells the errors of GSM networks as they are taken', () => {
    const rows = [...page.matchAll(/^\| (\d[^|]*[a-z][^|]*) \| (\d+) \|$/gm)].flatMap(([, errors, code]) =>
      [...errors!.matchAll(/\d+/g)].map(([error]) => [Number(error), Number(code)] as const),
    );
    expect(new Map(rows)).toEqual(GSM_ERRORS);
  });
});
