import { describe, expect, it } from 'vitest';
import { defaultTemplate } from '#verify/messages/template.js';
import type { ApplicationId, Recipient } from '#verify/model.js';
import {
  ACCOUNT,
  application,
  Domain,
  idOf,
  MINUTE,
  NOW,
  OWNER,
  RECIPIENT,
  URL_OF_CUSTOMER,
  wrongFor,
} from '../domain.js';

const EXPIRY = 600_000;

describe('a create for a recipient without a live session', () => {
  it('starts a session that lives for the application’s expiry', () => {
    const domain = new Domain();
    const { session, isNew } = domain.start();
    expect(isNew).toBe(true);
    expect(domain.session(session)).toMatchObject({
      account: ACCOUNT,
      alias: 'default',
      recipient: RECIPIENT,
      country: 'US',
      status: 'in-progress',
      attempts: 1,
      validations: 0,
      maxAttempts: 5,
      expiresAt: NOW + EXPIRY,
      createdAt: NOW,
      updatedAt: NOW,
    });
    expect(domain.rows.live(application().uuid, RECIPIENT)).toMatchObject({
      session,
      expiresAt: NOW + EXPIRY,
    });
  });

  it('asks for the delivery of its first attempt, with everything that the dispatcher needs', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start({ src: 'ACME', dtmf: 3, channel: 'voice' });
    expect(domain.effects).toEqual([
      {
        kind: 'deliver',
        delivery: expect.objectContaining({
          attempt,
          session,
          account: ACCOUNT,
          sequence: 1,
          channel: 'voice',
          recipient: RECIPIENT,
          country: 'US',
          carrier: 'one',
          hop: 1,
          tries: 0,
          nextAt: NOW,
          dtmf: 3,
          src: 'ACME',
          expiresAt: NOW + EXPIRY,
        }),
      },
    ]);
    expect(domain.attempt(attempt)).toMatchObject({ status: 'queued', delivery: 'pending', owner: OWNER });
  });

  it('derives a code of the wanted length, or seals the caller’s own', () => {
    const domain = new Domain();
    expect(domain.code(domain.start({ codeLength: 8 }).session)).toMatch(/^[0-9]{8}$/);
    const own = domain.start({ recipient: '14155550124' as Recipient, otp: '0042' });
    expect(domain.code(own.session)).toBe('0042');
    expect(domain.session(own.session).code.length).toBe(4);
  });

  it('takes URL and method from the request, else from the application, else none', () => {
    const withUrl = application({ url: 'https://app.example/', method: 'GET' });
    const domain = new Domain();
    const started = (changes: object, recipient: string) =>
      domain.session(domain.start({ ...changes, recipient: recipient as Recipient }).session);
    expect(started({}, '14155550101')).toMatchObject({ url: null, method: 'POST' });
    expect(started({ application: withUrl }, '14155550102')).toMatchObject({
      url: 'https://app.example/',
      method: 'GET',
    });
    expect(
      started({ application: withUrl, url: URL_OF_CUSTOMER, method: 'POST' }, '14155550103'),
    ).toMatchObject({ url: URL_OF_CUSTOMER, method: 'POST' });
  });

  it('calls back queued for an SMS, and nothing for a call that has not rung', () => {
    const domain = new Domain();
    const sms = domain.start({ url: URL_OF_CUSTOMER });
    expect(domain.effectKinds).toEqual(['callback', 'deliver']);
    expect(domain.calledBack(sms.attempt)).toEqual(['queued']);
    const voice = domain.start({
      url: URL_OF_CUSTOMER,
      channel: 'voice',
      recipient: '14155550124' as Recipient,
    });
    expect(domain.effectKinds).toEqual(['deliver']);
    expect(domain.calledBack(voice.attempt)).toEqual([]);
  });

  it('is separate for another application or another recipient', () => {
    const domain = new Domain();
    const first = domain.start();
    const other = application({ uuid: idOf<ApplicationId>(1, 9) });
    expect(domain.start({ application: other }).session).not.toBe(first.session);
    expect(domain.start({ recipient: '14155550124' as Recipient }).isNew).toBe(true);
    expect(domain.start().session).toBe(first.session);
  });
});

describe('a create that no route serves', () => {
  it.each([
    ['sms', 90, ['queued', 'failed']],
    ['voice', 5020, ['failed']],
  ] as const)(
    'starts a session whose %s attempt fails with %i and calls back %j',
    (channel, code, called) => {
      const domain = new Domain();
      const { attempt } = domain.start({ channel, carrier: null, url: URL_OF_CUSTOMER });
      expect(domain.attempt(attempt)).toMatchObject({ status: 'failed', errorCode: code, delivery: 'done' });
      expect(domain.effectKinds).toEqual(['callback']);
      expect(domain.calledBack(attempt)).toEqual(called);
      expect(domain.bodies(attempt).at(-1)?.ChannelErrorCode).toBe(String(code));
    },
  );
});

