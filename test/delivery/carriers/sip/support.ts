import { Agent } from '#delivery/carriers/sip/agent.js';
import {
  Invitation,
  type InvitationOptions,
  type InviteFailure,
} from '#delivery/carriers/sip/dialog/invitation.js';
import type { CallEnding } from '#delivery/carriers/sip/dialog/reading.js';
import type { Peer, Transport } from '#delivery/carriers/sip/transport/transport.js';
import { createAuthenticator } from '#delivery/carriers/sip/trunk/authenticator.js';
import type { Resolver } from '#delivery/carriers/sip/trunk/resolve.js';
import { type Faults, SipNetwork } from '../../../support/sip-network.js';
import { SipPeer } from '../../../support/sip-peer.js';
import { VirtualEnvironment } from '../../../support/virtual-time.js';

export const US = '192.0.2.10';
export const THEM = '192.0.2.1';
export const OFFER = 'v=0\r\no=- 7 7 IN IP4 192.0.2.10\r\n';

export const NO_DNS: Resolver = { naptr: async () => [], srv: async () => [], addresses: async () => [] };

export function peerAt(address: string): Peer {
  return { protocol: 'udp', address, port: 5060 };
}

export interface Told {
  rang: number;
  answered: number;
  readonly failures: InviteFailure[];
  readonly endings: CallEnding[];
  readonly digits: string[];
  /** SDP texts that the media was given, as answers and as offers. */
  readonly answers: string[];
  readonly offers: string[];
}

/** An agent and its peers on a network in memory, in virtual time. */
export function openWorld({
  faults = {},
  seed = 1,
  resolver = NO_DNS,
  through = (transport) => transport,
}: {
  faults?: Faults;
  seed?: number;
  resolver?: Resolver;
  /** What stands between us and the network. */
  through?: (transport: Transport) => Transport;
} = {}) {
  const environment = new VirtualEnvironment({ seed });
  const network = new SipNetwork(environment, faults, seed);
  const malformed: string[] = [];
  const agent = new Agent({
    environment,
    transport: through(network.attach(US)),
    resolver,
    publicAddress: null,
    publicPort: null,
    userAgent: 'Countersign',
    trusts: (address) => address === THEM,
    onMalformed: (why) => malformed.push(why),
  });
  const peers = new Map<string, SipPeer>();
  const peer = (address = THEM) => {
    const known = peers.get(address);
    if (known) return known;
    const made = new SipPeer(network.attach(address), address);
    peers.set(address, made);
    return made;
  };
  const invite = (changes: Partial<InvitationOptions> & { refuses?: string } = {}) => {
    const told: Told = {
      rang: 0,
      answered: 0,
      failures: [],
      endings: [],
      digits: [],
      answers: [],
      offers: [],
    };
    const call = new Invitation({
      agent,
      peers: [peerAt(THEM)],
      uri: `sip:+14155550123@${THEM}`,
      routes: [],
      from: `<sip:+14155550100@${THEM}>`,
      to: `<sip:+14155550123@${THEM}>`,
      contactUser: '+14155550100',
      headers: [],
      authenticator: createAuthenticator({ username: 'alice', password: 'secret' }, environment),
      media: {
        offer: () => OFFER,
        answer: (sdp) => {
          told.answers.push(sdp);
          return changes.refuses ? { refused: changes.refuses } : 'ok';
        },
        answerOffer: (sdp) => {
          told.offers.push(sdp);
          return sdp.includes('unknown') ? null : 'v=0\r\na=answer\r\n';
        },
      },
      responseTimeout: 6_000,
      ringTimeout: 45_000,
      sessionInterval: 1_800,
      redirect: async () => [],
      events: {
        onRinging: () => told.rang++,
        onAnswered: () => told.answered++,
        onFailed: (failure) => told.failures.push(failure),
        onEnded: (ending) => told.endings.push(ending),
        onDigit: (digit) => told.digits.push(digit),
      },
      ...changes,
    });
    call.start();
    return { call, told };
  };
  /** Lets everything that is on its way arrive. */
  const settle = (time = 50) => environment.advance(time);
  return { environment, network, agent, peer, invite, settle, malformed };
}
