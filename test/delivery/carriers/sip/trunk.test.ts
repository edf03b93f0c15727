import { describe, expect, it } from 'vitest';
import { headerOf, listOf, type SipRequest } from '#delivery/carriers/sip/message/message.js';
import { fields, request, responseTo } from '#delivery/carriers/sip/message/write.js';
import type { Transport } from '#delivery/carriers/sip/transport/transport.js';
import { createAuthenticator } from '#delivery/carriers/sip/trunk/authenticator.js';
import { type Resolver, systemResolver } from '#delivery/carriers/sip/trunk/resolve.js';
import { Trunk } from '#delivery/carriers/sip/trunk/trunk.js';
import type { SipPeer } from '../../../support/sip-peer.js';
import { VirtualEnvironment } from '../../../support/virtual-time.js';
import { NO_DNS, openWorld, THEM, US } from './support.js';

const MINUTES = 60_000;
const SECOND = '192.0.2.2';

function openTrunk(
  changes: {
    host?: string;
    register?: boolean;
    resolver?: Resolver;
    keepAlive?: number;
    through?: (transport: Transport) => Transport;
    protocol?: 'udp' | 'tcp' | 'tls';
  } = {},
) {
  const {
    host = THEM,
    register = false,
    resolver = NO_DNS,
    keepAlive = 0,
    through,
    protocol = 'udp',
  } = changes;
  const world = openWorld(through ? { through } : {});
  const told: string[] = [];
  const trunk = new Trunk({
    agent: world.agent,
    resolver,
    settings: {
      host,
      port: null,
      protocol,
      domain: host,
      credentials: { username: 'alice', password: 'secret' },
      register,
      redirectHosts: [],
      authority: null,
      identity: null,
    },
    keepAlive,
    responseTimeout: 6_000,
    registerFor: 600,
    onChange: (state, detail) => told.push(detail === null ? state : `${state}: ${detail}`),
  });
  return { ...world, trunk, told };
}

describe('a registration', () => {
  it('stands while the registrar is out of reach, until the time that it granted is over', async () => {
    const { trunk, told, peer, settle } = openTrunk({ register: true });
    peer().script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    trunk.start();
    await settle();
    peer().script = () => {};
    await settle(9 * MINUTES + 50_000);
    expect(peer().all('REGISTER').length).toBeGreaterThan(2);
    expect([trunk.isUsable, told]).toEqual([true, ['up']]);
    await settle(11_000);
    expect(trunk.isUsable).toBe(false);
    peer().script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    await settle(5 * MINUTES);
    expect(trunk.isUsable).toBe(true);
  });

  it('that ran out is told as down, and as up when it is granted again', async () => {
    const { trunk, told, peer, settle } = openTrunk({ register: true });
    const grant = () => {
      peer().script = (asked, one) => one.respond(asked, 200, { expires: 60 });
    };
    grant();
    trunk.start();
    await settle();
    peer().script = () => {};
    await settle(5 * MINUTES);
    expect(told).toEqual(['up', 'down: registration: no answer']);
    grant();
    await settle(6 * MINUTES);
    expect(told).toEqual(['up', 'down: registration: no answer', 'up']);
  });

  it('falls at once when the registrar refuses it', async () => {
    const { trunk, peer, settle } = openTrunk({ register: true });
    peer().script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    trunk.start();
    await settle();
    peer().script = (asked, one) => one.respond(asked, 403);
    await settle(9 * MINUTES + 1_000);
    expect(trunk.isUsable).toBe(false);
  });

  it('lasts as long as granted to us, whatever else is registered for the user', async () => {
    const { trunk, peer, settle } = openTrunk({ register: true });
    peer().script = (asked, one) =>
      one.respond(asked, 200, {
        contact: `<sip:alice@192.0.2.99:5060>;expires=2, ${headerOf(asked, 'contact')};expires=600`,
      });
    trunk.start();
    await settle(8 * MINUTES);
    expect(peer().all('REGISTER')).toHaveLength(1);
  });
});

