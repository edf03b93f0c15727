import { describe, expect, it } from 'vitest';
import { headerOf, type SipMessage, sequenceOf } from '#delivery/carriers/sip/message/message.js';
import { tagOf } from '#delivery/carriers/sip/message/uri.js';
import { PEER_SDP, type Script } from '../../../support/sip-peer.js';
import { NO_DNS, OFFER, openWorld, peerAt, THEM, US } from './support.js';

const SDP = { 'content-type': 'application/sdp' };

/** A call that stands; `more` takes what comes after. */
async function answered(
  headers: Record<string, string> = {},
  more: Script = () => {},
  { address = THEM, resolver = NO_DNS } = {},
) {
  const world = openWorld({ resolver });
  const peer = world.peer(address);
  peer.script = (asked, one) => {
    if (asked.method === 'INVITE' && tagOf(headerOf(asked, 'to')) === '') one.answer(asked, headers);
    else if (asked.method === 'BYE') one.respond(asked, 200);
    else more(asked, one);
  };
  const { call, told } = world.invite({ peers: [peerAt(address)] });
  await world.settle();
  const invite = peer.all('INVITE')[0]!;
  return { ...world, peer, call, told, invite };
}

describe('numbers of requests', () => {
  it('are never used twice in a dialog, though answer and reliable response come at once', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') {
        one.respond(asked, 180, { require: '100rel', rseq: 1 });
        one.answer(asked);
      }
      // A peer of many asks for the password of every request.
      if (asked.method === 'PRACK' && headerOf(asked, 'authorization') === null)
        one.respond(asked, 401, { 'www-authenticate': 'Digest realm="x", nonce="1", qop="auth"' });
    };
    const { call } = invite();
    await settle();
    call.hangUp();
    await settle();
    const numbers = peer()
      .requests.filter(({ method }) => method === 'PRACK' || method === 'BYE')
      .map((one) => sequenceOf(one)!.number);
    expect(numbers).toHaveLength(3);
    expect(new Set(numbers).size).toBe(3);
    expect(Math.max(...numbers)).toBe(sequenceOf(peer().all('BYE')[0]!)!.number);
  });
});

describe('another phone that rang', () => {
  it('cannot take over the sound of a call that was answered', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') {
        one.respond(asked, 183, { require: '100rel', rseq: 1 }, { sdp: PEER_SDP, tag: 'other' });
        one.answer(asked, {}, 'first');
      }
    };
    const { told } = invite();
    await settle();
    expect(told.answered).toBe(1);
    peer().ask(peer().all('INVITE')[0]!, 'UPDATE', SDP, PEER_SDP, 'other');
    await settle();
    expect(peer().responses.at(-1)!.status).toBe(481);
    expect(told.offers).toEqual([]);
  });
});

describe('a re-INVITE of the peer', () => {
  it('that was refused does not end the call, though its ACK never comes', async () => {
    const { peer, told, invite, settle } = await answered();
    peer.ask(invite, 'INVITE', SDP, 'v=0\r\na=unknown\r\n');
    await settle(40_000);
    expect(peer.responses[0]!.status).toBe(488);
    expect([told.endings, peer.all('BYE')]).toEqual([[], []]);
  });

  it('is acknowledged by an ACK with the branch of the INVITE as well', async () => {
    const { peer, told, invite, settle } = await answered();
    const asked = peer.ask(invite, 'INVITE', SDP, PEER_SDP);
    await settle();
    peer.ask(invite, 'ACK', {
      via: headerOf(asked, 'via')!,
      cseq: `${sequenceOf(asked)!.number} ACK`,
    });
    await settle(40_000);
    expect(told.endings).toEqual([]);
  });

  it('that is cancelled before it is answered leaves the call open for the next one', async () => {
    let found = (_: readonly string[]) => {};
    const addresses = () =>
      new Promise<readonly string[]>((resolve) => {
        found = resolve;
      });
    const world = await answered({}, () => {}, { resolver: { ...NO_DNS, addresses } });
    const { peer, told, invite, settle } = world;
    const statusOf = (asked: SipMessage) =>
      peer.responses.filter((one) => headerOf(one, 'cseq') === headerOf(asked, 'cseq')).at(-1)?.status;
    const slow = { ...SDP, contact: '<sip:peer@moved.example:5060>' };
    const asked = peer.ask(invite, 'INVITE', slow, PEER_SDP);
    await settle();
    peer.ask(invite, 'CANCEL', {
      via: headerOf(asked, 'via')!,
      cseq: `${sequenceOf(asked)!.number} CANCEL`,
    });
    await settle();
    found([THEM]);
    await settle();
    expect(statusOf(asked)).toBe(487);
    const next = peer.ask(invite, 'INVITE', SDP, PEER_SDP);
    await settle();
    expect([statusOf(next), told.endings]).toEqual([200, []]);
  });
});

