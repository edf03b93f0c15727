import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '#config.js';
import { carrierTypes } from '#delivery/carriers/index.js';
import { PHRASES, PROMPT_NAMES } from '#speech/phrases.js';
import { MAX_FILE_BYTES, MAX_SECONDS } from '#speech/recordings.js';
import { spokenAs } from '#speech/spoken-as.js';
import { createMetrics, watchCarriers, watchDepths } from '#telemetry/metrics.js';
import { CHANNEL_ERRORS } from '#verify/channel-errors.js';
import { DEFAULT_TEMPLATES } from '#verify/messages/default-templates.js';
import { segmentsOf } from '#verify/messages/encoding.js';
import { MAX_RETRIEVER_BYTES } from '#verify/messages/last-line.js';
import { renderText } from '#verify/messages/render.js';
import { MAX_TEMPLATE_LENGTH } from '#verify/messages/template.js';
import { CHANNELS } from '#verify/model.js';
import { recordingContext } from '../delivery/carriers/support.js';
import { anchors, examples, pages, prose, ROOT, read } from './markdown.js';

/** The names of environment variables in a text, without those that only begin like one. */
function variablesIn(text: string): string[] {
  const names = text.match(/\bCOUNTERSIGN_[A-Z_]*[A-Z]\b(?!_)/g) ?? [];
  return [...new Set(names)].sort();
}

/** The variables that have a row in a page's table. */
function documentedIn(page: string): string[] {
  return [...read(page).matchAll(/^\| `(COUNTERSIGN_[A-Z_]+)` \|/gm)].map((match) => match[1]!).sort();
}

function sourceOfConfig(): string {
  const files = readdirSync(join(ROOT, 'src/config'), { recursive: true, encoding: 'utf8' });
  const paths = [
    'src/config.ts',
    ...files.filter((name) => name.endsWith('.ts')).map((name) => `src/config/${name}`),
  ];
  return paths.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n');
}

describe('the configuration page', () => {
  it('has a row for every variable that is read, and for no other', () => {
    expect(documentedIn('docs/configuration.md')).toEqual(variablesIn(sourceOfConfig()));
  });

  it('and the README name the same variables', () => {
    expect(documentedIn('README.md')).toEqual(documentedIn('docs/configuration.md'));
  });

  it('tells the defaults of numbers as they are', () => {
    const page = read('docs/configuration.md');
    const { host, port, limits, callbacks, retentionDays, drain, metrics } = loadConfig({}, carrierTypes);
    const { failedValidationsPerRecipient, listsPerMinute } = limits;
    expect(page).toContain(`| \`COUNTERSIGN_HOST\` | \`${host}\` |`);
    expect(page).toContain(`| \`COUNTERSIGN_PORT\` | \`${port}\` |`);
    expect(page).toContain(`| \`COUNTERSIGN_METRICS_ADDRESS\` | \`${metrics?.host}:${metrics?.port}\` |`);
    expect(page).toContain(`| \`failed_validations_per_recipient\` | ${failedValidationsPerRecipient} |`);
    expect(page).toContain(`| \`lists_per_minute\` | ${listsPerMinute} |`);
    const { count, per } = limits.creates.perRecipient!;
    expect(page).toContain(`| \`creates_per_recipient\` | ${count}/${per === 3_600_000 ? 'h' : per} |`);
    for (const [key, rate] of [
      ['redeliveries_per_account', limits.redeliveriesPerAccount],
      ['failed_authentications_per_address', limits.failedAuthentications.perAddress],
      ['failed_authentications_per_auth_id', limits.failedAuthentications.perAuthId],
    ] as const) {
      expect(page).toContain(`| \`${key}\` | ${rate!.count}/${rate!.per === 60_000 ? 'm' : rate!.per} |`);
    }
    expect(page).toContain(`| \`per_host\` | ${callbacks.perHost} |`);
    expect(page).toContain(`| \`total\` | ${callbacks.total} |`);
    expect(page).toContain(`Default ${retentionDays}, 1 to 3,650`);
    expect(page).toContain(`Default ${drain}, 0 to`);
  });
});

