import { describe, expect, it } from 'vitest';
import type { ReportResult } from '#delivery/carrier.js';
import { UNWANTED } from '#delivery/carrier.js';
import { createSipCarrier } from '#delivery/carriers/sip/carrier.js';
import type { Media, MediaEvents, MediaSession } from '#delivery/carriers/sip/media/media.js';
import { headerOf, headersOf } from '#delivery/carriers/sip/message/message.js';
import { fields, request, writeMessage } from '#delivery/carriers/sip/message/write.js';
import { readSettings, type SipSettings } from '#delivery/carriers/sip/settings.js';
import type { Transport } from '#delivery/carriers/sip/transport/transport.js';
import type { Resolver } from '#delivery/carriers/sip/trunk/resolve.js';
import { SettingsError } from '#delivery/settings-error.js';
import type { Speech } from '#speech/prompts.js';
import { createAuthority } from '../../../support/certificates.js';
import { SipNetwork } from '../../../support/sip-network.js';
import { SipPeer } from '../../../support/sip-peer.js';
import { VirtualEnvironment } from '../../../support/virtual-time.js';
import { message, recordingContext } from '../support.js';
import { NO_DNS, OFFER, THEM, US } from './support.js';

const SECOND = '192.0.2.2';
const BROKEN_PEM = '-----BEGIN CERTIFICATE-----\nsentinel\n-----END CERTIFICATE-----\n';
const BROKEN_KEY = '-----BEGIN PRIVATE KEY-----\nsentinel\n-----END PRIVATE KEY-----\n';

/** Media that plays each thing in a second, of which a test says what the callee does. */
function fakeMedia(environment: VirtualEnvironment) {
  const listeners = new Map<string, (...values: never[]) => void>();
  const open = new Set<string>();
  const played: number[] = [];
  let stop = () => {};
  const media: Media = {
    open: async ({ call }) => {
      open.add(call);
      const session: MediaSession = {
        port: 40_000,
        offer: () => OFFER,
        answer: () => 'ok',
        answerOffer: () => OFFER,
        start: () => {},
        play: (clips) => {
          stop();
          played.push(clips.length);
          return new Promise((resolve) => {
            const timer = environment.after(1_000, () => resolve('played'));
            stop = () => {
              timer.cancel();
              resolve('stopped');
            };
          });
        },
        stopPlaying: () => stop(),
        sendDtmf: async () => {},
        on: (name, listener) => void listeners.set(name, listener as (...values: never[]) => void),
        close: async () => {
          open.delete(call);
          return {
            packetsSent: 0,
            packetsLate: 0,
            packetsReceived: 0,
            packetsLost: 0,
            jitterMs: 0,
            remote: null,
            codec: null,
            srtp: false,
          };
        },
      };
      return session;
    },
    close: async () => {},
    stats: () => ({
      activeCalls: open.size,
      packetsSent: 0,
      packetsLate: 0,
      packetsReceived: 0,
      packetsRefused: 0,
      restarts: 0,
    }),
  };
  const emit = <Name extends keyof MediaEvents>(name: Name, ...values: MediaEvents[Name]) =>
    listeners.get(name)?.(...(values as never[]));
  /** Cuts short what is being played, as a re-INVITE with another codec does. */
  const cut = () => stop();
  return { media, emit, open, played, cut };
}

function openCarrier(
  changes: Partial<SipSettings> = {},
  answers: readonly ReportResult[] = ['recorded'],
  {
    speech = {},
    through = (transport) => transport,
    resolver = NO_DNS,
  }: {
    speech?: Partial<Speech>;
    through?: (transport: Transport) => Transport;
    resolver?: Resolver;
  } = {},
) {
  const environment = new VirtualEnvironment();
  const network = new SipNetwork(environment);
  const fake = fakeMedia(environment);
  const recording = recordingContext(answers, environment);
  const context = { ...recording, speech: { ...recording.speech, ...speech } };
  const settings = readSettings({
    trunks: [{ host: THEM }],
    caller_id: '14155550100',
    keepalive_seconds: 0,
    session_interval_seconds: 0,
    ...changes,
  });
  const carrier = createSipCarrier(settings, context, {
    resolver,
    openTransport: async () => through(network.attach(US)),
    createMedia: () => fake.media,
  });
  const peer = new SipPeer(network.attach(THEM), THEM);
  const claims: (string | null)[] = [];
  const submit = (
    fields: Parameters<typeof message>[0] = {},
    mark: (over?: AbortSignal) => Promise<boolean> = async () => true,
    unwanted?: AbortSignal,
  ) => {
    const claim = async (id: string | null, over?: AbortSignal) => {
      claims.push(id);
      return mark(over);
    };
    return carrier.submit(message({ channel: 'voice', ...fields }), claim, unwanted);
  };
  const statuses = () => context.reports.map(({ status, underWay }) => `${status}${underWay ? '?' : ''}`);
  return { environment, network, carrier, peer, submit, claims, statuses, reports: context.reports, ...fake };
}

