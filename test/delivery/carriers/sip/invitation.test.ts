import { describe, expect, it } from 'vitest';
import type { InvitationOptions } from '#delivery/carriers/sip/dialog/invitation.js';
import {
  headerOf,
  headersOf,
  listOf,
  type SipMessage,
  sequenceOf,
} from '#delivery/carriers/sip/message/message.js';
import { tagOf } from '#delivery/carriers/sip/message/uri.js';
import { UNREACHABLE } from '../../../support/sip-network.js';
import { PEER_SDP, SipPeer } from '../../../support/sip-peer.js';
import { OFFER, openWorld, peerAt, THEM, US } from './support.js';

const SECOND = '192.0.2.2';
const MINUTES = 60_000;
const HALF_AN_HOUR = 30 * 60_000;

describe('a call that is answered', () => {
  it('rings, is acknowledged, and ends with a BYE of ours', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') {
        one.respond(asked, 100);
        one.respond(asked, 180);
        one.answer(asked);
      }
      if (asked.method === 'BYE') one.respond(asked, 200);
    };
    const { call, told } = invite();
    await settle();
    expect(told).toMatchObject({ rang: 1, answered: 1, failures: [], answers: [PEER_SDP] });
    expect(peer().all('ACK')).toHaveLength(1);
    expect(peer().all('INVITE')[0]!.body).toBe(OFFER);

    call.hangUp();
    await settle();
    expect(told.endings).toEqual([{ by: 'us', cause: null }]);
    const [bye] = peer().all('BYE');
    expect(bye!.uri).toBe(`sip:peer@${THEM}:5060`);
    expect(sequenceOf(bye!)!.number).toBe(2);
  });

  it('follows the route that proxies asked for', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') {
        one.answer(asked, { 'record-route': `<sip:${SECOND};lr>, <sip:${THEM};lr>` });
      }
    };
    invite();
    await settle();
    const [ack] = peer().all('ACK');
    expect(listOf(ack!, 'route')).toEqual([`<sip:${THEM};lr>`, `<sip:${SECOND};lr>`]);
    expect(ack!.uri).toBe(`sip:peer@${THEM}:5060`);
  });

  it('ends when the peer says BYE, with the cause that it tells', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      if (asked.method === 'ACK')
        one.ask(one.all('INVITE')[0]!, 'BYE', { reason: 'Q.850;cause=16;text="Normal"' });
    };
    const { told } = invite();
    await settle();
    expect(told.endings).toEqual([{ by: 'peer', cause: 16 }]);
    expect(peer().responses.map(({ status }) => status)).toEqual([200]);
  });

  it('is acknowledged again each time that the 2xx comes again', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') {
        one.answer(asked);
        one.answer(asked);
        one.answer(asked);
      }
    };
    const { told } = invite();
    await settle();
    expect(told.answered).toBe(1);
    expect(peer().all('ACK')).toHaveLength(3);
  });

  it('ends at once when media cannot be agreed', async () => {
    const { peer, invite, settle, agent } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      if (asked.method === 'BYE') one.respond(asked, 200);
    };
    const { told } = invite({ refuses: 'no common codec' });
    await settle();
    expect(agent.calls).toBe(0);
    expect(told.failures).toEqual([{ kind: 'media', why: 'no common codec' }]);
    expect(peer().requests.map(({ method }) => method)).toEqual(['INVITE', 'ACK', 'BYE']);
  });

  it('keeps the first phone that answers, and ends what a second one began', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') {
        one.answer(asked, {}, 'first');
        one.answer(asked, {}, 'second');
      }
      if (asked.method === 'BYE') one.respond(asked, 200);
    };
    const { told } = invite();
    await settle();
    expect(told).toMatchObject({ answered: 1, endings: [] });
    expect(
      peer()
        .all('ACK')
        .map((ack) => tagOf(headerOf(ack, 'to'))),
    ).toEqual(['first', 'second']);
    expect(
      peer()
        .all('BYE')
        .map((bye) => tagOf(headerOf(bye, 'to'))),
    ).toEqual(['second']);
  });
});