describe.each(['docs/configuration.md', 'docs/charges.md'])('the rate card in %s', (name) => {
  it('has its defaults as they are', () => {
    const files = { read: () => Buffer.from('rates: {currency: USD}') };
    const { rates } = loadConfig({ COUNTERSIGN_CONFIG: '/etc/countersign.yaml' }, carrierTypes, files);
    const page = read(name);
    expect(page).toContain('| `currency` | required |');
    expect(page).toContain(`| \`decimals\` | ${rates!.decimals} |`);
    expect(page).toContain(`| \`validation\` | \`"${rates!.validation}"\` |`);
    expect(page).toContain(`| \`voice_increment_seconds\` | ${rates!.increment} |`);
    for (const channel of CHANNELS) {
      expect(rates!.rates[channel]).toEqual([]);
      expect(page).toContain(`| \`${channel}\` | no charge |`);
    }
  });
});

describe('the page of speech', () => {
  const page = read('docs/speech.md');

  it('has every prompt, with its words in English', () => {
    for (const name of PROMPT_NAMES) expect(page).toContain(`| \`${name}\` | ${PHRASES.en![name]} |`);
  });

  it('tells bounds and defaults as they are', () => {
    const { speech } = loadConfig({}, carrierTypes);
    expect(read('docs/configuration.md')).toContain(`| \`command_seconds\` | ${speech.commandSeconds} |`);
    expect(page).toContain(
      `at most ${MAX_SECONDS} seconds and ${MAX_FILE_BYTES.toLocaleString('en')} bytes each`,
    );
  });

  it('names every locale that is spoken as another', () => {
    for (const locale of Object.keys(PHRASES).filter((each) => spokenAs(each) !== each)) {
      expect(page).toContain(`| \`${locale}\` |`);
    }
  });
});

describe('the pages of carriers', () => {
  it.each(carrierTypes.map(({ type, settings }) => [type, Object.keys(settings.properties)] as const))(
    'of %s names every setting',
    (type, settings) => {
      const page = read(`docs/carriers/${type}.md`);
      for (const setting of settings) expect(page).toMatch(new RegExp(`\`${setting}\``));
    },
  );

  it('tells the defaults of the webhook as they are', () => {
    const { properties } = carrierTypes.find(({ type }) => type === 'webhook')!.settings;
    for (const name of ['timeout_ms', 'connections', 'window', 'unanswered']) {
      const { default: value } = properties[name] as { default?: unknown };
      const shown = typeof value === 'string' ? `\`${value}\`` : value;
      expect(read('docs/carriers/webhook.md')).toContain(`| \`${name}\` | ${shown} |`);
    }
  });
});

describe('the page of all carriers', () => {
  it('has a row for every type', () => {
    const rows = [...read('docs/carriers/README.md').matchAll(/^\| \[`([a-z-]+)`\]\(\1\.md\) \|/gm)];
    expect(rows.map((match) => match[1])).toEqual(
      expect.arrayContaining(carrierTypes.map(({ type }) => type)),
    );
    expect(rows).toHaveLength(carrierTypes.length);
  });

  it('tells the defaults of all providers as they are', () => {
    const { properties } = carrierTypes.find(({ type }) => type === 'twilio')!.settings;
    for (const name of ['timeout_ms', 'connections', 'window', 'unanswered']) {
      const { default: value } = properties[name] as { default?: unknown };
      const shown = typeof value === 'string' ? `\`${value}\`` : value;
      expect(read('docs/carriers/README.md')).toContain(`| \`${name}\` | ${shown} |`);
    }
  });
});