const answering = (asked: Parameters<SipPeer['script']>[0], one: SipPeer) => {
  if (asked.method === 'INVITE') {
    one.respond(asked, 180);
    one.answer(asked);
  }
  if (asked.method === 'BYE') one.respond(asked, 200);
};

describe('a call', () => {
  it('speaks, reports how it goes, and ends with its duration', async () => {
    const { environment, peer, submit, statuses, reports, claims, open } = openCarrier();
    peer.script = answering;
    const result = submit();
    await environment.advance(60_000);
    expect(await result).toEqual({ kind: 'accepted', messageId: null });
    expect(statuses()).toEqual(['ringing?', 'in-progress?', 'completed']);
    // Silence, greeting, code, hint, waiting for key 1, goodbye.
    expect(reports.at(-1)).toMatchObject({ duration: 9, errorCode: null });
    expect(claims).toHaveLength(1);
    expect(peer.requests.map(({ method }) => method)).toEqual(['INVITE', 'ACK', 'BYE']);
    expect(open.size).toBe(0);
  });

  it('speaks no digit before the mark, and none without it', async () => {
    const { environment, peer, submit, statuses, played } = openCarrier();
    peer.script = answering;
    const result = submit({}, async () => false);
    await environment.advance(60_000);
    expect(await result).toMatchObject({ kind: 'unavailable', errorCode: 5010, down: false });
    expect(statuses()).toEqual(['ringing?', 'in-progress?']);
    expect(played).toHaveLength(1);
    expect(peer.all('BYE')).toHaveLength(1);
  });

  it('is hung up at its longest duration, though the database never answers', async () => {
    const { environment, peer, submit } = openCarrier({ max_seconds: 20 });
    peer.script = answering;
    void submit({}, () => new Promise(() => {}));
    await environment.advance(19_000);
    expect(peer.all('BYE')).toEqual([]);
    await environment.advance(2_000);
    expect(peer.all('BYE')).toHaveLength(1);
  });

  it('reports its end again until the database takes it', async () => {
    const { environment, peer, submit, statuses } = openCarrier({}, [
      'recorded',
      'recorded',
      'unavailable',
      'unavailable',
      'recorded',
    ]);
    peer.script = answering;
    const result = submit();
    await environment.advance(60_000);
    expect((await result).kind).toBe('accepted');
    expect(statuses()).toEqual(['ringing?', 'in-progress?', 'completed', 'completed', 'completed']);
  });

  it('with a key counts one press by RTP and INFO once', async () => {
    const { environment, peer, submit, emit, played } = openCarrier();
    peer.script = answering;
    const result = submit({ dtmf: 1 });
    await environment.advance(3_500);
    expect(played).toHaveLength(1);
    emit('dtmf', '1', 100);
    peer.ask(peer.all('INVITE')[0]!, 'INFO', { 'content-type': 'application/dtmf-relay' }, 'Signal=1\r\n');
    await environment.advance(60_000);
    await result;
    // Greeting with the question, code, hint, goodbye: the code was not repeated.
    expect(played).toHaveLength(4);
  });

  it('keeps on reporting its end while the database is away, and never forgets it', async () => {
    const away = Array.from({ length: 200 }, () => 'unavailable' as const);
    const { environment, peer, submit, statuses } = openCarrier({}, [...away, 'recorded']);
    peer.script = answering;
    const result = submit();
    await environment.advance(250_000);
    expect((await result).kind).toBe('accepted');
    expect(statuses().filter((status) => status === 'completed')).toHaveLength(199);
  });

  it('says again from its beginning what another codec has cut short', async () => {
    const { environment, peer, submit, statuses, played, cut } = openCarrier();
    peer.script = answering;
    const result = submit();
    // Amid the greeting, then amid the code.
    await environment.advance(1_500);
    cut();
    await environment.advance(1_000);
    const greetings = played.length;
    await environment.advance(500);
    cut();
    await environment.advance(60_000);
    expect((await result).kind).toBe('accepted');
    expect(greetings).toBe(3);
    expect(played).toEqual([played[0], played[0], played[2], played[2], played[4], played[5]]);
    expect(statuses().at(-1)).toBe('completed');
  });

  it('ends when its sound is cut short without end', async () => {
    const { environment, peer, submit, cut, played } = openCarrier();
    peer.script = answering;
    const result = submit();
    await environment.advance(1_500);
    for (let times = 0; times < 50; times++) {
      cut();
      await environment.advance(10);
    }
    expect(await result).toMatchObject({ kind: 'unavailable', errorCode: 5010, down: false });
    expect(played.length).toBeLessThan(20);
    expect(peer.all('BYE')).toHaveLength(1);
  });

  it('whose prompts cannot be read ends, after the mark as failed', async () => {
    const { environment, peer, submit, reports, open } = openCarrier({}, ['recorded'], {
      speech: {
        code: () => {
          throw new Error('EMFILE: too many open files');
        },
      },
    });
    peer.script = answering;
    const result = submit();
    await environment.advance(10_000);
    expect((await result).kind).toBe('accepted');
    expect(reports.at(-1)).toMatchObject({ status: 'failed', errorCode: 5010 });
    expect([peer.all('BYE').length, open.size]).toEqual([1, 0]);
  });

  it('whose media dies while it rings is cancelled, rather than answered with silence', async () => {
    const { environment, peer, submit, emit } = openCarrier();
    peer.script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 180);
      if (asked.method === 'CANCEL') {
        one.respond(asked, 200);
        one.respond(one.all('INVITE').at(-1)!, 487);
      }
    };
    const result = submit();
    await environment.advance(3_000);
    emit('media-timeout', 'failed');
    await environment.advance(1_000);
    expect(await result).toMatchObject({ kind: 'unavailable', errorCode: 5010, down: false });
    expect(peer.all('CANCEL')).toHaveLength(1);
  });

  it('hangs up at its longest duration though the database has not answered', async () => {
    const { environment, peer, submit, reports } = openCarrier({ max_seconds: 20 });
    peer.script = answering;
    let commit = (_: boolean) => {};
    const result = submit({}, () => new Promise<boolean>((resolve) => (commit = resolve)));
    await environment.advance(25_000);
    expect(peer.all('BYE')).toHaveLength(1);
    commit(true);
    await environment.advance(1_000);
    expect((await result).kind).toBe('accepted');
    expect(reports.at(-1)).toMatchObject({ status: 'failed', errorCode: 6000 });
  });

  it.each([
    [{}, true, { kind: 'refused', errorCode: 4000 }],
    [{ confirmByKey: true, code: '', text: '' }, false, { kind: 'unavailable', errorCode: 5010 }],
  ] as const)('of %j that the callee leaves is over for its mark: %s', async (fields, isOver, expected) => {
    const { environment, peer, submit, emit } = openCarrier();
    peer.script = answering;
    let over: AbortSignal | undefined;
    let refuse = () => {};
    const result = submit(fields, (signal) => {
      over = signal;
      return new Promise((resolve) => {
        refuse = () => resolve(false);
      });
    });
    await environment.advance(3_000);
    emit('dtmf', '1', 100);
    await environment.advance(0);
    expect(over?.aborted).toBe(false);
    peer.ask(peer.all('INVITE')[0]!, 'BYE');
    await environment.advance(100);
    expect(over?.aborted).toBe(isOver);
    refuse();
    await environment.advance(1_000);
    expect(await result).toMatchObject(expected);
  });

  it('is not begun once its code has expired', async () => {
    const { environment, peer, submit } = openCarrier({ calls_per_second: 1 });
    const expiresAt = environment.now() + 500;
    const results = [submit({ expiresAt }), submit({ expiresAt })];
    await environment.advance(60_000);
    expect(await results[1]).toMatchObject({ kind: 'unavailable', down: false, untried: true });
    expect(new Set(peer.all('INVITE').map((one) => headerOf(one, 'call-id'))).size).toBe(1);
  });

  it('hears a key pressed twice within a second as two presses, each told in both ways', async () => {
    const { environment, peer, submit, emit, played } = openCarrier();
    peer.script = answering;
    void submit();
    // Silence, greeting, code; then the hint.
    await environment.advance(3_200);
    const press = async () => {
      emit('dtmf', '1', 100);
      const info = { 'content-type': 'application/dtmf-relay' };
      peer.ask(peer.all('INVITE')[0]!, 'INFO', info, 'Signal=1\r\n');
      await environment.advance(50);
    };
    await press();
    await environment.advance(600);
    await press();
    // Greeting, code, hint, and the code for each press.
    expect(played).toHaveLength(5);
  });

  it.each([
    ['while it rings', 180],
    ['before it rings', 100],
  ] as const)('that is unwanted %s is cancelled, and no other trunk is tried', async (_, provisional) => {
    const { environment, peer, submit, open, claims } = openCarrier({
      trunks: [{ host: THEM }, { host: '198.51.100.99' }],
    });
    peer.script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, provisional);
      if (asked.method === 'CANCEL') {
        one.respond(asked, 200);
        one.respond(one.all('INVITE')[0]!, 487);
      }
    };
    const unwanted = new AbortController();
    const result = submit({}, undefined, unwanted.signal);
    await environment.advance(500);
    unwanted.abort();
    await environment.advance(1_000);
    expect(await result).toEqual(UNWANTED);
    expect([peer.all('INVITE').length, peer.all('CANCEL').length, claims.length, open.size]).toEqual([
      1, 1, 0, 0,
    ]);
  });

  it('that is unwanted before its turn is never placed', async () => {
    const { environment, peer, submit } = openCarrier({ calls_per_second: 1 });
    peer.script = (asked, one) => asked.method === 'INVITE' && one.respond(asked, 486);
    const first = submit();
    const unwanted = new AbortController();
    const second = submit({ hopId: 'second' }, undefined, unwanted.signal);
    await environment.advance(100);
    unwanted.abort();
    await environment.advance(5_000);
    expect([(await first).kind, await second]).toEqual(['refused', UNWANTED]);
    expect(peer.all('INVITE')).toHaveLength(1);
  });

  it.each([
    [486, { kind: 'refused', errorCode: 3010, reason: 'SIP 486', status: 'busy' }],
    [480, { kind: 'refused', errorCode: 3000, reason: 'SIP 480', status: 'no-answer' }],
    [404, { kind: 'refused', errorCode: 3050, reason: 'SIP 404', status: 'failed' }],
    [403, { kind: 'unavailable', errorCode: 3040, reason: 'SIP 403', down: false }],
    [503, { kind: 'unavailable', errorCode: 3090, reason: 'SIP 503', down: true }],
  ])('that is refused with %i ends the submit', async (status, expected) => {
    const { environment, peer, submit, open } = openCarrier();
    peer.script = (asked, one) => asked.method === 'INVITE' && one.respond(asked, status);
    const result = submit();
    await environment.advance(1_000);
    expect(await result).toEqual(expected);
    expect(open.size).toBe(0);
  });

  it('says who calls', async () => {
    const { environment, peer, submit } = openCarrier({ asserted_identity: '+14155550199' });
    peer.script = (asked, one) => asked.method === 'INVITE' && one.respond(asked, 486);
    for (const src of [null, '447700900123', 'anonymous', 'bad" <sip:evil@x>']) {
      void submit({ src });
      await environment.advance(1_000);
    }
    const invites = peer.all('INVITE');
    expect(invites.map((one) => headerOf(one, 'from')!.replace(/;tag=.*/, ''))).toEqual([
      `<sip:+14155550100@${THEM}>`,
      `<sip:+447700900123@${THEM}>`,
      '"Anonymous" <sip:anonymous@anonymous.invalid>',
      `<sip:+14155550100@${THEM}>`,
    ]);
    expect(invites.map((one) => headerOf(one, 'privacy'))).toEqual([null, null, 'id', null]);
    expect(new Set(invites.map((one) => headerOf(one, 'p-asserted-identity')))).toEqual(
      new Set([`<sip:+14155550199@${THEM}>`]),
    );
    expect(invites[0]!.uri).toBe(`sip:+14155550123@${THEM}`);
  });
});