describe('a service route', () => {
  const ROUTE = ['<sip:edge.example;lr>', '"Home, sweet" <sip:orig@home.example:5090;lr>;x=1'];

  it('is kept in its order as long as the registration stands, and is that of the last answer', async () => {
    const { trunk, peer, settle } = openTrunk({ register: true });
    const answer = (headers: Record<string, string>) => {
      peer().script = (asked, one) => one.respond(asked, 200, { expires: 600, ...headers });
    };
    answer({ 'service-route': ROUTE.join(', ') });
    trunk.start();
    expect(trunk.serviceRoute).toEqual([]);
    await settle();
    expect(trunk.serviceRoute).toEqual(ROUTE);
    answer({ 'service-route': ROUTE[1]! });
    await settle(9 * MINUTES + 1_000);
    expect(trunk.serviceRoute).toEqual([ROUTE[1]]);
    answer({});
    await settle(9 * MINUTES + 1_000);
    expect([trunk.isUsable, trunk.serviceRoute]).toEqual([true, []]);
  });

  it.each([
    ['is refused', (asked: SipRequest, one: SipPeer) => one.respond(asked, 403)],
    ['runs out', () => {}],
  ] as const)('is forgotten when the registration %s', async (_, script) => {
    const { trunk, peer, settle } = openTrunk({ register: true });
    peer().script = (asked, one) => one.respond(asked, 200, { expires: 600, 'service-route': ROUTE[0]! });
    trunk.start();
    await settle(8 * MINUTES);
    expect(trunk.serviceRoute).toEqual([ROUTE[0]]);
    peer().script = script;
    await settle(2 * MINUTES + 1_000);
    expect(trunk.serviceRoute).toEqual([]);
  });

  it.each([
    ['of a strict router', '<sip:edge.example>'],
    ['without angle brackets', 'sip:edge.example;lr'],
    ['that is no SIP', '<tel:+14155550123;lr>'],
    ['of too many proxies', Array(9).fill(ROUTE[0]).join(', ')],
    [
      'that is too long',
      Array(8)
        .fill(`<sip:${'a'.repeat(250)}@edge.example;lr>`)
        .join(', '),
    ],
    ['of which one part is wrong', `${ROUTE[0]}, <sip:edge.example>`],
  ])('%s is none', async (_, route) => {
    const { trunk, peer, settle } = openTrunk({ register: true });
    peer().script = (asked, one) => one.respond(asked, 200, { expires: 600, 'service-route': route });
    trunk.start();
    await settle();
    expect([trunk.isUsable, trunk.serviceRoute]).toEqual([true, []]);
  });

  it('has calls go to the peer that told it before any other', async () => {
    const addresses = async () => [THEM, SECOND];
    const world = openTrunk({ host: 'a.example', register: true, resolver: { ...NO_DNS, addresses } });
    const { trunk, peer, settle } = world;
    peer().script = (asked, one) => one.respond(asked, 503);
    peer(SECOND).script = (asked, one) =>
      one.respond(asked, 200, { expires: 600, 'service-route': ROUTE[0]! });
    trunk.start();
    // The other one is tried last for a while only.
    await settle(5 * MINUTES);
    expect((await trunk.peers()).map(({ address }) => address)).toEqual([SECOND, THEM]);
  });
});

describe('a registration whose connection has ended', () => {
  const flow = { protocol: 'tcp', address: THEM, port: 5060 } as const;
  const open = async () => {
    const world = openTrunk({ register: true, protocol: 'tcp' });
    world.peer().script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    world.trunk.start();
    await world.settle();
    return { ...world, asked: () => world.peer().all('REGISTER').length };
  };

  it('is made again soon, and not more than twice a minute', async () => {
    const { network, settle, asked, trunk } = await open();
    await settle(MINUTES);
    network.break(US, flow);
    await settle(2_000);
    expect(asked()).toBe(2);
    for (let second = 0; second < 60; second++) {
      network.break(US, flow);
      await settle(1_000);
    }
    expect([3, 4]).toContain(asked());
    expect(trunk.isUsable).toBe(true);
  });

  it('is left alone when the connection was another one', async () => {
    const { network, settle, asked } = await open();
    await settle(MINUTES);
    network.break(US, { ...flow, address: SECOND });
    await settle(MINUTES);
    expect(asked()).toBe(1);
  });
});