describe('examples of countersign.yaml', () => {
  const all = pages().flatMap((page) => examples(page, 'yaml').map((text, index) => ({ page, index, text })));

  it('are there', () => {
    expect(all.length).toBeGreaterThanOrEqual(3);
  });

  it.each(all)('in $page (number $index) are accepted', ({ text }) => {
    const files = {
      read: (path: string) => Buffer.from(path.endsWith('.yaml') ? text : 'a-secret-from-a-file'),
    };
    const names = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map((match) => match[1]!);
    const env = {
      ...Object.fromEntries(names.map((name) => [name, 'a-secret-from-the-environment'])),
      COUNTERSIGN_CONFIG: '/etc/countersign.yaml',
    };
    const { carriers } = loadConfig(env, carrierTypes, files);
    expect(carriers.length).toBeGreaterThan(0);
    for (const { type, settings } of carriers) {
      const found = carrierTypes.find((each) => each.type === type)!;
      // As the pages say, providers that place calls need to know where this server is.
      const context = { ...recordingContext(), publicUrl: 'https://verify.example.com' };
      expect(() => found.create(settings, context)).not.toThrow();
    }
  });
});

describe('the page of messages', () => {
  it('shows every default message as it is', () => {
    const rows = [
      ...read('docs/messages.md').matchAll(/^\| `([a-z]{2,3}(?:-[A-Za-z]+)?)` \| [^|]+ \| (.+) \|$/gm),
    ];
    const shown = Object.fromEntries(rows.map(([, locale, text]) => [locale, text]));
    const sent = Object.entries(DEFAULT_TEMPLATES).map(([locale, { named }]) => {
      const message = {
        channel: 'sms',
        template: named,
        brandName: 'Acme',
        appHash: '',
        domain: '',
      } as const;
      return [locale, renderText(message, '123456')];
    });
    expect(shown).toEqual(Object.fromEntries(sent));
  });

  it('tells bounds and segments as they are', () => {
    const page = read('docs/messages.md');
    expect(page).toContain(`at most ${MAX_TEMPLATE_LENGTH} characters`);
    expect(page).toContain(`at most ${MAX_RETRIEVER_BYTES} bytes`);
    const rows = [...page.matchAll(/^\| `([^`]+)` \| (GSM-7|UCS-2)[^|]* \| (\d) \|$/gm)];
    expect(rows.length).toBeGreaterThan(1);
    for (const [, text, alphabet, count] of rows) {
      expect(segmentsOf(text!)).toMatchObject({ encoding: alphabet!.toLowerCase(), count: Number(count) });
    }
    expect(segmentsOf('a'.repeat(161)).count).toBe(2);
    expect(segmentsOf(`${'a'.repeat(160)}ó`).count).toBe(3);
  });
});

describe('the page of errors', () => {
  it('has every channel error code, and no other', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| (\d{2,4}) \| (.+) \|$/gm)];
    const codes = rows
      .filter(([, , text]) => !text!.includes('|'))
      .map(([, code, text]) => [Number(code), text]);
    expect(codes).toEqual([...CHANNEL_ERRORS.sms, ...CHANNEL_ERRORS.voice]);
  });
});

describe('the metrics', () => {
  it('that are served are those of the operations page', async () => {
    const metrics = createMetrics();
    watchDepths(metrics, { depths: () => ({}) });
    watchCarriers(metrics, () => []);
    const served = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
    const documented = [...read('docs/operations.md').matchAll(/^\| `(countersign_[a-z_]+)` \|/gm)];
    expect(documented.map((match) => match[1]).sort()).toEqual(
      served.filter((name) => name.startsWith('countersign_')).sort(),
    );
  });
});

describe('links', () => {
  const links = pages().flatMap((page) =>
    [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ page, link: match[1]! })),
  );
  const local = links.filter(({ link }) => !/^https?:/.test(link));

  it('are there', () => {
    expect(local.length).toBeGreaterThan(20);
  });

  it.each(local)('in $page: $link leads somewhere', ({ page, link }) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
    expect(existsSync(join(ROOT, target)), `${target} exists`).toBe(true);
    if (anchor !== undefined) expect(anchors(target)).toContain(anchor);
  });
});