describe('a carrier with several trunks', () => {
  it('takes the next one when one cannot, and leaves alone one that asked for a pause', async () => {
    const { environment, network, peer, submit } = openCarrier({
      trunks: [{ host: THEM }, { host: SECOND }],
    });
    peer.script = (asked, one) => asked.method === 'INVITE' && one.respond(asked, 503, { 'retry-after': 60 });
    const second = new SipPeer(network.attach(SECOND), SECOND);
    second.script = (asked, one) => asked.method === 'INVITE' && one.respond(asked, 486);
    for (let turn = 0; turn < 2; turn++) {
      const result = submit();
      await environment.advance(1_000);
      expect(await result).toMatchObject({ kind: 'refused', errorCode: 3010 });
    }
    expect([peer.all('INVITE').length, second.all('INVITE').length]).toEqual([1, 2]);
    void submit();
    await environment.advance(60_000);
    void submit();
    await environment.advance(1_000);
    expect(peer.all('INVITE')).toHaveLength(2);
  });
});

describe('a registration', () => {
  it('is made with credentials, refreshed in time, and taken back at the end', async () => {
    const { environment, carrier, peer } = openCarrier({
      trunks: [{ host: THEM, username: 'alice', password: 'secret', register: true }],
    });
    peer.script = (asked, one) => {
      if (asked.method !== 'REGISTER') return;
      if (headerOf(asked, 'authorization') === null) {
        one.respond(asked, 401, {
          'www-authenticate': 'Digest realm="x", nonce="1", qop="auth", algorithm=SHA-256',
        });
      } else one.respond(asked, 200, { contact: `${headerOf(asked, 'contact')};expires=120` });
    };
    carrier.start?.();
    await environment.advance(100);
    expect(carrier.status?.()).toMatchObject({ state: 'up', detail: null });
    expect(peer.all('REGISTER').map((one) => headerOf(one, 'cseq'))).toEqual(['1 REGISTER', '2 REGISTER']);
    expect(headerOf(peer.all('REGISTER')[0]!, 'contact')).toBe(`<sip:alice@${US}:5060>`);

    await environment.advance(119_000);
    expect(peer.all('REGISTER')).toHaveLength(3);
    const ids = new Set(peer.all('REGISTER').map((one) => headerOf(one, 'call-id')));
    expect(ids.size).toBe(1);

    const stopped = carrier.stop();
    await environment.advance(2_000);
    await stopped;
    expect(headerOf(peer.all('REGISTER').at(-1)!, 'expires')).toBe('0');
    expect(environment.pending).toBe(0);
  });

  it('that is refused keeps calls away, and is tried again', async () => {
    const { environment, carrier, peer, submit } = openCarrier({
      trunks: [{ host: THEM, username: 'alice', password: 'wrong', register: true }],
    });
    let nonce = 0;
    peer.script = (asked, one) =>
      asked.method === 'REGISTER' &&
      one.respond(asked, 401, { 'www-authenticate': `Digest realm="x", nonce="${++nonce}", qop="auth"` });
    carrier.start?.();
    await environment.advance(1_000);
    expect(carrier.status?.()).toMatchObject({
      state: 'down',
      detail: `${THEM}: registration: user name or password refused`,
    });
    const result = submit();
    await environment.advance(10);
    expect(await result).toMatchObject({ kind: 'unavailable', down: true });
    expect(peer.all('INVITE')).toEqual([]);
    const before = peer.all('REGISTER').length;
    await environment.advance(10_000);
    expect(peer.all('REGISTER').length).toBeGreaterThan(before);
  });

  it('has calls carry the service route that the registrar told', async () => {
    const { environment, carrier, peer, submit } = openCarrier({
      trunks: [{ host: THEM, username: 'a', password: 'b', register: true }],
    });
    peer.script = (asked, one) =>
      asked.method === 'REGISTER' &&
      one.respond(asked, 200, { 'service-route': '<sip:one.example;lr>, <sip:two.example;lr>' });
    carrier.start?.();
    await environment.advance(100);
    void submit();
    await environment.advance(100);
    expect(headersOf(peer.all('INVITE')[0]!, 'route')).toEqual([
      '<sip:one.example;lr>',
      '<sip:two.example;lr>',
    ]);
    expect(headersOf(peer.all('REGISTER')[0]!, 'route')).toEqual([]);
  });

  it('asks for a longer time where the registrar wants one', async () => {
    const { environment, carrier, peer } = openCarrier({
      trunks: [{ host: THEM, username: 'a', password: 'b', register: true }],
      register_seconds: 60,
    });
    peer.script = (asked, one) =>
      Number(headerOf(asked, 'expires')) < 300
        ? one.respond(asked, 423, { 'min-expires': 300 })
        : one.respond(asked, 200, { expires: 300 });
    carrier.start?.();
    await environment.advance(1_000);
    expect(peer.all('REGISTER').map((one) => headerOf(one, 'expires'))).toEqual(['60', '300']);
    expect(carrier.status?.().state).toBe('up');
  });
});