describe('early media', () => {
  it('is no answer', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 183, {}, { sdp: PEER_SDP });
    };
    const { told } = invite();
    await settle();
    expect(told).toMatchObject({ rang: 1, answered: 0, answers: [] });
  });

  it('that came reliably is acknowledged once, and is the answer when the 200 has none', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      const reliable = { require: '100rel', rseq: 4711 };
      if (asked.method === 'INVITE') {
        one.respond(asked, 183, reliable, { sdp: PEER_SDP });
        one.respond(asked, 183, reliable, { sdp: PEER_SDP });
      }
      if (asked.method === 'PRACK') {
        one.respond(asked, 200);
        one.respond(one.all('INVITE')[0]!, 200);
      }
    };
    const { told } = invite();
    await settle();
    expect(
      peer()
        .all('PRACK')
        .map((prack) => headerOf(prack, 'rack')),
    ).toEqual(['4711 1 INVITE']);
    expect(told).toMatchObject({ answered: 1, answers: [PEER_SDP] });
  });
});

describe('an UPDATE before the answer', () => {
  it('changes what a reliable response agreed on, as often as it comes', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE')
        one.respond(asked, 183, { require: '100rel', rseq: 1 }, { sdp: PEER_SDP });
      if (asked.method === 'PRACK') one.respond(asked, 200);
    };
    const { told } = invite();
    await settle();
    const [first] = peer().all('INVITE');
    for (let turn = 1; turn <= 2; turn++) {
      peer().ask(first!, 'UPDATE', { 'content-type': 'application/sdp' }, PEER_SDP);
      await settle();
      expect(peer().responses.at(-1)).toMatchObject({ status: 200, body: 'v=0\r\na=answer\r\n' });
    }
    peer().respond(first!, 200);
    await settle();
    expect(told).toMatchObject({ answered: 1, answers: [PEER_SDP], offers: [PEER_SDP, PEER_SDP] });
  });
});

describe('authentication', () => {
  const challenge = 'Digest realm="example.net", nonce="n1", qop="auth", algorithm=SHA-256';

  it.each([
    [401, 'www-authenticate', 'authorization'],
    [407, 'proxy-authenticate', 'proxy-authorization'],
  ])('answers a %i, and signs the ACK as well', async (status, asks, answers) => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method !== 'INVITE') return;
      if (headerOf(asked, answers) === null) one.respond(asked, status, { [asks]: challenge });
      else one.answer(asked);
    };
    const { told } = invite();
    await settle();
    expect(told).toMatchObject({ answered: 1, failures: [] });
    const invites = peer().all('INVITE');
    expect(invites.map((one) => sequenceOf(one)!.number)).toEqual([1, 2]);
    expect(headerOf(invites[1]!, answers)).toMatch(
      /^Digest username="alice", realm="example.net", nonce="n1".*nc=00000001/,
    );
    const acks = peer()
      .all('ACK')
      .filter((ack) => sequenceOf(ack)!.number === 2);
    expect(acks.map((ack) => headerOf(ack, answers))).toEqual([headerOf(invites[1]!, answers)]);
  });

  it('signs again for a stale nonce', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method !== 'INVITE') return;
      const signed = headerOf(asked, 'authorization');
      if (signed === null) one.respond(asked, 401, { 'www-authenticate': challenge });
      else if (signed.includes('"n1"')) {
        one.respond(asked, 401, { 'www-authenticate': challenge.replace('n1', 'n2').concat(', stale=true') });
      } else one.answer(asked);
    };
    const { told } = invite();
    await settle();
    expect(told.answered).toBe(1);
  });

  it('gives up when the password is refused, and says so', async () => {
    const { peer, invite, settle } = openWorld();
    let nonces = 0;
    peer().script = (asked, one) => {
      if (asked.method !== 'INVITE') return;
      one.respond(asked, 401, { 'www-authenticate': challenge.replace('n1', `n${++nonces}`) });
    };
    const { told } = invite();
    await settle();
    expect(told.failures).toEqual([{ kind: 'credentials', given: true }]);
    expect(peer().all('INVITE')).toHaveLength(2);
  });

  it('gives up at a challenge that it cannot answer', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 401, { 'www-authenticate': 'Bearer realm="x"' });
    };
    const { told } = invite();
    await settle();
    expect(told.failures).toEqual([{ kind: 'credentials', given: false }]);
  });
});

