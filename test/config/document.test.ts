// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has references of this form
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '#config.js';
import { carrierTypes } from '#delivery/carriers/index.js';
import { loadYaml, refusal, YAML_PATH } from './configuration.js';

const SECRET = 'sentinel-secret-0123456789';
const GATEWAY = `carriers:
  gateway:
    type: webhook
    url: https://gateway.example/send
    secret: \${GATEWAY_SECRET}
`;
const env = { GATEWAY_SECRET: SECRET };

describe('countersign.yaml', () => {
  test('fills every section', () => {
    const config = loadYaml(
      `${GATEWAY}    channels: [sms]
    timeout_ms: 2000
  desk:
    type: inbox
    channels: [voice]
routes:
  - {channel: sms, prefix: 44, carriers: [gateway]}
  - {prefix: "+1", carriers: [gateway, desk]}
  - {carriers: [desk]}
limits:
  failed_validations_per_recipient: 5
  lists_per_minute: 100
  creates_per_account: 100/s
  creates_per_application: 300/m
  creates_per_recipient: off
  creates_per_address: 1000/d
  redeliveries_per_account: 7/m
  failed_authentications_per_address: 10/h
  failed_authentications_per_auth_id: off
  countries: [US, NO]
callbacks: {per_host: 4, total: 64}
retention_days: 30
drain_seconds: 0
`,
      env,
    );
    expect(config).toMatchObject({
      carriers: [
        {
          name: 'gateway',
          type: 'webhook',
          settings: {
            url: 'https://gateway.example/send',
            secret: SECRET,
            channels: ['sms'],
            timeout_ms: 2000,
          },
        },
        { name: 'desk', type: 'inbox', settings: { channels: ['voice'] } },
      ],
      routes: [
        { channel: 'sms', prefix: '44', carriers: ['gateway'] },
        { channel: null, prefix: '1', carriers: ['gateway', 'desk'] },
        { channel: null, prefix: '', carriers: ['desk'] },
      ],
      limits: {
        failedValidationsPerRecipient: 5,
        listsPerMinute: 100,
        creates: {
          perAccount: { count: 100, per: 1_000 },
          perApplication: { count: 300, per: 60_000 },
          perRecipient: null,
          perAddress: { count: 1_000, per: 86_400_000 },
        },
        redeliveriesPerAccount: { count: 7, per: 60_000 },
        failedAuthentications: { perAddress: { count: 10, per: 3_600_000 }, perAuthId: null },
        countries: ['US', 'NO'],
      },
      callbacks: { perHost: 4, total: 64 },
      retentionDays: 30,
      drain: 0,
    });
    expect(Object.isFrozen(config.carriers[0]!.settings)).toBe(true);
  });

  test.each(['', '# nothing\n', 'carriers:\nroutes:\nlimits:\n'])('%j is as good as none', (yaml) => {
    expect(loadYaml(yaml)).toEqual(loadYaml('{}'));
  });

  test.each([
    ['{}', 10],
    ['{phone: {type: twilio, account_sid: SID, auth_token: x}}', 10],
    ['{phone: {type: twilio, account_sid: SID, auth_token: x, channels: [voice]}}', 170],
    [
      '{phone: {type: plivo, auth_id: MAXXXXXXXXXXXXXXXXXX, auth_token: x, channels: [sms, voice], voice: {max_seconds: 300}}}',
      350,
    ],
  ])('drains as long as the longest call of %s: %i seconds', (carriers, seconds) => {
    const yaml = `carriers: ${carriers.replace('SID', `AC${'0'.repeat(32)}`)}`;
    expect(loadYaml(yaml).drain).toBe(seconds);
  });

  test.each([
    ['other ports', 'port: 5062', 'transport: udp', 'transport: udp'],
    ['any ports', 'port: 0', 'transport: udp', 'transport: udp'],
    ['other addresses', 'bind: 127.0.0.2', 'transport: udp', 'transport: udp'],
    ['other protocols', 'bind: 127.0.0.1', 'transport: udp', 'transport: tcp'],
    ['nothing that they listen on', 'bind: 127.0.0.1', 'transport: tls', 'transport: tls'],
  ])('lets two sip carriers be that have %s', (_, changed, first, second) => {
    const of = (transport: string) => `type: sip, trunks: [{host: a.example, ${transport}}]`;
    const yaml = `carriers: {a: {${of(first)}, bind: 127.0.0.1}, b: {${of(second)}, ${changed}}}`;
    expect(loadYaml(yaml).carriers).toHaveLength(2);
  });

  test('leaves the schemas of the carriers open when it freezes what they filled in', () => {
    loadYaml(GATEWAY, env);
    expect(carrierTypes.filter((type) => Object.isFrozen(type.settings.properties))).toEqual([]);
  });

  test.each([
    ['carrier: {}', 'carrier: unknown key; the nearest known is carriers'],
    [
      'limits: {lists_per_minut: 1}',
      'limits.lists_per_minut: unknown key; the nearest known is lists_per_minute',
    ],
    ['limits: {lists_per_minute: 0}', 'limits.lists_per_minute: expected a whole number from 1 to'],
    ...['10', '0/h', '10/w', '10 / h', '1000001/s', '-1/s', '1.5/s', 'on', '[10/h]'].map((rate) => [
      `limits: {creates_per_account: ${rate}}`,
      'limits.creates_per_account: expected a count of 1 to 1000000 and a unit of s, m, h or d, such as 10/h, or off',
    ]),
    ['limits: {countries: US}', 'limits.countries: expected a list of countries'],
    ['limits: {countries: []}', 'limits.countries: expected a list of countries'],
    ['limits: {countries: [US, de]}', 'limits.countries.1: expected an ISO 3166-1 alpha-2 code'],
    ['callbacks: {per_host: 1.5}', 'callbacks.per_host: expected a whole number'],
    ['callbacks: [1]', 'callbacks: expected a map'],
    ['drain_seconds: soon', 'drain_seconds: expected a whole number'],
    ['retention_days: 0', 'retention_days: expected a whole number from 1 to 3650'],
    ['retention_days: 3651', 'retention_days: expected a whole number from 1 to 3650'],
    ['- a', 'to hold a map'],
    ['carriers: [a]', 'carriers: expected a map'],
    ['carriers: {Bad Name: {type: inbox}}', 'carriers.Bad Name: expected a name'],
    [
      'carriers: {a: {type: webhok}}',
      'carriers.a.type: expected one of inbox, smpp, sip, webhook, http, twilio, plivo, vonage, messagebird, sinch, telnyx, aws-sns; the nearest known is webhook',
    ],
    ['carriers: {a: {}}', 'carriers.a.type: expected one of'],
    [
      'carriers: {a: {type: inbox, chanels: [sms]}}',
      'carriers.a.chanels: unknown key; the nearest known is channels',
    ],
    ['carriers: {a: {type: inbox, channels: [fax]}}', 'carriers.a.channels.0: '],
    ['carriers: {a: {type: inbox, channels: []}}', 'carriers.a.channels: '],
    ['carriers: {a: {type: webhook, url: "https://x"}}', 'carriers.a.secret: is missing; expected: '],
    [
      'carriers: {a: {type: sip, trunks: [{host: "sip:sip.example.net"}]}}',
      'carriers.a.trunks.0.host: expected a domain or an IP address, without sip: before it',
    ],
    [
      'carriers: {a: {type: sip, trunks: [{}]}}',
      'carriers.a.trunks.0.host: is missing; expected: a domain or an IP address',
    ],
    [
      'carriers: {a: {type: sip, trunks: [{host: a.example, usernam: b}]}}',
      'carriers.a.trunks.0.usernam: unknown key; the nearest known is username',
    ],
    [
      'carriers: {a: {type: sip, trunks: [{host: a.example}], username: b}}',
      'carriers.a.username: unknown key here; it belongs below trunks',
    ],
    [
      'carriers: {a: {type: sip, trunks: [{host: a.example}], codecs: [G729]}}',
      'carriers.a.codecs.0: expected a list of PCMU and PCMA, the preferred one first',
    ],
    [
      'carriers: {a: {type: sip, trunks: [{host: a.example}]}, b: {type: sip, bind: 127.0.0.1, trunks: [{host: b.example}]}}',
      'carriers.b.port: 5060 is already the port of carriers.a: expected another one for each carrier',
    ],
    ['routes: [{carriers: [nobody]}]', 'routes.0.carriers.0: expected the name of a carrier'],
    ['routes: [{carriers: []}]', 'routes.0.carriers: expected a list'],
    ['routes: [{channel: fax, carriers: [a]}]', 'routes.0.channel: expected sms or voice'],
    ['routes: [{prefix: "044", carriers: [a]}]', 'routes.0.prefix: expected the leading digits'],
    ['routes: [{prefx: 4, carriers: [a]}]', 'routes.0.prefx: unknown key; the nearest known is prefix'],
    [
      'carriers: {a: {type: inbox}}\nroutes: [{carriers: [a, a]}]',
      'routes.0.carriers: names a carrier twice',
    ],
    [
      'carriers: {a: {type: inbox, channels: [sms]}}\nroutes: [{channel: voice, carriers: [a]}]',
      'routes.0.carriers.0: carrier a does not serve voice',
    ],
    [
      'carriers: {a: {type: inbox}}\nroutes: [{carriers: [a]}, {prefix: "", carriers: [a]}]',
      'routes.1: has the same channel and prefix as routes.0',
    ],
    ['a: 1\na: 2', 'line 2, column 1: duplicate key'],
    ['a: [1', 'not valid YAML at line'],
    ['a: !!js/function x', 'not valid YAML at line'],
    ['a: 1\n---\nb: 2', 'not valid YAML at line'],
    ['__proto__: {a: 1}', '__proto__: unknown key'],
  ])('%j is refused in one line', (yaml, expected) => {
    const message = refusal(() => loadYaml(yaml));
    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
  });

  test('is refused when it is larger than any configuration', () => {
    expect(refusal(() => loadYaml(`# ${'x'.repeat(256 * 1024)}`))).toContain('larger than');
  });

  test('is refused when its aliases would fill the memory', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const below = Array(9).fill(level === 0 ? 'x' : `*l${level - 1}`);
      return `l${level}: &l${level} [${below.join(', ')}]`;
    });
    expect(refusal(() => loadYaml(levels.join('\n')))).toContain('aliases');
  });

  test('is refused when it is nested without end', () => {
    expect(refusal(() => loadYaml(`a: ${'['.repeat(100)}${']'.repeat(100)}`))).toContain('levels');
    expect(refusal(() => loadYaml('['.repeat(100_000)))).toContain(YAML_PATH);
  });

  test('is refused in one line, or read, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => {
        let message = '';
        try {
          loadYaml(text);
        } catch (error) {
          expect((error as Error).name).toBe('ConfigError');
          ({ message } = error as Error);
        }
        expect(message).not.toMatch(/[\r\n]/);
      }),
    );
  });
});