describe('the keep-alive', () => {
  it('that a registrar answers again has us registered again at once, since it may have forgotten us', async () => {
    const { environment, carrier, peer } = openCarrier({
      trunks: [{ host: THEM, username: 'alice', password: 'secret', register: true }],
      keepalive_seconds: 30,
    });
    let away = false;
    peer.script = (asked, one) => {
      if (!away) one.respond(asked, 200, { expires: 3_600 });
    };
    carrier.start?.();
    await environment.advance(1_000);
    expect(peer.all('REGISTER')).toHaveLength(1);
    away = true;
    await environment.advance(60_000);
    expect(carrier.status?.()).toMatchObject({ state: 'down', detail: `${THEM}: no answer` });
    away = false;
    await environment.advance(60_000);
    expect(carrier.status?.()).toMatchObject({ state: 'up', detail: null });
    expect(peer.all('REGISTER')).toHaveLength(2);
    const stopped = carrier.stop();
    await environment.advance(2_000);
    await stopped;
    expect(environment.pending).toBe(0);
  });

  it('that is answered does not hide why there is no registration', async () => {
    const { environment, carrier, peer } = openCarrier({
      trunks: [{ host: THEM, username: 'alice', password: 'secret', register: true }],
      keepalive_seconds: 1,
    });
    peer.script = (asked, one) => one.respond(asked, asked.method === 'REGISTER' ? 403 : 200);
    carrier.start?.();
    await environment.advance(3_000);
    expect(carrier.status?.()).toMatchObject({ state: 'down', detail: `${THEM}: registration: SIP 403` });
  });

  it('shows a trunk that falls silent as down, and up again when it answers, be it with a refusal', async () => {
    const { environment, carrier, peer } = openCarrier({ keepalive_seconds: 30 });
    peer.script = (asked, one) => asked.method === 'OPTIONS' && one.respond(asked, 405);
    carrier.start?.();
    await environment.advance(1_000);
    expect(carrier.status?.().state).toBe('up');
    peer.script = () => {};
    await environment.advance(40_000);
    expect(carrier.status?.()).toMatchObject({ state: 'down', detail: `${THEM}: no answer` });
    peer.script = (asked, one) => asked.method === 'OPTIONS' && one.respond(asked, 200);
    await environment.advance(40_000);
    expect(carrier.status?.().state).toBe('up');
  });
});