describe('a contact of a connection that is gone', () => {
  it('is taken back with the next REGISTER, and at the stop', async () => {
    let port = 40_001;
    const { trunk, peer, settle, environment } = openTrunk({
      register: true,
      through: (transport) => ({ ...transport, local: async () => ({ address: US, port }) }),
    });
    peer().script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    const contactOf = (at: number) => `<sip:alice@${US}:${at}>`;
    const contacts = () =>
      peer()
        .all('REGISTER')
        .map((one) => headerOf(one, 'contact'));
    trunk.start();
    await settle();
    port = 40_002;
    await settle(10 * MINUTES);
    port = 40_003;
    const stopped = trunk.stop(1_000);
    await settle();
    await stopped;
    expect(contacts()).toEqual([
      contactOf(40_001),
      `${contactOf(40_002)}, ${contactOf(40_001)};expires=0`,
      `${contactOf(40_003)}, ${contactOf(40_002)};expires=0`,
    ]);
    await settle(6_000);
    expect(environment.pending).toBe(0);
  });

  it.each([400, 500])('is told no more to a registrar that refuses two of them with %i', async (status) => {
    let port = 40_001;
    const { trunk, peer, settle } = openTrunk({
      register: true,
      through: (transport) => ({ ...transport, local: async () => ({ address: US, port }) }),
    });
    peer().script = (asked, one) =>
      one.respond(asked, listOf(asked, 'contact').length > 1 ? status : 200, { expires: 600 });
    trunk.start();
    await settle();
    port = 40_002;
    await settle(9 * MINUTES + 10_000);
    expect(
      peer()
        .all('REGISTER')
        .map((one) => listOf(one, 'contact').length),
    ).toEqual([1, 2, 1]);
    expect(trunk.isUsable).toBe(true);
  });
});

describe('what is told of a trunk', () => {
  it('is nothing before its registration is answered, though it answers OPTIONS', async () => {
    const { trunk, told, peer, settle } = openTrunk({ register: true, keepAlive: 30_000 });
    peer().script = (asked, one) => asked.method === 'OPTIONS' && one.respond(asked, 200);
    trunk.start();
    await settle(1_000);
    expect([told, trunk.isKnown]).toEqual([[], false]);
    for (const asked of peer().all('REGISTER')) peer().respond(asked, 200, { expires: 600 });
    await settle();
    expect([told, trunk.isKnown]).toEqual([['up'], true]);
  });

  it('is why it is down, and again when that is another reason', async () => {
    const { trunk, told, peer, settle } = openTrunk({ register: true, keepAlive: 30_000 });
    peer().script = () => {};
    trunk.start();
    await settle(7_000);
    expect(told).toEqual(['down: no answer']);
    peer().script = (asked, one) => one.respond(asked, asked.method === 'OPTIONS' ? 200 : 403);
    await settle(MINUTES);
    expect(told).toEqual(['down: no answer', 'down: registration: SIP 403']);
    peer().script = (asked, one) => one.respond(asked, 200, { expires: 600 });
    await settle(5 * MINUTES);
    expect(told.at(-1)).toBe('up');
  });
});

describe('the addresses of a trunk', () => {
  it('are the last ones when DNS is away, and calls hardly wait for it', async () => {
    let isAway = false;
    let asked = 0;
    const addresses = async () => {
      asked++;
      return isAway ? new Promise<never>(() => {}) : [THEM];
    };
    const { trunk, environment } = openTrunk({ host: 'a.example', resolver: { ...NO_DNS, addresses } });
    const peersSoon = async () => {
      let found: readonly { readonly address: string }[] | null = null;
      void trunk.peers().then((peers) => {
        found = peers;
      });
      await environment.advance(1_500);
      return (found as readonly { readonly address: string }[] | null)?.map(({ address }) => address);
    };
    expect(await peersSoon()).toEqual([THEM]);
    isAway = true;
    await environment.advance(MINUTES);
    for (let call = 0; call < 3; call++) expect(await peersSoon()).toEqual([THEM]);
    expect([asked, environment.pending]).toEqual([2, 0]);
  });

  it('are asked for again only after a while when DNS fails', async () => {
    let asked = 0;
    const addresses = async () => (++asked === 1 ? [THEM] : Promise.reject(new Error('SERVFAIL')));
    const { trunk, environment } = openTrunk({ host: 'a.example', resolver: { ...NO_DNS, addresses } });
    await trunk.peers();
    await environment.advance(MINUTES);
    for (let call = 0; call < 5; call++) expect(await trunk.peers()).toHaveLength(1);
    expect(asked).toBe(2);
  });

  it('are tried last for a while when they did not answer, so that calls need not wait for them', async () => {
    const addresses = async () => [SECOND, THEM];
    const world = openTrunk({ host: 'a.example', resolver: { ...NO_DNS, addresses }, keepAlive: 30_000 });
    const { trunk, peer, settle } = world;
    const first = async () => (await trunk.peers())[0]!.address;
    peer().script = (asked, one) => one.respond(asked, 200);
    peer(SECOND).script = () => {};
    trunk.start();
    expect(await first()).toBe(SECOND);
    await settle(7_000);
    expect([await first(), (await trunk.peers()).length]).toEqual([THEM, 2]);
    peer(SECOND).script = (asked, one) => one.respond(asked, 200);
    await settle(3 * MINUTES);
    expect(await first()).toBe(SECOND);
  });

  it('are those that the bound socket can reach', async () => {
    expect(await systemResolver('0.0.0.0').addresses('127.0.0.1')).toEqual(['127.0.0.1']);
    for (const address of await systemResolver('127.0.0.1').addresses('localhost'))
      expect(address).toMatch(/^127\./);
  });
});