describe('a route', () => {
  const CARRIERS = 'carriers: {a: {type: inbox}, b: {type: inbox}, c: {type: inbox}}\n';
  const route = (text: string) => loadYaml(`${CARRIERS}routes: [{${text}}]`).routes[0]!;
  const UUID = '019C1307-1111-7000-8000-000000000001';

  test('reads every condition, ranks with weights, and what goes with the message', () => {
    expect(
      route(
        `country: IN, prefix: 9198, application: login, src: ACME, carriers: [{a: 3, b: 1}, c], sender: {IN: ACMEIN,
         default: 12025550100}, parameters: {entity_id: "1201159123456789012", template_id: 12071},
         unanswered_wait_seconds: 10, receipt_seconds: 60`,
      ),
    ).toEqual({
      channel: null,
      prefix: '9198',
      country: 'IN',
      application: { by: 'alias', value: 'login' },
      src: 'ACME',
      carriers: ['a', 'b', 'c'],
      ranks: [
        [
          { carrier: 'a', weight: 3 },
          { carrier: 'b', weight: 1 },
        ],
        [{ carrier: 'c', weight: 1 }],
      ],
      senders: { IN: 'ACMEIN', default: '12025550100' },
      parameters: { entity_id: '1201159123456789012', template_id: '12071' },
      unansweredWait: 10,
      receiptWithin: 60,
    });
  });

  test('takes an application by its UUID, in any case, and one sender for every country', () => {
    expect(route(`application: ${UUID}, carriers: [a], sender: ACME`)).toMatchObject({
      application: { by: 'uuid', value: UUID.toLowerCase() },
      senders: { default: 'ACME' },
      ranks: [[{ carrier: 'a', weight: 1 }]],
      unansweredWait: null,
    });
  });

  test.each([
    ['country: de, carriers: [a]', 'routes.0.country: expected an ISO 3166-1 alpha-2 code'],
    [
      'country: CA, prefix: 49, carriers: [a]',
      'routes.0.prefix: expected digits that numbers of CA begin with: 1…',
    ],
    ['application: [x], carriers: [a]', 'routes.0.application: expected the UUID or the alias'],
    ['src: "", carriers: [a]', 'routes.0.src: expected a sender id or number'],
    ['sender: {XX: A}, carriers: [a]', 'routes.0.sender.XX: expected an ISO 3166-1 alpha-2 code'],
    ['sender: {US: ü}, carriers: [a]', 'routes.0.sender.US: expected a sender id or number'],
    ['sender: {US: }, carriers: [a]', 'routes.0.sender.US: expected a sender'],
    ['carriers: [{a: 0}]', 'routes.0.carriers.0.a: expected a whole number from 1 to 1000'],
    [
      'carriers: [{a: 1, bb: 1}]',
      'routes.0.carriers.0.bb: expected the name of a carrier under carriers:; the nearest',
    ],
    ['carriers: [{}]', 'routes.0.carriers.0: expected carrier names with their weights'],
    ['carriers: [{a: 1}, a]', 'routes.0.carriers: names a carrier twice'],
    ['carriers: [a], parameters: [1]', 'routes.0.parameters: expected a map of names and texts'],
    ['carriers: [a], parameters: {Entity: x}', 'routes.0.parameters.Entity: expected a name'],
    [
      'carriers: [a], parameters: {entity_id: 1201159123456789012}',
      'routes.0.parameters.entity_id: expected a text: put the number in quotes',
    ],
    [
      'carriers: [a], receipt_seconds: 0',
      'routes.0.receipt_seconds: expected a whole number from 1 to 86400',
    ],
    [
      'carriers: [a], unanswered_wait_seconds: 1h',
      'routes.0.unanswered_wait_seconds: expected a whole number from 1 to 3600',
    ],
  ])('with %j is refused, saying what and where', (text, expected) => {
    expect(refusal(() => route(text))).toContain(expected);
  });

  test('may differ from another by country, application or sender alone', () => {
    const all = ['', 'country: US, ', 'application: login, ', 'src: ACME, '].map(
      (each) => `{${each}carriers: [a]}`,
    );
    expect(loadYaml(`${CARRIERS}routes: [${all.join(', ')}]`).routes).toHaveLength(4);
    expect(refusal(() => loadYaml(`${CARRIERS}routes: [${all[1]}, ${all[1]}]`))).toContain(
      'routes.1: has the same channel and prefix as routes.0, and the same country, application and src',
    );
  });
});