describe('a trunk that asks what we can before any call', () => {
  it('is answered, though it is sent no keep-alives', async () => {
    const { environment, carrier, network } = openCarrier();
    carrier.start?.();
    await environment.advance(100);
    const asked = fields({
      via: `SIP/2.0/UDP ${THEM}:5060;branch=z9hG4bKping`,
      'max-forwards': 70,
      from: `<sip:${THEM}>;tag=ping`,
      to: `<sip:${US}>`,
      'call-id': 'ping',
      cseq: '1 OPTIONS',
    });
    const us = { protocol: 'udp', address: US, port: 5060 } as const;
    await network.attach(THEM).send(writeMessage(request('OPTIONS', `sip:${US}`, asked)), us);
    await environment.advance(100);
    expect(network.sent.at(-1)!.text).toMatch(/^SIP\/2\.0 200 /);
  });
});

describe('limits', () => {
  it('let no more calls go on than there are pairs of ports for their sound', () => {
    expect(openCarrier({ calls: 40 }).carrier.window).toBe(40);
    expect(openCarrier({ calls: 40, rtp_ports: { from: 20_001, to: 20_010 } }).carrier.window).toBe(4);
    expect(openCarrier({ calls: 3, rtp_ports: { from: 20_000, to: 20_009 } }).carrier.window).toBe(3);
  });

  it('begin no more calls in a second than they say', async () => {
    const { environment, peer, submit } = openCarrier({ calls_per_second: 2 });
    for (let turn = 0; turn < 6; turn++) void submit();
    await environment.advance(100);
    expect(peer.all('INVITE')).toHaveLength(1);
    await environment.advance(1_000);
    const calls = new Set(peer.all('INVITE').map((one) => headerOf(one, 'call-id')));
    expect(calls.size).toBe(3);
  });
});

