import { describe, expect, it } from 'vitest';
import { headerOf } from '#delivery/carriers/sip/message/message.js';
import { fields, request, responseTo } from '#delivery/carriers/sip/message/write.js';
import { createAuthenticator } from '#delivery/carriers/sip/trunk/authenticator.js';
import { type Resolver, systemResolver } from '#delivery/carriers/sip/trunk/resolve.js';
import { Trunk } from '#delivery/carriers/sip/trunk/trunk.js';
import { VirtualEnvironment } from '../../../support/virtual-time.js';
import { NO_DNS, openWorld, THEM } from './support.js';

const MINUTES = 60_000;
const SECOND = '192.0.2.2';

function openTrunk(
  changes: { host?: string; register?: boolean; resolver?: Resolver; keepAlive?: number } = {},
) {
  const world = openWorld();
  const { host = THEM, register = false, resolver = NO_DNS, keepAlive = 0 } = changes;
  const told: string[] = [];
  const trunk = new Trunk({
    agent: world.agent,
    resolver,
    settings: {
      host,
      port: null,
      protocol: 'udp',
      domain: host,
      credentials: { username: 'alice', password: 'secret' },
      register,
      redirectHosts: [],
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