describe('a create for a recipient with a live session', () => {
  it('adds an attempt to it and repeats the code, over the channel it names', () => {
    const domain = new Domain();
    const first = domain.start();
    const code = domain.code(first.session);
    const second = domain.start({
      channel: 'voice',
      locale: 'es',
      brandName: 'Beta',
      dtmf: 1,
      codeLength: 8,
    });
    expect(second).toMatchObject({ session: first.session, isNew: false });
    expect(domain.code(first.session)).toBe(code);
    expect(domain.session(first.session)).toMatchObject({ attempts: 2, channel: 'voice', locale: 'es' });
    expect(domain.attempt(second.attempt)).toMatchObject({ sequence: 2, brandName: 'Beta', dtmf: 1 });
    expect(domain.attempt(first.attempt)).toMatchObject({ sequence: 1, brandName: 'Acme', locale: 'en' });
  });

  it('keeps the time at which the session expires', () => {
    const domain = new Domain();
    const { session } = domain.start();
    domain.start({ now: NOW + MINUTE });
    expect(domain.session(session)).toMatchObject({ expiresAt: NOW + EXPIRY, updatedAt: NOW + MINUTE });
  });

  it('replaces URL and method where it names them, and keeps them where it does not', () => {
    const domain = new Domain();
    const { session } = domain.start({ url: URL_OF_CUSTOMER, method: 'GET' });
    domain.start();
    expect(domain.session(session)).toMatchObject({ url: URL_OF_CUSTOMER, method: 'GET' });
    domain.start({ url: 'https://other.example/', method: 'POST' });
    expect(domain.session(session)).toMatchObject({ url: 'https://other.example/', method: 'POST' });
  });

  it('replaces the code by one that the caller chose; the validations used stay used', () => {
    const domain = new Domain();
    const { session } = domain.start();
    const old = domain.code(session);
    domain.validate(session, wrongFor(old));
    const chosen = wrongFor(old).slice(0, 5);
    domain.start({ otp: chosen });
    expect(domain.session(session).validations).toBe(1);
    expect(domain.validate(session, old)).toBe('invalid');
    expect(domain.validate(session, chosen)).toBe('validated');
  });

  it('fixes what an attempt renders when it is accepted', () => {
    const domain = new Domain();
    const first = domain.start();
    const changed = application({ template: 'New: $' + '{code}', domain: 'acme.example' });
    const second = domain.start({ application: changed });
    expect(domain.attempt(first.attempt)).toMatchObject({
      template: defaultTemplate('en').named,
      domain: '',
    });
    expect(domain.attempt(second.attempt)).toMatchObject({
      template: changed.template,
      domain: 'acme.example',
    });
  });

  it('chooses the default template by the locale of the attempt, and by whether there is a brand', () => {
    const domain = new Domain();
    const spanish = domain.start({ locale: 'es_MX' });
    const nameless = domain.start({ locale: 'fr', brandName: ' ' });
    expect(domain.attempt(spanish.attempt)).toMatchObject({
      locale: 'es_MX',
      template: defaultTemplate('es').named,
    });
    expect(domain.attempt(nameless.attempt).template).toBe(defaultTemplate('fr').nameless);
  });

  it('gives the last line to the app hash that a create asks for, not to the domain of the application', () => {
    const domain = new Domain();
    const { attempt } = domain.start({
      application: application({ domain: 'acme.example' }),
      appHash: 'FA+9qCX9VSu',
    });
    expect(domain.attempt(attempt)).toMatchObject({ appHash: 'FA+9qCX9VSu', domain: '' });
  });

  it('is refused when the SMS with its app hash is longer than the phone reads, and changes nothing', () => {
    // 140 bytes: a line of 128, a line break and 11 characters.
    const template = (padding: number) =>
      application({ template: `${'x'.repeat(padding)} $${'{brand_name}'} $${'{code}'}` });
    const appHash = 'FA+9qCX9VSu';
    const [fits, tooLong] = [template(128 - 5 - 9), template(128 - 5 - 8)];
    const otp = '12345678';

    const domain = new Domain();
    const refused = domain.run(domain.startCommand({ application: tooLong, appHash, otp }));
    expect(refused).toEqual({ kind: 'refused', reason: 'app-hash' });
    expect(domain.effects).toEqual([]);
    expect(domain.start({ application: fits, appHash, otp }).isNew).toBe(true);
    // The length that counts is that of the live session's code.
    expect(domain.run(domain.startCommand({ application: tooLong, appHash, codeLength: 4 })).kind).toBe(
      'refused',
    );
    expect(domain.start({ application: tooLong, appHash, channel: 'voice' }).isNew).toBe(false);
    expect(domain.start({ application: tooLong, appHash: '' }).isNew).toBe(false);
  });

  it('is refused past the maximum of attempts that the session began with, and changes nothing', () => {
    const domain = new Domain();
    const { session } = domain.start({ application: application({ maxAttempts: 2 }) });
    domain.start();
    const before = domain.session(session);
    expect(domain.run(domain.startCommand())).toEqual({ kind: 'refused', reason: 'attempts' });
    expect(domain.session(session)).toBe(before);
    expect(domain.effects).toEqual([]);
  });

  it('is refused when all validations are used', () => {
    const domain = new Domain();
    const { session } = domain.start();
    for (let i = 0; i < 10; i++) domain.validate(session, wrongFor(domain.code(session)));
    expect(domain.run(domain.startCommand())).toEqual({ kind: 'refused', reason: 'validations' });
    expect(domain.run(domain.startCommand({ otp: '123456' }))).toMatchObject({ reason: 'validations' });
  });
});