describe('a session interval', () => {
  it.each(['0', '1', '999999999'])(
    'of %s seconds neither ends the call at once nor floods the peer',
    async (seconds) => {
      for (const refresher of ['uac', 'uas']) {
        const interval = { 'session-expires': `${seconds};refresher=${refresher}`, allow: 'UPDATE' };
        const { peer, told, settle, environment } = await answered(interval, (asked, one) => {
          if (asked.method === 'UPDATE') one.respond(asked, 200, interval);
        });
        await settle(5_000);
        expect(told.endings).toEqual([]);
        expect(peer.all('UPDATE').length).toBeLessThan(3);
        // A timer of more milliseconds than these the system runs at once.
        await settle(40_000);
        expect(environment.untilNext ?? 0).toBeLessThan(2 ** 31);
      }
    },
  );

  it('is not kept to by us once the peer leaves it out of a refresh of its own', async () => {
    const { peer, told, invite, settle } = await answered({ 'session-expires': '90;refresher=uas' });
    await settle(30_000);
    peer.ask(invite, 'UPDATE');
    await settle(60_000);
    expect(told.endings).toEqual([]);
  });

  it('whose refresh was lost with its connection is refreshed over the next one', async () => {
    const { peer, invite, network, settle, environment } = openWorld();
    const flow = { ...peerAt(THEM), protocol: 'tcp' } as const;
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE')
        one.answer(asked, { 'session-expires': '90;refresher=uac', allow: 'UPDATE' });
      if (asked.method !== 'UPDATE') return;
      if (one.all('UPDATE').length === 1) network.break(US, flow);
      else one.respond(asked, 200, { 'session-expires': '90;refresher=uac' });
    };
    const { told } = invite({ peers: [flow] });
    await settle(50_000);
    expect(peer().all('UPDATE')).toHaveLength(2);
    expect([told.endings, peer().all('BYE')]).toEqual([[], []]);
    expect(environment.pending).toBeGreaterThan(0);
  });

  it('whose refresh is refused for another reason than that the call is gone ends with its time', async () => {
    const { told, peer, settle } = await answered(
      { 'session-expires': '90;refresher=uac', allow: 'UPDATE' },
      (asked, one) => asked.method === 'UPDATE' && one.respond(asked, 403),
    );
    await settle(46_000);
    expect(told.endings).toEqual([]);
    await settle(45_000);
    expect(told.endings).toEqual([{ by: 'lost', cause: null }]);
    expect(peer.all('BYE')).toHaveLength(1);
  });
});