describe('a call that is refused', () => {
  it.each([404, 480, 486, 500, 600, 603])(
    'tells of a %i, and acknowledges it within its transaction',
    async (status) => {
      const { peer, invite, settle } = openWorld();
      peer().script = (asked, one) => {
        if (asked.method === 'INVITE')
          one.respond(asked, status, { reason: 'Q.850;cause=21', 'retry-after': 7 });
      };
      const { told } = invite();
      await settle();
      expect(told.failures).toEqual([{ kind: 'response', status, cause: 21, retryAfter: 7_000 }]);
      const [invited, ack] = peer().requests;
      expect(ack!.method).toBe('ACK');
      expect(headerOf(ack!, 'via')).toBe(headerOf(invited!, 'via'));
    },
  );

  it('asks for a longer session interval where the peer wants one', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method !== 'INVITE') return;
      if (headerOf(asked, 'session-expires') === '1800') one.respond(asked, 422, { 'min-se': 3600 });
      else one.answer(asked);
    };
    const { told } = invite();
    await settle();
    expect(told.answered).toBe(1);
    const again = peer().all('INVITE')[1]!;
    expect([headerOf(again, 'session-expires'), headerOf(again, 'min-se')]).toEqual(['3600', '3600']);
  });
});

describe('peers of a trunk', () => {
  it('are tried in turn when one is out of service', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 503);
    };
    peer(SECOND).script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
    };
    const { told } = invite({ peers: [peerAt(THEM), peerAt(SECOND)] });
    await settle();
    expect(told).toMatchObject({ answered: 1, failures: [] });
  });

  it('are tried in turn when one cannot be reached', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
    };
    const { told } = invite({ peers: [peerAt(UNREACHABLE), peerAt(THEM)] });
    await settle();
    expect(told.answered).toBe(1);
  });

  it('are tried in turn when one is silent, and a call that the silent one puts through late is ended', async () => {
    const { peer, invite, settle } = openWorld();
    peer();
    peer(SECOND).script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      if (asked.method === 'BYE') one.respond(asked, 200);
    };
    const { told } = invite({ peers: [peerAt(THEM), peerAt(SECOND)] });
    await settle(7_000);
    expect(told).toMatchObject({ answered: 1, failures: [] });

    const late = peer().all('INVITE')[0]!;
    peer().respond(late, 180);
    await settle();
    expect(peer().all('CANCEL')).toHaveLength(1);
    peer().answer(late);
    await settle();
    expect(
      peer()
        .requests.slice(-2)
        .map(({ method }) => method),
    ).toEqual(['ACK', 'BYE']);
    expect(told.endings).toEqual([]);
  });

  it('that are all silent are no response', async () => {
    const { invite, settle, agent } = openWorld();
    const { told } = invite({ peers: [peerAt(THEM), peerAt(SECOND)] });
    await settle(13_000);
    expect(told.failures).toEqual([{ kind: 'no-response' }]);
    await settle(MINUTES);
    expect([agent.calls, agent.transactions.size]).toEqual([0, 0]);
  });
});

describe('a request that is too large for UDP', () => {
  const STREAM = { protocol: 'tcp', address: THEM, port: 5070 } as const;
  const LARGE: Partial<InvitationOptions> = { headers: [{ name: 'x-large', value: 'x'.repeat(800) }] };
  const protocols = (peer: SipPeer) =>
    peer.all('INVITE').map((asked) => /^SIP\/2.0\/([A-Z]+)/.exec(headerOf(asked, 'via')!)![1]);

  /** A host that answers over UDP and, if it listens there, over TCP. */
  function open(listens: boolean) {
    const world = openWorld();
    const script: SipPeer['script'] = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      if (asked.method === 'BYE') one.respond(asked, 200);
    };
    const stream = new SipPeer(world.network.attach(THEM, 5070), THEM, 5070);
    stream.script = listens ? script : () => {};
    world.peer().script = script;
    return { ...world, stream };
  }

  it('goes over TCP, with all that follows, and one that is not goes over UDP', async () => {
    const { peer, stream, invite, settle } = open(true);
    const peers = [{ ...peerAt(THEM), overTcp: STREAM }];
    const { call, told } = invite({ peers, ...LARGE });
    await settle();
    expect(told).toMatchObject({ answered: 1, failures: [] });
    call.hangUp();
    await settle();
    expect(stream.requests.map(({ method }) => method)).toEqual(['INVITE', 'ACK', 'BYE']);
    expect(protocols(stream)).toEqual(['TCP']);
    expect(headerOf(stream.all('INVITE')[0]!, 'contact')).toContain(';transport=tcp');
    invite({ peers });
    await settle();
    expect(protocols(peer())).toEqual(['UDP']);
  });

  it('goes over UDP where no TCP is known', async () => {
    const { peer, invite, settle } = open(true);
    invite({ ...LARGE });
    await settle();
    expect(protocols(peer())).toEqual(['UDP']);
  });

  it.each([
    ['cannot be connected to', { ...STREAM, address: UNREACHABLE }, 50],
    ['is silent', STREAM, 6_050],
  ])('goes over UDP when TCP %s, and the next one at once', async (_, overTcp, time) => {
    const { peer, network, invite, settle } = open(false);
    const peers = [{ ...peerAt(THEM), overTcp }];
    const tcp = () => network.sent.filter(({ text }) => text.includes('SIP/2.0/TCP')).length;
    const { told } = invite({ peers, ...LARGE });
    await settle(time);
    expect(told).toMatchObject({ answered: 1, failures: [] });
    expect(protocols(peer())).toEqual(['UDP']);
    const tried = tcp();
    expect(tried).toBe(1);
    invite({ peers, ...LARGE });
    await settle();
    expect(protocols(peer())).toEqual(['UDP', 'UDP']);
    expect(tcp()).toBe(tried);
    await settle(HALF_AN_HOUR);
    invite({ peers, ...LARGE });
    await settle();
    expect(tcp()).toBe(tried + 1);
  });
});