test.each([
  ['opt_outs: [x]', 'opt_outs: expected a map'],
  ['opt_outs: {help: x}', 'opt_outs.help: unknown key; the nearest known is help_text'],
  ['opt_outs: {help_text: " "}', 'opt_outs.help_text: expected a text of 1 to 670 characters'],
])('%j is refused', (yaml, expected) => {
  expect(refusal(() => loadYaml(yaml))).toContain(expected);
});

describe('a secret', () => {
  const settings = (
    secret: string,
    vars: Record<string, string> = {},
    files: Record<string, string> = {},
  ) => {
    const yaml = `carriers: {a: {type: webhook, url: 'https://x', secret: ${JSON.stringify(secret)}}}`;
    const [carrier] = loadYaml(yaml, vars, files).carriers;
    return (carrier!.settings as { secret: string }).secret;
  };

  test('may come from variables, within a text or alone', () => {
    expect(settings('${A}-and-${B}', { A: 'first-part', B: 'second' })).toBe('first-part-and-second');
  });

  test('may hold ${ itself, escaped', () => {
    expect(settings('$${A}0123456789012')).toBe('${A}0123456789012');
  });

  test('that a variable brings is not searched for references again', () => {
    expect(settings('${A}', { A: 'file:/x/${B}/0123456789' })).toBe('file:/x/${B}/0123456789');
  });

  test('may come from a file, trimmed', () => {
    expect(settings('file:/run/secrets/a', {}, { '/run/secrets/a': `  ${SECRET}\n` })).toBe(SECRET);
  });

  test('may come from a file beside countersign.yaml, its name from a variable', () => {
    const files = { '/etc/countersign/secrets/gateway': SECRET };
    expect(settings('file:secrets/${NAME}', { NAME: 'gateway' }, files)).toBe(SECRET);
  });

  test.each([
    ['${NOPE}', 'carriers.a.secret: the environment variable NOPE is not set'],
    ['${__proto__}', 'carriers.a.secret: the environment variable __proto__ is not set'],
    ['${NOPE', 'carriers.a.secret: expected the name'],
    ['${1A}', 'carriers.a.secret: expected the name'],
    ['file:', 'carriers.a.secret: expected file: and a path'],
    ['file:/absent', 'carriers.a.secret: cannot read the file /absent (there is none)'],
    ['file:/empty', 'carriers.a.secret: the file /empty is empty'],
    ['file:/large', 'carriers.a.secret: the file /large is larger than'],
  ])('%s is refused, naming key and variable or path', (secret, expected) => {
    const files = { '/empty': ' \n', '/large': 'x'.repeat(70_000) };
    expect(refusal(() => settings(secret, {}, files))).toContain(expected);
  });

  test.each([
    ['too short for its schema', `carriers: {a: {type: webhook, url: 'https://x', secret: 'sentinel'}}`],
    ['of the wrong type', `carriers: {a: {type: webhook, url: 'https://x', secret: [sentinel]}}`],
    ['in the wrong place', `carriers: {a: {type: webhook, url: 'sentinel', secret: '${SECRET}'}}`],
    ['behind a broken line', `carriers: {a: {secret: "sentinel}}`],
    ['where a map belongs', `carriers: sentinel`],
    ['where a type belongs', `carriers: {a: {type: sentinel}}`],
  ])('%s is not shown', (_, yaml) => {
    expect(refusal(() => loadYaml(yaml))).not.toContain('sentinel');
  });
});

describe('on a real disk', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-config-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('reads countersign.yaml and the files it names', () => {
    const path = join(directory, 'countersign.yaml');
    writeFileSync(path, 'carriers: {a: {type: webhook, url: "https://x", secret: "file:secret.txt"}}');
    writeFileSync(join(directory, 'secret.txt'), `${SECRET}\n`);
    expect(readFileSync(path, 'utf8')).not.toContain(SECRET);
    const { carriers } = loadConfig({ COUNTERSIGN_CONFIG: path }, carrierTypes);
    expect(carriers[0]!.settings).toMatchObject({ secret: SECRET });
  });

  test('says that a directory is no file', () => {
    expect(refusal(() => loadConfig({ COUNTERSIGN_CONFIG: directory }, carrierTypes))).toContain(
      'it is a directory',
    );
  });

  test('refuses what is not UTF-8', () => {
    const path = join(directory, 'latin1.yaml');
    writeFileSync(path, Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
    expect(refusal(() => loadConfig({ COUNTERSIGN_CONFIG: path }, carrierTypes))).toContain('not UTF-8');
  });
});