describe('the end of a call', () => {
  it.each([
    [2, [2, 3, 4]],
    [99, [2, 3, 4, 5]],
  ])('is said again to a peer that refuses it %i times, with numbers %j', async (times, numbers) => {
    const { call, peer, settle, environment } = await answered();
    peer.script = (asked, one) => {
      if (asked.method === 'BYE') one.respond(asked, one.all('BYE').length <= times ? 503 : 200);
    };
    call.hangUp();
    await settle(60_000);
    expect(peer.all('BYE').map((one) => sequenceOf(one)!.number)).toEqual(numbers);
    expect(environment.pending).toBe(0);
  });

  it('is said again over another connection when the one that it went over was dead', async () => {
    const { peer, invite, network, settle, agent } = openWorld();
    const flow = { ...peerAt(THEM), protocol: 'tcp' } as const;
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      if (asked.method !== 'BYE') return;
      if (one.all('BYE').length === 1) network.break(US, flow);
      else one.respond(asked, 200);
    };
    const { call } = invite({ peers: [flow] });
    await settle();
    call.hangUp();
    await settle(10_000);
    expect(peer().all('BYE')).toHaveLength(2);
    expect(agent.transactions.unanswered).toBe(0);
  });

  /** A call over TCP whose way is shut while `refuses` says so, be it for opening a connection or for writing to it. */
  async function shut(how: 'opening' | 'writing', protocol: 'tcp' | 'udp' = 'tcp') {
    let refuses = () => false;
    let tries = 0;
    const refused = () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const isShut = () => {
      if (!refuses()) return false;
      tries++;
      return true;
    };
    const world = openWorld({
      through: (transport) => ({
        ...transport,
        local: (to) => (how === 'opening' && isShut() ? Promise.reject(refused()) : transport.local(to)),
        send: (bytes, to) =>
          how === 'writing' && isShut() ? Promise.reject(refused()) : transport.send(bytes, to),
      }),
    });
    const peer = world.peer();
    peer.script = (asked, one) => {
      if (asked.method === 'INVITE') one.answer(asked);
      else if (asked.method === 'BYE') one.respond(asked, 200);
    };
    const flow = { ...peerAt(THEM), protocol };
    const { call } = world.invite({ peers: [flow] });
    await world.settle();
    return {
      ...world,
      peer,
      call,
      flow,
      tries: () => tries,
      refuse: (next: () => boolean) => {
        refuses = next;
      },
    };
  }

  it.each(['tcp', 'udp'] as const)('is said again until it can be sent, over %s', async (protocol) => {
    const { call, peer, settle, environment, agent, refuse } = await shut('writing', protocol);
    const until = environment.monotonic() + 40_000;
    refuse(() => environment.monotonic() < until);
    call.hangUp();
    await settle(39_000);
    expect([peer.all('BYE').length, agent.goodbyes.size]).toEqual([0, 1]);
    await settle(12_000);
    expect([peer.all('BYE').length, agent.goodbyes.size, environment.pending]).toEqual([1, 0, 0]);
  });

  it('is said again when the connection breaks before the answer, and the next is refused for a while', async () => {
    const { call, peer, settle, environment, network, flow, refuse } = await shut('opening');
    const until = environment.monotonic() + 10_000;
    peer.script = (asked, one) => {
      if (asked.method !== 'BYE') return;
      if (one.all('BYE').length > 1) one.respond(asked, 200);
      else {
        refuse(() => environment.monotonic() < until);
        network.break(US, flow);
      }
    };
    call.hangUp();
    await settle(40_000);
    expect(peer.all('BYE').map((one) => sequenceOf(one)!.number)).toEqual([2, 3]);
    expect(environment.pending).toBe(0);
  });

  it.each(['opening', 'writing'] as const)(
    'is given up in the end when %s a connection is always refused',
    async (how) => {
      const { call, peer, settle, environment, network, flow, agent, refuse, tries } = await shut(how);
      refuse(() => how === 'writing' || peer.all('BYE').length > 0);
      peer.script = (asked) => asked.method === 'BYE' && network.break(US, flow);
      call.hangUp();
      await settle(120_000);
      expect(tries()).toBeGreaterThan(5);
      expect(tries()).toBeLessThan(30);
      expect([agent.goodbyes.size, environment.pending]).toEqual([0, 0]);
    },
  );

  it('is said again over TCP to a peer that was silent for as long as it had, and not without end', async () => {
    const { call, peer, settle, environment } = await shut('writing');
    peer.script = () => {};
    call.hangUp();
    await settle(33_000);
    expect(peer.all('BYE')).toHaveLength(2);
    await settle(180_000);
    expect(peer.all('BYE').length).toBeLessThan(5);
    expect(environment.pending).toBe(0);
  });

  it('leaves nothing of a re-INVITE that the peer never answered', async () => {
    const { call, peer, settle, agent, environment } = await answered(
      { 'session-expires': '90;refresher=uac' },
      (asked, one) => asked.method === 'INVITE' && one.respond(asked, 100),
    );
    await settle(46_000);
    expect(peer.all('INVITE')).toHaveLength(2);
    call.hangUp();
    await settle(70_000);
    expect([agent.calls, agent.transactions.size, environment.pending]).toEqual([0, 0, 0]);
  });

  it('takes no answer to an offer of a re-INVITE that it overtook', async () => {
    const { call, peer, settle, told } = await answered(
      { 'session-expires': '90;refresher=uac' },
      (asked, one) => asked.method === 'INVITE' && one.respond(asked, 100),
    );
    await settle(46_000);
    call.hangUp();
    peer.answer(peer.all('INVITE')[1]!);
    await settle();
    expect(peer.all('ACK')).toHaveLength(2);
    expect(told.answers).toHaveLength(1);
  });
});

