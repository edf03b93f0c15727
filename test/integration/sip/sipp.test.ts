import { describe, expect, it } from 'vitest';
import { ask, expectRequest, isInstalled, REMEMBER, respond, scenario, sipp } from './programs.js';
import { running } from './support.js';

const present = isInstalled('sipp', 'sip-tester');

describe.skipIf(!present)('against SIPp', () => {
  it.each([
    [400, { kind: 'unavailable', errorCode: 5010 }],
    [403, { kind: 'unavailable', errorCode: 3040 }],
    [404, { kind: 'refused', errorCode: 3050, status: 'failed' }],
    [408, { kind: 'unavailable', errorCode: 3070 }],
    [480, { kind: 'refused', errorCode: 3000, status: 'no-answer' }],
    [486, { kind: 'refused', errorCode: 3010, status: 'busy' }],
    [488, { kind: 'unavailable', errorCode: 5010 }],
    [500, { kind: 'unavailable', errorCode: 3080, down: false }],
    [503, { kind: 'unavailable', errorCode: 3090, down: true }],
    [603, { kind: 'refused', errorCode: 3110, status: 'failed' }],
  ])('a %i is acknowledged and understood', async (status, expected) => {
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        respond(100),
        respond(status, { retransmit: true }),
        expectRequest('ACK'),
      ),
    );
    const { call } = await running(peer.port);
    expect(await call()).toMatchObject(expected);
    await peer.done;
  });

  it('a cause of Q.850 says more than the response', async () => {
    const refusal = respond(480, { headers: ['Reason: Q.850;cause=1;text="Unallocated"'], retransmit: true });
    const peer = await sipp(scenario(expectRequest('INVITE'), refusal, expectRequest('ACK')));
    const { call } = await running(peer.port);
    expect(await call()).toMatchObject({ kind: 'refused', errorCode: 3050 });
    await peer.done;
  });

  it('a 401 is answered with a digest that SIPp finds right', async () => {
    const challenge = `WWW-Authenticate: Digest realm="example.net", nonce="47ebe028cda119c35d4877b383027d28da013815", qop="auth", algorithm=MD5`;
    const verify = '<verifyauth assign_to="right" username="alice" password="secret"/>';
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        respond(401, { headers: [challenge], retransmit: true }),
        expectRequest('ACK'),
        expectRequest('INVITE', verify),
        '<nop test="right" next="1"/>',
        // What SIPp finds wrong is another refusal.
        respond(403, { retransmit: true }),
        '<nop next="2"/>',
        '<label id="1"/>',
        respond(486, { retransmit: true }),
        '<label id="2"/>',
        expectRequest('ACK'),
      ),
    );
    const { call } = await running(peer.port, { trunk: { username: 'alice', password: 'secret' } });
    expect(await call()).toMatchObject({ errorCode: 3010 });
    await peer.done;
  });

  it('a 407 of a proxy is answered in its own header field', async () => {
    const challenge = 'Proxy-Authenticate: Digest realm="proxy", nonce=.abc., algorithm=SHA-256, qop="auth"';
    const signed =
      '<ereg regexp="realm=.proxy., nonce=.abc.,.*response=.[0-9a-f]{64}." search_in="hdr" header="Proxy-Authorization:" check_it="true" assign_to="signed"/>';
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        respond(407, { headers: [challenge], retransmit: true }),
        expectRequest('ACK'),
        expectRequest('INVITE', signed),
        respond(486, { retransmit: true }),
        expectRequest('ACK'),
        '<Reference variables="signed"/>',
      ),
    );
    const { call } = await running(peer.port, { trunk: { username: 'alice', password: 'secret' } });
    expect(await call()).toMatchObject({ errorCode: 3010 });
    await peer.done;
  });

  it('a redirect to the trunk itself is followed', async () => {
    const moved = respond(302, {
      headers: ['Contact: <sip:elsewhere@[local_ip]:[local_port]>'],
      retransmit: true,
    });
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        moved.replace('Contact: <sip:[local_ip]:[local_port];transport=[transport]>\n', ''),
        expectRequest('ACK'),
        expectRequest('INVITE'),
        respond(486, { retransmit: true }),
        expectRequest('ACK'),
      ),
    );
    const { call } = await running(peer.port);
    expect(await call()).toMatchObject({ errorCode: 3010 });
    await peer.done;
  });

  it('early media is no answer', async () => {
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        respond(183, { sdp: true }),
        '<pause milliseconds="300"/>',
        respond(486, { retransmit: true }),
        expectRequest('ACK'),
      ),
    );
    const { call, statuses } = await running(peer.port);
    expect(await call()).toMatchObject({ errorCode: 3010 });
    expect(statuses()).toEqual(['ringing']);
    await peer.done;
  });

  it('a provisional response that must be acknowledged is', async () => {
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        respond(183, { headers: ['Require: 100rel', 'RSeq: 17'], sdp: true, retransmit: true }),
        expectRequest(
          'PRACK',
          '<ereg regexp="17 1 INVITE" search_in="hdr" header="RAck:" check_it="true" assign_to="rack"/>',
        ),
        respond(200),
        '<Reference variables="rack"/>',
      ),
    );
    const { call } = await running(peer.port, { settings: { ring_seconds: 5 } });
    await call();
    await peer.done;
  });

  it('what rings for too long is cancelled', async () => {
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        respond(180),
        // The last request is then the CANCEL: the INVITE's own response copies what it shares with it.
        expectRequest('CANCEL'),
        respond(200),
        respond(487, { retransmit: true }).replace('[last_CSeq:]', 'CSeq: 1 INVITE'),
        expectRequest('ACK'),
      ),
    );
    const { call } = await running(peer.port, { settings: { ring_seconds: 5 } });
    expect(await call()).toMatchObject({ kind: 'refused', errorCode: 6010, status: 'no-answer' });
    await peer.done;
  });

  it.each([false, true])(
    'a call is answered, changed by a re-INVITE, and ended by the callee (TCP: %s)',
    async (tcp) => {
      const peer = await sipp(
        scenario(
          expectRequest('INVITE', REMEMBER),
          respond(180),
          respond(200, { sdp: true, retransmit: true }),
          expectRequest('ACK'),
          '<pause milliseconds="200"/>',
          ask('INVITE', 501, [], true),
          '<recv response="200"/>',
          ask('ACK', 501),
          '<pause milliseconds="200"/>',
          ask('BYE', 502),
          '<recv response="200"/>',
        ),
        { tcp },
      );
      const { call, statuses } = await running(peer.port, { trunk: { transport: tcp ? 'tcp' : 'udp' } });
      expect(await call()).toMatchObject({ kind: 'refused', errorCode: 4000 });
      expect(statuses()).toEqual(['ringing', 'in-progress']);
      await peer.done;
    },
  );

  it('a session interval that is too short for the peer is raised', async () => {
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        respond(422, { headers: ['Min-SE: 2400'], retransmit: true }),
        expectRequest('ACK'),
        expectRequest(
          'INVITE',
          '<ereg regexp="2400" search_in="hdr" header="Session-Expires:" check_it="true" assign_to="interval"/>',
        ),
        respond(486, { retransmit: true }),
        expectRequest('ACK'),
        '<Reference variables="interval"/>',
      ),
    );
    const { call } = await running(peer.port);
    expect(await call()).toMatchObject({ errorCode: 3010 });
    await peer.done;
  });

  it('20 calls with every fifth packet lost come to their end', async () => {
    const calls = 20;
    const peer = await sipp(
      scenario(
        expectRequest('INVITE'),
        respond(180),
        respond(486, { retransmit: true }),
        expectRequest('ACK'),
      ),
      { calls, more: ['-lost', '20'] },
    );
    const { call } = await running(peer.port, { settings: { response_seconds: 20 } });
    const results = await Promise.all(Array.from({ length: calls }, () => call()));
    expect(results.map((result) => result.kind === 'refused' && result.errorCode)).toEqual(
      Array(calls).fill(3010),
    );
    await peer.done;
  });
});