describe('stopping', () => {
  it('cancels what rings and says BYE to what speaks, each to be called again or not', async () => {
    const { environment, carrier, peer, submit, statuses, open } = openCarrier({ calls_per_second: 100 });
    let calls = 0;
    peer.script = (asked, one) => {
      if (asked.method === 'INVITE') {
        one.respond(asked, 180);
        if (++calls <= 2) one.answer(asked);
      }
      if (asked.method === 'BYE' || asked.method === 'CANCEL') one.respond(asked, 200);
      if (asked.method === 'CANCEL') one.respond(one.all('INVITE').at(-1)!, 487);
    };
    // The first is spoken to, the second greeted, the third rings.
    const speaking = submit();
    await environment.advance(2_200);
    const greeted = submit();
    const ringing = submit();
    await environment.advance(300);
    const stopped = carrier.stop();
    await environment.advance(2_000);
    await stopped;
    expect(await speaking).toMatchObject({ kind: 'accepted' });
    expect(statuses()).toContain('failed');
    expect(await greeted).toMatchObject({ kind: 'unavailable', errorCode: 5010, down: false });
    expect(await ringing).toMatchObject({ kind: 'unavailable', errorCode: 5010, down: false });
    expect([peer.all('BYE').length, peer.all('CANCEL').length]).toEqual([2, 1]);
    expect([open.size, environment.pending]).toEqual([0, 0]);
  });

  it('a second time, during the first or after it, does nothing more', async () => {
    const { environment, carrier, peer } = openCarrier({
      trunks: [{ host: THEM, username: 'alice', password: 'secret', register: true }],
    });
    peer.script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    carrier.start?.();
    await environment.advance(100);
    const both = [carrier.stop(), carrier.stop()];
    await environment.advance(2_000);
    await Promise.all(both);
    const asked = peer.requests.length;
    await carrier.stop();
    expect(peer.requests).toHaveLength(asked);
    expect(peer.all('REGISTER')).toHaveLength(2);
  });

  it('waits for no connection that would have to be opened to say so', async () => {
    let isOpen = true;
    const { environment, carrier, peer } = openCarrier(
      { trunks: [{ host: THEM, username: 'alice', password: 'secret', register: true }] },
      ['recorded'],
      {
        through: (transport) => ({
          ...transport,
          local: (to) => (isOpen ? transport.local(to) : new Promise(() => {})),
        }),
      },
    );
    peer.script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    carrier.start?.();
    await environment.advance(100);
    isOpen = false;
    let isStopped = false;
    const stopped = carrier.stop().then(() => {
      isStopped = true;
    });
    await environment.advance(1_100);
    expect(isStopped).toBe(true);
    await stopped;
    expect(environment.pending).toBe(0);
  });

  it('before anything was opened opens nothing any more', async () => {
    const { carrier, submit, network } = openCarrier();
    await carrier.stop();
    await carrier.stop();
    carrier.start?.();
    expect(await submit()).toMatchObject({ kind: 'unavailable', errorCode: 5010 });
    expect(network.sent).toEqual([]);
  });

  it('says BYE again when it was lost, and waits no longer than for the answer', async () => {
    const { environment, carrier, peer, submit } = openCarrier();
    peer.script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      if (asked.method === 'BYE' && one.all('BYE').length > 1) one.respond(asked, 200);
    };
    void submit();
    await environment.advance(1_200);
    let stoppedAt: number | null = null;
    const began = environment.monotonic();
    void carrier.stop().then(() => {
      stoppedAt = environment.monotonic();
    });
    await environment.advance(5_000);
    expect(peer.all('BYE')).toHaveLength(2);
    expect(stoppedAt! - began).toBeLessThan(1_000);
  });

  it.each([
    ['at once', 0],
    ['after its connection was refused for a while', 900],
  ])('says BYE again when it was lost with its connection, %s', async (_, shutFor) => {
    let shutUntil = 0;
    const { environment, carrier, peer, network, submit } = openCarrier(
      { trunks: [{ host: THEM, transport: 'tcp' }] },
      ['recorded'],
      {
        through: (transport) => ({
          ...transport,
          send: (bytes, to) =>
            environment.monotonic() < shutUntil
              ? Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
              : transport.send(bytes, to),
        }),
      },
    );
    peer.script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      if (asked.method !== 'BYE') return;
      if (one.all('BYE').length > 1) one.respond(asked, 200);
      else {
        shutUntil = environment.monotonic() + shutFor;
        network.break(US, { protocol: 'tcp', address: THEM, port: 5060 });
      }
    };
    void submit();
    await environment.advance(1_200);
    let isStopped = false;
    void carrier.stop().then(() => {
      isStopped = true;
    });
    await environment.advance(2_000);
    expect(peer.all('BYE')).toHaveLength(2);
    expect([isStopped, environment.pending]).toEqual([true, 0]);
  });

  it('says at once what waited to be said again, and ends though it is never heard', async () => {
    const { environment, carrier, peer, submit } = openCarrier();
    peer.script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      if (asked.method === 'BYE') one.respond(asked, 503, { 'retry-after': 5 });
    };
    void submit({}, async () => false);
    await environment.advance(3_000);
    expect(peer.all('BYE')).toHaveLength(1);
    const stopped = carrier.stop();
    await environment.advance(50);
    expect(peer.all('BYE')).toHaveLength(2);
    await environment.advance(1_950);
    await stopped;
    expect(environment.pending).toBe(0);
  });

  it('waits for no DNS, and takes back what another trunk has granted', async () => {
    const { environment, carrier, peer, submit } = openCarrier(
      {
        trunks: [
          { host: 'a.example', port: 5060 },
          { host: THEM, username: 'alice', password: 'secret', register: true },
        ],
      },
      ['recorded'],
      { resolver: { ...NO_DNS, addresses: () => new Promise(() => {}) } },
    );
    peer.script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    carrier.start?.();
    const waiting = submit();
    await environment.advance(100);
    const stopped = carrier.stop();
    await environment.advance(200);
    await stopped;
    expect(await waiting).toMatchObject({ kind: 'unavailable', errorCode: 5010 });
    expect(peer.all('REGISTER').map((one) => headerOf(one, 'expires'))).toEqual(['600', '0']);
    expect(environment.pending).toBe(0);
  });

  it('takes back a registration that was being asked for, once it is granted', async () => {
    const { environment, carrier, peer } = openCarrier({
      trunks: [{ host: THEM, username: 'alice', password: 'secret', register: true }],
    });
    carrier.start?.();
    await environment.advance(100);
    const stopped = carrier.stop();
    await environment.advance(300);
    expect(peer.all('REGISTER')).toHaveLength(1);
    peer.script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    peer.respond(peer.all('REGISTER')[0]!, 200, { expires: 600 });
    await environment.advance(200);
    await stopped;
    expect(peer.all('REGISTER').map((one) => headerOf(one, 'expires'))).toEqual(['600', '0']);
    expect(environment.pending).toBe(0);
  });

  it('takes back a registration though nobody says whether it was granted', async () => {
    const { environment, carrier, peer } = openCarrier({
      trunks: [{ host: THEM, username: 'alice', password: 'secret', register: true }],
    });
    carrier.start?.();
    await environment.advance(100);
    const stopped = carrier.stop();
    await environment.advance(2_100);
    await stopped;
    const expiries = peer.all('REGISTER').map((one) => headerOf(one, 'expires'));
    expect([expiries[0], expiries.at(-1)]).toEqual(['600', '0']);
    expect(expiries.lastIndexOf('600')).toBeLessThan(expiries.indexOf('0'));
    expect(environment.pending).toBe(0);
  });

  it('takes nothing back from a registrar that refuses', async () => {
    const { environment, carrier, peer } = openCarrier({
      trunks: [{ host: THEM, username: 'alice', password: 'secret', register: true }],
    });
    carrier.start?.();
    await environment.advance(100);
    const stopped = carrier.stop();
    peer.respond(peer.all('REGISTER')[0]!, 403);
    await environment.advance(200);
    await stopped;
    expect(peer.all('REGISTER')).toHaveLength(1);
  });

  it('waits for no answer to a keep-alive', async () => {
    const { environment, carrier, peer } = openCarrier({ keepalive_seconds: 30 });
    carrier.start?.();
    await environment.advance(10);
    expect(peer.all('OPTIONS')).toHaveLength(1);
    const stopped = carrier.stop();
    await environment.advance(150);
    await stopped;
    expect(environment.pending).toBe(0);
  });

  it('cancels what has not rung yet, once it does', async () => {
    const { environment, carrier, peer, submit } = openCarrier();
    peer.script = () => {};
    void submit();
    await environment.advance(10);
    void carrier.stop();
    await environment.advance(1_000);
    peer.respond(peer.all('INVITE')[0]!, 180);
    await environment.advance(1_000);
    expect(peer.all('CANCEL')).not.toEqual([]);
  });
});

