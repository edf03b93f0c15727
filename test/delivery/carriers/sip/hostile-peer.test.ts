import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerOf, type SipRequest } from '#delivery/carriers/sip/message/message.js';
import { parseMessage } from '#delivery/carriers/sip/message/parse.js';
import { tagOf } from '#delivery/carriers/sip/message/uri.js';
import { PEER_SDP } from '../../../support/sip-peer.js';
import { openWorld, peerAt, THEM } from './support.js';

const MINUTES = 60_000;

/** Header fields that are odd, hostile, or only not what is expected. */
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { contact: '*' },
  { contact: '<tel:+14155550123>' },
  { contact: '<sip:x@192.0.2.77:1>, <sip:y@>' },
  { contact: 'sip:[::1]:99999' },
  { 'record-route': '<sip:192.0.2.3;lr>,<sip:strict@192.0.2.4>,nonsense' },
  { 'record-route': 'nonsense' },
  { require: '100rel', rseq: '1' },
  { require: '100rel', rseq: '2' },
  { require: '100rel', rseq: '9999999999' },
  { 'session-expires': '0' },
  { 'session-expires': '1;refresher=uas', allow: 'UPDATE' },
  { 'session-expires': '99999999999;refresher=uac' },
  { 'session-expires': '4294967;refresher=uac' },
  { 'session-expires': ';;;' },
  { 'min-se': '999999999' },
  { 'min-se': '3600' },
  { 'www-authenticate': 'Digest realm="x", nonce="1", qop="auth"' },
  { 'proxy-authenticate': 'Digest realm="x", nonce="1", qop="auth-int", algorithm=SHA-256-sess' },
  { 'www-authenticate': 'Digest' },
  { 'retry-after': '99999999999 (for ever)' },
  { reason: 'Q.850;cause=999;text="x' },
  { 'content-type': 'multipart/mixed;boundary=x' },
  { 'content-type': 'multipart/mixed' },
  { 'content-type': 'application/sdp' },
  { 'content-type': 'application/dtmf-relay' },
];
const BODIES = [
  '',
  PEER_SDP,
  'Signal=5',
  '\r\n--x\r\n\r\n\r\n--x--',
  'v=0\r\na=unknown\r\n',
  '\0'.repeat(40),
];
const TAGS = ['peer', 'other', 'third', ''];
const STATUSES = [
  100, 180, 183, 199, 200, 202, 299, 302, 401, 407, 422, 481, 486, 487, 491, 500, 503, 603, 699,
];
const METHODS = [
  'BYE',
  'INVITE',
  'UPDATE',
  'INFO',
  'OPTIONS',
  'ACK',
  'CANCEL',
  'PRACK',
  'REFER',
  'NOTIFY',
  'X',
];

const common = {
  wait: fc.constantFrom(0, 0, 0, 1, 40, 600, 2_500),
  headers: fc.array(fc.constantFrom(...HEADERS), { maxLength: 2 }),
  body: fc.constantFrom(...BODIES),
  tag: fc.constantFrom(...TAGS),
};
/** What the peer does next: answers one of our requests, or asks something itself. */
const deed = fc.oneof(
  fc.record({ ...common, status: fc.constantFrom(...STATUSES), which: fc.nat(6) }),
  fc.record({ ...common, status: fc.constant(200), which: fc.nat(1), body: fc.constant(PEER_SDP) }),
  fc.record({ ...common, method: fc.constantFrom(...METHODS) }),
);

describe('a peer that does whatever it likes', () => {
  it('gets each call that it answered acknowledged and ended, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 14 }), fc.nat(2 ** 30), async (deeds, seed) => {
        const world = openWorld({ seed });
        const { agent, environment, network, settle } = world;
        const peer = world.peer();
        const { call, told } = world.invite({ redirect: async () => [peerAt(THEM)] });
        await settle();
        const invites = () => peer.all('INVITE').filter((one) => tagOf(headerOf(one, 'to')) === '');
        /** INVITEs by their branch: the first final answer decides. */
        const refused = new Set<string>();
        const answered = new Set<string>();
        for (const one of deeds) {
          const headers = Object.assign({}, ...one.headers) as Record<string, string>;
          if ('status' in one) {
            const latest = peer.requests.filter(({ method }) => method !== 'ACK');
            const asked = latest[Math.max(0, latest.length - 1 - one.which)]!;
            const isFirst = invites().includes(asked);
            const branch = headerOf(asked, 'via')!;
            peer.respond(asked, one.status, headers, { sdp: one.body, tag: one.tag });
            if (isFirst && one.status >= 300) refused.add(branch);
            if (isFirst && one.status >= 200 && one.status < 300 && !refused.has(branch)) {
              answered.add(one.tag);
            }
          } else peer.ask(invites()[0]!, one.method, headers, one.body, one.tag);
          await settle(one.wait + 5);
        }
        call.hangUp();
        await settle(5 * MINUTES);

        expect(told.failures.length + told.answered).toBe(1);
        expect(told.endings).toHaveLength(told.answered);
        expect([agent.calls, agent.transactions.size, environment.pending]).toEqual([0, 0, 0]);
        // Far fewer than a loop would make of it.
        expect(network.sent.length).toBeLessThan(2_000);
        const ours = network.sent
          .filter(({ from }) => from.startsWith('192.0.2.10:'))
          .flatMap(({ text }) => {
            const parsed = parseMessage(Buffer.from(text));
            return parsed.ok && parsed.message.kind === 'request' ? [parsed.message] : [];
          });
        const tagsOf = (method: string) =>
          ours.filter((one) => one.method === method).map((one) => tagOf(headerOf(one, 'to')));
        const hungUp = deeds.flatMap((one) => ('method' in one && one.method === 'BYE' ? [one.tag] : []));
        for (const tag of answered) {
          expect(tagsOf('ACK')).toContain(tag);
          expect([...tagsOf('BYE'), ...hungUp]).toContain(tag);
        }
        const numbers = (requests: readonly SipRequest[]) =>
          requests
            .filter(({ method }) => !['ACK', 'CANCEL'].includes(method))
            .map((one) => `${tagOf(headerOf(one, 'to'))} ${headerOf(one, 'cseq')} ${headerOf(one, 'via')}`);
        // One number within a dialog is one request, repeats of it aside.
        const distinct = [...new Set(numbers(ours))].filter((one) => !one.startsWith(' '));
        const spent = distinct.map((one) => one.split(' ').slice(0, 2).join(' '));
        expect(spent).toEqual([...new Set(spent)]);
      }),
      { numRuns: 300 },
    );
  });

  it('cannot make us answer more phones than a call has', async () => {
    const { peer: peerOf, invite, settle, agent } = openWorld();
    const peer = peerOf();
    invite();
    await settle();
    const [asked] = peer.all('INVITE');
    for (let phone = 0; phone < 500; phone++) peer.answer(asked!, {}, `phone-${phone}`);
    await settle();
    expect(peer.all('BYE').length).toBeLessThan(20);
    expect(agent.transactions.size).toBeLessThan(20);
  });
});