describe('the way of an ACK', () => {
  // Addresses that all can reach, which those for documentation are not.
  const PUBLIC = '1.2.3.4';
  const resolver = {
    ...NO_DNS,
    addresses: async (name: string) => (name === 'both.example' ? ['2001:db8::7', '1.2.3.5'] : ['10.0.0.7']),
  };

  it.each([
    ['sip:peer@1.2.3.5:5060;transport=UDP', '1.2.3.5:5060'],
    ['sip:peer@both.example:5060', '1.2.3.5:5060'],
    // A provider's inner address, one with a name, and one of a family that our socket does not speak.
    ['sip:peer@10.0.0.7:5060', `${PUBLIC}:5060`],
    ['sip:peer@inner.example:5060', `${PUBLIC}:5060`],
    ['sip:peer@[2001:db8::7]:5060', `${PUBLIC}:5060`],
  ])('to %s leads to %s', async (contact, address) => {
    const { network } = await answered({ contact: `<${contact}>` }, () => {}, { address: PUBLIC, resolver });
    const ack = network.sent.find(({ text }) => text.startsWith('ACK '))!;
    expect([ack.to, ack.text.split(' ')[1]]).toEqual([address, contact]);
  });

  it('is loose through a router whose parameters are odd', async () => {
    const route = '<sip:192.0.2.2:5060;x=[a/b];$odd;lr=on>';
    const { network } = await answered({ 'record-route': route });
    const ack = network.sent.find(({ text }) => text.startsWith('ACK '))!;
    expect([ack.to, ack.text.split(' ')[1]]).toEqual(['192.0.2.2:5060', `sip:peer@${THEM}:5060`]);
    expect(ack.text).toContain(`Route: ${route}`);
  });
});

describe('an answer within a multipart body', () => {
  it('is found, be it beside the ISUP of a telephone exchange', async () => {
    const { peer, invite, settle } = openWorld();
    const body = [
      'preamble',
      '--two-parts',
      'Content-Type: application/isup;version=itu-t92+',
      '',
      'x',
      '--two-parts',
      'content-type:application/SDP',
      'Content-Disposition: session',
      '',
      PEER_SDP.trimEnd(),
      '--two-parts--',
      '',
    ].join('\r\n');
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE')
        one.respond(asked, 200, { 'content-type': 'multipart/mixed;boundary="two-parts"' }, { sdp: body });
    };
    const { told } = invite();
    await settle();
    expect(told.answers.map((one) => one.trimEnd())).toEqual([PEER_SDP.trimEnd()]);
    expect(told.answered).toBe(1);
  });
});

describe('an UPDATE before the answer', () => {
  it('is answered with our contact, and leaves the offer of the INVITE as it was', async () => {
    const { peer, invite, settle } = openWorld();
    peer().script = (asked, one) => {
      if (asked.method === 'INVITE') one.respond(asked, 183, { require: '100rel', rseq: 1 });
    };
    invite();
    await settle();
    peer().ask(peer().all('INVITE')[0]!, 'UPDATE');
    await settle();
    const response = peer().responses.at(-1)!;
    expect([response.status, headerOf(response, 'contact')]).toEqual([
      200,
      headerOf(peer().all('INVITE')[0]!, 'contact'),
    ]);
    expect(peer().all('INVITE')[0]!.body).toBe(OFFER);
  });
});