describe('the proxies that a trunk wants calls to pass', () => {
  const routes = ['<sip:edge.example;lr>', '"Home" <sip:orig@home.example:5090;lr=on>;x=1'];
  const routeOf = (asked: SipMessage) => headersOf(asked, 'route');

  it('are the route of the INVITE and its CANCEL, of each try, and not of what follows the answer', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method !== 'INVITE') one.respond(asked, 200);
      else if (headerOf(asked, 'proxy-authorization') === null)
        one.respond(asked, 407, { 'proxy-authenticate': 'Digest realm="x", nonce="1", qop="auth"' });
      else if (one.all('INVITE').length === 2) one.answer(asked);
      else one.respond(asked, 180);
    };
    const { call } = invite({ routes });
    await settle();
    call.hangUp();
    const { call: ringing } = invite({ routes });
    await settle();
    ringing.hangUp();
    await settle();
    for (const method of ['INVITE', 'CANCEL']) {
      for (const asked of peer().all(method)) expect(routeOf(asked)).toEqual(routes);
    }
    expect(peer().all('CANCEL')).toHaveLength(1);
    // The ACK of a refusal is of the same way as its INVITE; that of the answer is of the call's.
    expect(peer().all('ACK').map(routeOf)).toEqual([routes, [], routes]);
    expect(peer().all('BYE').map(routeOf)).toEqual([[]]);
  });

  it('are left out towards another host that a redirect leads to', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) =>
      asked.method === 'INVITE' && one.respond(asked, 302, { contact: `<sip:1@${SECOND}>` });
    invite({ routes, redirect: async () => [peerAt(SECOND)] });
    peer(SECOND);
    await settle();
    expect(peer(SECOND).all('INVITE').map(routeOf)).toEqual([[]]);
  });
});

describe('redirects', () => {
  it('are followed where they are allowed, the most wanted first', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') {
        one.respond(asked, 302, {
          contact: `<sip:low@${SECOND}>;q=0.1, <sip:high@${SECOND}>;q=0.9, <sip:evil@198.51.100.9>`,
        });
      }
    };
    peer(SECOND).script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
    };
    const { told } = invite({ redirect: async (uri) => (uri.endsWith(SECOND) ? [peerAt(SECOND)] : []) });
    await settle();
    expect(told.answered).toBe(1);
    expect(peer(SECOND).all('INVITE')[0]!.uri).toBe(`sip:high@${SECOND}`);
  });

  it('try the next contact when the most wanted one is out of service', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      const contact = `<sip:low@${THEM}>;q=0.1, <sip:high@${SECOND}>;q=0.9`;
      if (asked.method !== 'INVITE') return;
      if (asked.uri.includes('low')) one.answer(asked);
      else one.respond(asked, 302, { contact });
    };
    peer(SECOND).script = (asked, one) => asked.method === 'INVITE' && one.respond(asked, 503);
    const { told } = invite({ redirect: async (uri) => [peerAt(uri.endsWith(SECOND) ? SECOND : THEM)] });
    await settle();
    expect(told).toMatchObject({ answered: 1, failures: [] });
    expect(peer(SECOND).all('INVITE')).toHaveLength(1);
  });

  it('that lead in a circle come to an end', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 302, { contact: `<sip:again@${THEM}>` });
    };
    const { told } = invite({ redirect: async () => [peerAt(THEM)] });
    await settle();
    expect(told.failures).toMatchObject([{ kind: 'response', status: 302 }]);
    expect(peer().all('INVITE')).toHaveLength(6);
  });
});

