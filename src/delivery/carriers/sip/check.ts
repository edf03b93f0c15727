import { isIP } from 'node:net';
import { systemEnvironment } from '../../../environment.js';
import type { Finding } from '../../carrier.js';
import { describeNetworkError } from '../../http-client.js';
import { Agent } from './agent.js';
import { pairsIn } from './media/ports.js';
import { headerOf } from './message/message.js';
import { parseVia } from './message/via.js';
import { describeBindFailure, openReal } from './open.js';
import { readSettings, type SipSettings, type TrunkSettings } from './settings.js';
import type { Transport } from './transport/transport.js';
import type { Answered } from './trunk/exchange.js';
import { type Resolver, systemResolver } from './trunk/resolve.js';
import { Trunk } from './trunk/trunk.js';

/** Looks each trunk up, asks it OPTIONS, and with a registration asks what is registered. Calls nobody. */
export async function checkSip(
  given: SipSettings,
  resolver: Resolver = systemResolver(readSettings(given).bind),
): Promise<Finding[]> {
  const settings = readSettings(given);
  // The port may be the running server's.
  const opening = { ...settings, port: 0 };
  let transport: Transport;
  try {
    transport = await openReal(opening, systemEnvironment);
  } catch (error) {
    return [{ ok: false, text: describeBindFailure(opening, error) }];
  }
  const agent = new Agent({
    environment: systemEnvironment,
    transport,
    resolver,
    publicAddress: null,
    publicPort: null,
    userAgent: 'Countersign',
    trusts: () => false,
    onMalformed: () => {},
  });
  const { responseTimeout, registerFor } = settings;
  try {
    const findings: Finding[] = [];
    const pairs = pairsIn(settings.rtpPorts);
    if (pairs < settings.calls) {
      const few = `rtp_ports have room for ${pairs} of ${settings.calls} calls: that many go on at a time`;
      findings.push({ ok: true, text: few });
    }
    for (const one of settings.trunks) {
      const trunk = new Trunk({
        agent,
        resolver,
        settings: one,
        keepAlive: 0,
        responseTimeout,
        registerFor,
        onChange: () => {},
      });
      findings.push(...(await checkTrunk(trunk, one, settings.publicAddress)));
    }
    return findings;
  } finally {
    agent.close();
    await transport.close();
  }
}

async function checkTrunk(
  trunk: Trunk,
  settings: TrunkSettings,
  publicAddress: string | null,
): Promise<Finding[]> {
  const place = `the trunk ${settings.host}`;
  const peers = await trunk.peers();
  if (peers.length === 0) {
    return [{ ok: false, text: `${place} has no address: check host, and that DNS answers here` }];
  }
  const found = peers.map(({ protocol, address, port }) => `${protocol} ${address}:${port}`).join(', ');
  const answer = await trunk.probe('OPTIONS');
  const options = judge(answer);
  const findings: Finding[] = [
    options.ok
      ? { ok: true, text: `${place} answers at ${found}` }
      : { ok: false, text: `${place} at ${found} ${options.why}` },
  ];
  findings.push(...judgeAddress(answer, place, publicAddress));
  if (options.ok && settings.credentials && !settings.register) {
    findings.push({
      ok: true,
      text: `${place} will be told the password in a call: that it is right shows then`,
    });
  }
  if (options.ok && settings.register) {
    const registered = judge(await trunk.probe('REGISTER'), true);
    findings.push({
      ok: registered.ok,
      text: registered.ok ? `${place} takes the user name and password` : `${place} ${registered.why}`,
    });
  }
  return findings;
}

/** Where the trunk saw us (RFC 3581 §4): elsewhere than we say is behind NAT, where no sound would come back to. */
function judgeAddress(answer: Answered, place: string, publicAddress: string | null): Finding[] {
  const via = answer.kind === 'response' ? parseVia(headerOf(answer.response, 'via') ?? '') : null;
  const seen = via?.parameters.get('received');
  if (!via || seen === undefined || isIP(seen) === 0 || isIP(seen) !== isIP(via.host)) return [];
  if (seen === (publicAddress ?? via.host)) return [];
  const told =
    publicAddress === null ? `${via.host}, the one of this machine` : `public_address ${publicAddress}`;
  return [
    {
      ok: false,
      text: `${place} sees the address ${seen}, and not ${told}: there is NAT between; set public_address to the one that the trunk is to send sound to`,
    },
  ];
}

/** What an answer says, in words. Any answer shows that a trunk is there; only a registration must be granted. */
function judge(answer: Answered, mustGrant = false): { readonly ok: boolean; readonly why: string } {
  const bad = (why: string) => ({ ok: false, why });
  switch (answer.kind) {
    case 'silent':
      return bad('does not answer: check port and transport, the firewall, and that it knows this address');
    case 'unreachable':
      return bad(
        `cannot be reached (${describeNetworkError(answer.error) ?? 'no connection'}): check port and transport, and for tls the certificates`,
      );
    case 'credentials':
      return answer.given
        ? bad('refuses the user name and password: check both')
        : bad('asks for a user name and password in a way that cannot be answered: set both');
    case 'response': {
      const { status } = answer.response;
      if (status === 503) return bad('is out of service (SIP 503)');
      if (!mustGrant || status < 300) return { ok: true, why: '' };
      if (status === 403)
        return bad('refuses the registration (SIP 403): check user name, password and domain');
      if (status === 404) return bad('does not know the user (SIP 404): check user name and domain');
      if (status === 405 || status === 501)
        return bad(`takes no registrations (SIP ${status}): leave register out, or check host and domain`);
      return bad(`refuses the registration (SIP ${status})`);
    }
  }
}