describe('a create for a recipient with too many failed validations', () => {
  it('is refused until the failures are older than a day', () => {
    const domain = new Domain();
    const { session } = domain.start();
    for (let i = 0; i < 3; i++) domain.validate(session, wrongFor(domain.code(session)), { now: NOW + i });
    const refusedAt = (now: number) =>
      domain.run(domain.startCommand({ now, failedValidationsLimit: 3 })).kind === 'refused';
    expect(domain.run(domain.startCommand({ failedValidationsLimit: 3 }))).toEqual({
      kind: 'refused',
      reason: 'recipient',
    });
    expect(refusedAt(NOW + 24 * 60 * MINUTE - 1)).toBe(true);
    expect(refusedAt(NOW + 24 * 60 * MINUTE)).toBe(false);
  });
});

describe('a create after the session ended', () => {
  it('starts a new session with a new code when the old one was verified', () => {
    const domain = new Domain();
    const first = domain.start({ codeLength: 8 });
    const code = domain.code(first.session);
    domain.validate(first.session, code);
    const second = domain.start({ codeLength: 8 });
    expect(second.isNew).toBe(true);
    expect(domain.code(second.session)).not.toBe(code);
    expect(domain.session(first.session).status).toBe('verified');
  });

  it('at the very moment of expiry expires the old session, its callback included, and starts the new one', () => {
    const domain = new Domain();
    const first = domain.start({ url: URL_OF_CUSTOMER });
    domain.accepted(first.attempt);
    domain.start({ now: NOW + EXPIRY - 1 });
    const second = domain.start({ now: NOW + EXPIRY });
    expect(second.isNew).toBe(true);
    expect(domain.session(first.session).status).toBe('expired');
    expect(domain.rows.live(application().uuid, RECIPIENT)?.session).toBe(second.session);
    const called = [...domain.rows.attemptsOf(first.session)].flatMap(({ uuid }) => domain.bodies(uuid));
    expect(called.filter((body) => body.SessionStatus === 'expired')).not.toEqual([]);
    expect(called.at(-1)).toMatchObject({ SessionStatus: 'expired', AttemptSequence: '2' });
  });

  it('drops what was still to be delivered of the old session before it delivers the new', () => {
    const domain = new Domain();
    const first = domain.start();
    const second = domain.start({ now: NOW + EXPIRY });
    expect(domain.effects).toEqual([
      { kind: 'drop', attempt: first.attempt },
      { kind: 'deliver', delivery: expect.objectContaining({ attempt: second.attempt }) },
    ]);
    expect(domain.attempt(first.attempt)).toMatchObject({
      status: 'failed',
      errorCode: 20,
      delivery: 'done',
    });
  });

  it('does not expire a second time what the sweep has expired', () => {
    const domain = new Domain();
    const first = domain.start({ url: URL_OF_CUSTOMER });
    domain.expire(first.session, NOW + EXPIRY);
    const made = domain.attempt(first.attempt).callbacksMade;
    domain.start({ now: NOW + EXPIRY });
    expect(domain.attempt(first.attempt).callbacksMade).toBe(made);
  });
});