describe('giving a call up', () => {
  it('cancels what rings for too long', async () => {
    const { peer, invite, settle, agent } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 180);
      if (asked.method === 'CANCEL') {
        one.respond(asked, 200);
        one.respond(one.all('INVITE')[0]!, 487);
      }
    };
    const { told } = invite();
    await settle(45_100);
    expect(told.failures).toEqual([{ kind: 'ring-timeout' }]);
    const [invited, cancel, ack] = peer().requests;
    expect([cancel!.method, ack!.method]).toEqual(['CANCEL', 'ACK']);
    expect(headerOf(cancel!, 'via')).toBe(headerOf(invited!, 'via'));
    expect(cancel!.uri).toBe(invited!.uri);
    await settle(2 * MINUTES);
    expect([agent.calls, agent.transactions.size]).toEqual([0, 0]);
  });

  it('cancels again what was lost with its connection', async () => {
    const { peer, invite, network, settle, environment } = openWorld();
    const flow = { ...peerAt(THEM), protocol: 'tcp' } as const;
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 180);
      if (asked.method !== 'CANCEL') return;
      if (one.all('CANCEL').length === 1) network.break(US, flow);
      else {
        one.respond(asked, 200);
        one.respond(one.all('INVITE')[0]!, 487);
      }
    };
    const { call } = invite({ peers: [flow] });
    await settle();
    call.hangUp();
    await settle();
    const vias = peer()
      .all('CANCEL')
      .map((one) => headerOf(one, 'via'));
    expect(vias).toEqual([headerOf(peer().all('INVITE')[0]!, 'via'), vias[0]]);
    expect(environment.pending).toBe(0);
  });

  it('waits with the CANCEL until something came back', async () => {
    const { peer, invite, settle } = openWorld();
    peer();
    const { call, told } = invite();
    await settle(100);
    call.hangUp();
    await settle(100);
    expect(told.failures).toEqual([{ kind: 'cancelled' }]);
    expect(peer().all('CANCEL')).toEqual([]);
    peer().respond(peer().all('INVITE')[0]!, 100);
    await settle();
    expect(peer().all('CANCEL')).toHaveLength(1);
  });

  it('ends a call whose answer crossed the CANCEL', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 180);
      if (asked.method === 'CANCEL') {
        one.answer(one.all('INVITE')[0]!);
        one.respond(asked, 200);
      }
      if (asked.method === 'BYE') one.respond(asked, 200);
    };
    const { call, told } = invite();
    await settle(1_000);
    call.hangUp();
    await settle(1_000);
    expect(told).toMatchObject({ answered: 0, failures: [{ kind: 'cancelled' }], endings: [] });
    expect(peer().requests.map(({ method }) => method)).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE']);
  });
});