describe('a certificate that is shown to a trunk', () => {
  const authority = createAuthority();
  const { cert: certificate, key } = authority.issue('sbc.example');
  const read = (trunk: object) =>
    readSettings({ trunks: [{ host: 'a', transport: 'tls', ...trunk }] } as SipSettings);

  it('is read with its key, and with those between it and its authority', () => {
    const [trunk] = read({ certificate: `${certificate}${authority.cert}`, key }).trunks;
    expect(trunk?.identity).toMatchObject({ certificate: `${certificate}${authority.cert}`, key });
  });

  it.each([
    ['without its key', { certificate }, /^trunks.0: expected certificate and key together$/],
    ['that is only a key', { key }, /^trunks.0: expected certificate and key together$/],
    ['over TCP', { certificate, key, transport: 'tcp' }, /^trunks.0.certificate: expected transport: tls/],
    ['over what DNS says', { certificate, key, transport: undefined }, /expected transport: tls/],
    [
      'that is none',
      { certificate: BROKEN_PEM, key },
      /^trunks.0.certificate: expected a certificate in PEM/,
    ],
    ['with what is no key', { certificate, key: BROKEN_KEY }, /^trunks.0.key: expected a private key in PEM/],
    [
      'with the key of another',
      { certificate, key: authority.issue('other.example').key },
      /^trunks.0.key: expected the private key of the first certificate/,
    ],
  ] as const)('%s is refused by the name of the setting, which is all that is told', (_, trunk, why) => {
    expect(() => read(trunk)).toThrow(why);
    expect(() => read(trunk)).toThrow(SettingsError);
    expect(() => read(trunk)).not.toThrow(/BEGIN|sentinel|MI[A-Z]/);
  });
});