describe('a redirect', () => {
  it.each([
    ['+14155550123', true],
    ['14155550123;npdi;rn=+14155559999', true],
    ['4155550123', true],
    ['011#1(415)555-0123', true],
    ['%2B14155550123', true],
    ['904155550123', true],
    ['gateway', true],
    ['', true],
    ['+881612345678', false],
    ['%2B881612345678', false],
    ['%31%39%30%30%35%35%35%30%31%32%34', false],
    ['+88165550123', false],
    ['88165550123', false],
    ['+14155550124', false],
  ])('to %s at the trunk is followed: %s', async (user, isFollowed) => {
    const { trunk } = openTrunk();
    const peers = await trunk.redirect(`sip:${user === '' ? '' : `${user}@`}${THEM}`, '14155550123');
    expect(peers.length > 0).toBe(isFollowed);
  });
});

describe('a redirect over TLS', () => {
  it('to an address of the trunk is for the name of the trunk, and to another host for its own', async () => {
    const addresses = async () => [THEM];
    const { trunk } = openTrunk({ host: 'a.example', protocol: 'tls', resolver: { ...NO_DNS, addresses } });
    await trunk.peers();
    const [own] = await trunk.redirect(`sip:1@${THEM}:5070;transport=tls`, '1');
    expect(own).toMatchObject({ address: THEM, port: 5070, serverName: 'a.example' });
    expect(await trunk.redirect('sip:1@198.51.100.9;transport=tls', '1')).toEqual([]);
  });
});

describe('credentials', () => {
  it('are counted on for a nonce that two calls were given', () => {
    const environment = new VirtualEnvironment();
    const authenticator = createAuthenticator({ username: 'alice', password: 'secret' }, environment);
    const invite = request('INVITE', 'sip:a@b', fields({ via: 'SIP/2.0/UDP h', cseq: '1 INVITE' }));
    const headers = fields({ 'proxy-authenticate': 'Digest realm="x", nonce="1", qop="auth"' });
    const counts = [1, 2].map(() => {
      authenticator.learn(invite, responseTo(invite, 407, { tag: 'x', headers }), 0);
      return /nc=([0-9a-f]+)/.exec(headerOf(authenticator.sign(invite), 'proxy-authorization')!)![1];
    });
    expect(counts).toEqual(['00000001', '00000002']);
  });

  it('are given for the newest nonce, however many realms there were', () => {
    const environment = new VirtualEnvironment();
    const authenticator = createAuthenticator({ username: 'alice', password: 'secret' }, environment);
    const options = request('OPTIONS', 'sip:a@b', fields({ via: 'SIP/2.0/UDP h', cseq: '1 OPTIONS' }));
    const learn = (realm: string, nonce: string) => {
      const headers = fields({ 'www-authenticate': `Digest realm="${realm}", nonce="${nonce}", qop="auth"` });
      const judgement = authenticator.learn(options, responseTo(options, 401, { tag: 'x', headers }), 0);
      expect(judgement).toBe('again');
    };
    for (let realm = 1; realm <= 20; realm++) learn(`r${realm}`, 'old');
    learn('r20', 'new');
    const answers = authenticator.sign(options).headers.filter(({ name }) => name === 'authorization');
    expect(answers.length).toBeLessThanOrEqual(8);
    expect(answers.filter(({ value }) => value.includes('"r20"')).map(({ value }) => value)).toEqual([
      expect.stringContaining('nonce="new"'),
    ]);
  });
});

describe('a flood with the address of the trunk', () => {
  it('keeps no BYE from its call', async () => {
    const { peer, invite, settle, agent } = openWorld();
    peer().script = (asked, one) => asked.method === 'INVITE' && one.answer(asked);
    const { told } = invite();
    await settle();
    const [like] = peer().all('INVITE');
    for (let count = 0; count < 10_100; count++) peer().ask(like!, 'OPTIONS', { to: '<sip:us@192.0.2.10>' });
    await settle();
    expect(agent.transactions.size).toBeLessThan(1_100);
    peer().ask(like!, 'BYE');
    await settle();
    expect(told.endings).toEqual([{ by: 'peer', cause: null }]);
  });
});