describe('what the peer asks within a call', () => {
  async function answered() {
    const world = openWorld();
    const peer = world.peer();
    peer.script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked, { allow: 'INVITE, UPDATE' });
      if (asked.method === 'BYE') one.respond(asked, 200);
    };
    const { call, told } = world.invite();
    await world.settle();
    const ask = async (method: string, headers = {}, body = '') => {
      const asked = peer.ask(peer.all('INVITE')[0]!, method, headers, body);
      await world.settle();
      return { asked, response: peer.responses.at(-1)! };
    };
    return { ...world, peer, call, told, ask };
  }
  const SDP = { 'content-type': 'application/sdp' };

  it('is answered with new media for a re-INVITE, until it is acknowledged', async () => {
    const { peer, told, ask, settle } = await answered();
    const { asked, response } = await ask('INVITE', SDP, 'v=0\r\na=hold\r\n');
    expect([response.status, response.body]).toEqual([200, 'v=0\r\na=answer\r\n']);
    expect(told.offers).toEqual(['v=0\r\na=hold\r\n']);
    const before = peer.responses.length;
    await settle(3_000);
    expect(peer.responses.length).toBeGreaterThan(before);
    peer.acknowledge(asked, response);
    await settle();
    const after = peer.responses.length;
    await settle(40_000);
    expect(peer.responses).toHaveLength(after);
    expect(told.endings).toEqual([]);
  });

  it('ends the call when the answer to a re-INVITE is never acknowledged', async () => {
    const { peer, told, ask, settle } = await answered();
    await ask('INVITE', SDP, PEER_SDP);
    await settle(33_000);
    expect(told.endings).toEqual([{ by: 'lost', cause: null }]);
    expect(peer.all('BYE')).toHaveLength(1);
  });

  it('is offered media when a re-INVITE has none, and the ACK brings the answer', async () => {
    const { peer, told, ask, settle } = await answered();
    const { asked, response } = await ask('INVITE');
    expect(response.body).toBe(OFFER);
    peer.acknowledge(asked, response, PEER_SDP);
    await settle();
    expect(told.answers).toEqual([PEER_SDP, PEER_SDP]);
  });

  it('is told by 488 that an offer cannot be met, and the call goes on', async () => {
    const { ask, told } = await answered();
    expect((await ask('INVITE', SDP, 'v=0\r\na=unknown\r\n')).response.status).toBe(488);
    expect(told.endings).toEqual([]);
  });

  it.each([
    ['UPDATE', {}, '', 200],
    ['UPDATE', { 'session-expires': '60' }, '', 422],
    ['UPDATE', SDP, PEER_SDP, 200],
    ['OPTIONS', {}, '', 200],
    ['INFO', {}, '', 200],
    ['INFO', { 'content-type': 'application/dtmf-relay' }, 'Signal=5\r\nDuration=160\r\n', 200],
    ['INFO', { 'content-type': 'application/dtmf' }, '#', 200],
    ['INFO', { 'content-type': 'application/dtmf' }, 'Z', 400],
    ['INFO', { 'content-type': 'text/plain' }, 'hello', 415],
    ['NOTIFY', { event: 'refer' }, '', 481],
    ['REFER', { 'refer-to': '<sip:x@example.net>' }, '', 405],
    ['MESSAGE', {}, 'hello', 405],
    ['BANANA', {}, '', 501],
    ['UPDATE', { require: 'precondition' }, '', 420],
  ])('is answered: %s %j %j with %i', async (method, headers, body, status) => {
    const { ask, told } = await answered();
    expect((await ask(method, headers, body)).response.status).toBe(status);
    expect(told.endings).toEqual([]);
  });

  it('counts as pressed keys where it is INFO', async () => {
    const { ask, told } = await answered();
    await ask('INFO', { 'content-type': 'application/dtmf-relay' }, 'Signal=1\r\nDuration=160\r\n');
    await ask('INFO', { 'content-type': 'application/dtmf-relay' }, 'Signal=10\r\n');
    expect(told.digits).toEqual(['1', '*']);
  });

  it('is refused when an earlier request overtook it', async () => {
    const { ask, peer } = await answered();
    await ask('OPTIONS', { cseq: '500 OPTIONS' });
    const { response } = await ask('OPTIONS', { cseq: '499 OPTIONS' });
    expect(response.status).toBe(500);
    expect(peer.responses.map(({ status }) => status)).toEqual([200, 500]);
  });

  it('is refused from a dialog that is not there', async () => {
    const { peer, settle } = await answered();
    peer.ask(peer.all('INVITE')[0]!, 'BYE', {}, '', 'somebody-else');
    await settle();
    expect(peer.responses.at(-1)!.status).toBe(481);
  });

  it('meets glare with 491 while our own re-INVITE is on its way', async () => {
    const world = openWorld();
    const peer = world.peer();
    peer.script = (asked, one) => {
      if (asked.method !== 'INVITE') return;
      if (one.all('INVITE').length === 1)
        one.answer(asked, { 'session-expires': '90;refresher=uac', require: 'timer' });
      else if (one.all('INVITE').length === 2) one.ask(one.all('INVITE')[0]!, 'INVITE', SDP, PEER_SDP);
    };
    world.invite();
    await world.settle(45_100);
    expect(peer.responses.map(({ status }) => status)).toEqual([491]);
  });
});