describe('an authority', () => {
  const [first, second] = [createAuthority('First'), createAuthority('Second')];
  const read = (...authorities: readonly (string | undefined)[]) =>
    readSettings({
      trunks: authorities.map((authority) => ({ host: 'a', ...(authority ? { authority } : {}) })),
    }).trunks.map(({ authority }) => authority);

  it('is of one trunk, and told from that of another, be it of several certificates', () => {
    const both = `${first.cert}# The next one\n${second.cert}`;
    const [one, none, two] = read(first.cert, undefined, both);
    expect([none, one?.certificates, two?.certificates.split('BEGIN').length]).toEqual([
      null,
      first.cert.trim(),
      3,
    ]);
    expect(one?.id).not.toBe(two?.id);
  });

  it.each([BROKEN_PEM, `${first.cert}${BROKEN_PEM}`, '-----BEGIN CERTIFICATE-----'])(
    'that is no certificate is refused by the name of the setting',
    (text) => {
      expect(() => read(undefined, text)).toThrow(/^trunks\.1\.authority: expected a certificate in PEM/);
      expect(() => read(undefined, text)).toThrow(SettingsError);
    },
  );
});

describe('settings', () => {
  it.each([
    [{ trunks: [{ host: 'a', username: 'x' }] }, /username and password together/],
    [{ trunks: [{ host: 'a', register: true }] }, /register: expected username/],
    [{ trunks: [{ host: 'a' }], rtp_ports: { from: 4000, to: 4000 } }, /rtp_ports/],
    [{ trunks: [{ host: 'a' }], session_interval_seconds: 30 }, /session_interval_seconds/],
    [{ trunks: [{ host: 'a' }], public_port: 5060 }, /public_port/],
    [{ trunks: [{ host: 'a' }], public_address: 'cafe' }, /public_address: expected an IP address/],
    [{ trunks: [{ host: 'a' }], bind: '1.2.3' }, /bind: expected an IP address/],
  ] as const)('that do not go together are refused: %j', (settings, why) => {
    expect(() => readSettings(settings as unknown as SipSettings)).toThrow(why);
  });
});