describe('session timers', () => {
  it('refresh the session with UPDATE where the peer knows it', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE')
        one.answer(asked, { allow: 'UPDATE', 'session-expires': '90;refresher=uac' });
      if (asked.method === 'UPDATE') one.respond(asked, 200, { 'session-expires': '90;refresher=uac' });
    };
    const { told } = invite();
    await settle(200_000);
    expect(peer().all('UPDATE')).toHaveLength(4);
    expect(told.endings).toEqual([]);
  });

  it('try again after 491, and with a re-INVITE where UPDATE is not served', async () => {
    const { peer, invite, settle } = openWorld();
    let refused = 0;
    peer().script = (asked, one) => {
      if (asked.method === 'UPDATE') one.respond(asked, 405);
      if (asked.method !== 'INVITE') return;
      const isFirst = one.all('INVITE').length === 1;
      if (!isFirst && refused++ === 0) one.respond(asked, 491);
      else one.answer(asked, { allow: 'UPDATE', 'session-expires': '90;refresher=uac' });
    };
    const { told } = invite();
    await settle(52_000);
    expect(peer().requests.map(({ method }) => method)).toEqual([
      'INVITE',
      'ACK',
      'UPDATE',
      'INVITE',
      'ACK',
      'INVITE',
      'ACK',
    ]);
    expect(told.endings).toEqual([]);
  });

  it('end a session that the peer no longer knows', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE')
        one.answer(asked, { allow: 'UPDATE', 'session-expires': '90;refresher=uac' });
      if (asked.method === 'UPDATE') one.respond(asked, 481);
    };
    const { told } = invite();
    await settle(50_000);
    expect(told.endings).toEqual([{ by: 'lost', cause: null }]);
  });

  it('end a session that the peer was to refresh and did not', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked, { 'session-expires': '90;refresher=uas' });
    };
    const { told } = invite();
    await settle(59_000);
    expect(told.endings).toEqual([]);
    await settle(3_000);
    expect(told.endings).toEqual([{ by: 'lost', cause: null }]);
    expect(peer().all('BYE').length).toBeGreaterThan(0);
  });
});

describe('what comes from outside of a call', () => {
  it('is passed over when it is from a stranger, and answered when it is from the trunk', async () => {
    const { peer, invite, settle } = openWorld();
    const stranger = peer(SECOND);
    const { call } = invite({ peers: [peerAt(SECOND)] });
    await settle();
    const like = stranger.all('INVITE')[0]!;
    call.hangUp();
    stranger.ask(like, 'OPTIONS', { to: '<sip:us@192.0.2.10>' });
    await settle();
    expect(stranger.responses).toEqual([]);

    const friend = peer();
    const { call: other } = invite();
    await settle();
    other.hangUp();
    const about = friend.all('INVITE')[0]!;
    for (const [method, status] of [
      ['OPTIONS', 200],
      ['INVITE', 403],
      ['BYE', 481],
      ['SUBSCRIBE', 405],
      ['BANANA', 501],
    ] as const) {
      friend.ask(about, method, { to: '<sip:us@192.0.2.10>' });
      await settle();
      expect([method, friend.responses.at(-1)!.status]).toEqual([method, status]);
    }
  });
});

describe('over a network that loses, repeats and reorders', () => {
  it('every call comes about and ends for both sides, and nothing is left', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const world = openWorld({ faults: { lost: 0.3, repeated: 0.2, delay: 400 }, seed });
      const peer = world.peer();
      const answered = new Set<string>();
      // A peer with just enough of a stack: it repeats its 200 until the ACK.
      peer.script = (asked, one) => {
        const id = `${headerOf(asked, 'call-id')}`;
        if (asked.method === 'INVITE' && !answered.has(id)) {
          answered.add(id);
          one.respond(asked, 180);
          const repeat = (wait: number, left: number) => {
            if (one.all('ACK').length > 0 || left === 0) return;
            one.answer(asked);
            world.environment.after(wait, () => repeat(Math.min(wait * 2, 4_000), left - 1));
          };
          world.environment.after(1_000, () => repeat(500, 11));
        }
        if (asked.method === 'BYE') one.respond(asked, 200);
      };
      const { call, told } = world.invite({ responseTimeout: 32_000 });
      await world.settle(20_000);
      expect([seed, told.answered, told.failures]).toEqual([seed, 1, []]);
      expect(peer.all('ACK').length).toBeGreaterThan(0);
      call.hangUp();
      await world.settle(3 * MINUTES);
      expect(peer.all('BYE').length).toBeGreaterThan(0);
      expect([world.agent.calls, world.agent.transactions.size, world.environment.pending]).toEqual([
        0, 0, 0,
      ]);
    }
  });
});
