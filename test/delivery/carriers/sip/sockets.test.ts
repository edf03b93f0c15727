import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Agent } from '#delivery/carriers/sip/agent.js';
import { readIdentity } from '#delivery/carriers/sip/identity.js';
import { sip } from '#delivery/carriers/sip/index.js';
import { headerOf } from '#delivery/carriers/sip/message/message.js';
import { parseMessage } from '#delivery/carriers/sip/message/parse.js';
import { fields, responseTo, writeMessage } from '#delivery/carriers/sip/message/write.js';
import { openSockets, type SocketsOptions } from '#delivery/carriers/sip/transport/sockets.js';
import type { Peer } from '#delivery/carriers/sip/transport/transport.js';
import { createAuthenticator } from '#delivery/carriers/sip/trunk/authenticator.js';
import { exchange } from '#delivery/carriers/sip/trunk/exchange.js';
import { systemEnvironment } from '#environment.js';
import { type Certified, createAuthority, selfSigned } from '../../../support/certificates.js';
import { hasIpv6 } from '../../../support/ports.js';
import { eventually } from '../../../support/virtual-time.js';

const OPTIONS = writeMessageOf('OPTIONS');

function writeMessageOf(method: string): Buffer {
  return Buffer.from(
    `${method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 ${method}\r\nContent-Length: 0\r\n\r\n`,
  );
}

/** A server that keeps what comes, and its connections. */
async function listen(tls: TlsOptions | null) {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const accept = (socket: Socket) => {
    sockets.push(socket);
    socket.on('data', (data) => received.push(data.toString()));
    socket.on('error', () => {});
  };
  const server = tls ? createTlsServer(tls, accept) : createServer(accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received, sockets };
}

async function open(authorities: readonly string[] = [], changes: Partial<SocketsOptions> = {}) {
  const transport = await openSockets({
    environment: systemEnvironment,
    bind: '127.0.0.1',
    port: 0,
    protocols: new Set(['udp', 'tcp', 'tls']),
    connectTimeout: 2_000,
    keepAlive: 0,
    authorities,
    identities: [],
    ...changes,
  });
  const received: { text: string; from: Peer }[] = [];
  transport.receive((bytes, from) => received.push({ text: Buffer.from(bytes).toString(), from }));
  onTestFinished(() => transport.close());
  const lost: { peer: Peer; error: unknown }[] = [];
  transport.onLoss((peer, error) => lost.push({ peer, error }));
  return { transport, received, lost };
}

describe('sockets', () => {
  it('use one connection for both sides, and open another when it is gone', async () => {
    const peer = await listen(null);
    const { transport, received } = await open();
    const to: Peer = { protocol: 'tcp', address: '127.0.0.1', port: peer.port };
    await Promise.all([transport.send(OPTIONS, to), transport.send(OPTIONS, to)]);
    await eventually('both came', () => peer.received.join('').split('OPTIONS sip').length === 3);
    expect(peer.sockets).toHaveLength(1);
    peer.sockets[0]!.write(Buffer.concat([writeMessageOf('BYE'), Buffer.from('\r\n\r\n')]));
    await eventually(
      'the request came, the ping was answered',
      () => received.length === 1 && peer.received.at(-1) === '\r\n',
    );
    expect(received[0]!.from).toEqual(to);
    peer.sockets[0]!.destroy();
    await eventually('it is sent again', () => {
      void transport.send(OPTIONS, to).catch(() => {});
      return peer.sockets.length > 1;
    });
  });

  it('close a connection whose bytes make no sense', async () => {
    const peer = await listen(null);
    const { transport } = await open();
    await transport.send(OPTIONS, { protocol: 'tcp', address: '127.0.0.1', port: peer.port });
    await eventually('it is there', () => peer.sockets.length === 1);
    const closed = once(peer.sockets[0]!, 'close');
    peer.sockets[0]!.write('GET / HTTP/1.1\r\n\r\n');
    await closed;
  });

  it('answer many pings at once with a single one', async () => {
    const peer = await listen(null);
    const { transport } = await open();
    await transport.send(OPTIONS, { protocol: 'tcp', address: '127.0.0.1', port: peer.port });
    await eventually('it came', () => peer.received.length === 1);
    peer.sockets[0]!.write(Buffer.concat([Buffer.from('\r\n\r\n'.repeat(1_000)), writeMessageOf('BYE')]));
    await eventually('they were answered', () => peer.received.length > 1);
    expect(peer.received.slice(1).join('').length).toBeLessThan(20);
  });

  it('say at once when nobody listens', async () => {
    const peer = await listen(null);
    const { transport } = await open();
    const to: Peer = { protocol: 'tcp', address: '127.0.0.1', port: peer.port };
    await transport.send(OPTIONS, to);
    await expect(transport.send(OPTIONS, { ...to, port: 1 })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('open another connection when one is dead without a word', async () => {
    const peer = await listen(null);
    // By its clock two seconds of silence are two milliseconds.
    const environment = { ...systemEnvironment, monotonic: () => performance.now() * 1_000 };
    const { transport, received } = await open([], { environment });
    const agent = new Agent({
      environment: systemEnvironment,
      transport,
      resolver: { naptr: async () => [], srv: async () => [], addresses: async () => [] },
      publicAddress: null,
      publicPort: null,
      userAgent: 'Countersign',
      trusts: () => true,
      onMalformed: () => {},
    });
    const to: Peer = { protocol: 'tcp', address: '127.0.0.1', port: peer.port };
    const ask = () =>
      exchange(agent, [to], createAuthenticator(null, systemEnvironment), {
        method: 'OPTIONS',
        uri: 'sip:a@b',
        from: '<sip:a@b>',
        to: '<sip:a@b>',
        callId: 'x',
        tag: 'y',
        nextNumber: () => 1,
        headers: () => ({}),
        contactUser: '',
        timeout: 500,
      });
    expect((await ask()).kind).toBe('silent');
    expect((await ask()).kind).toBe('silent');
    await eventually('another one is opened', () => peer.sockets.length === 2);
    expect(received).toEqual([]);
  });

  it('keep the connections of those who speak when others come in masses', async () => {
    const { transport, received } = await open();
    const { port } = await transport.local({ protocol: 'tcp', address: '127.0.0.1', port: 1 });
    const dial = async () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      return socket;
    };
    const trunk = await dial();
    trunk.write(OPTIONS);
    await eventually('it came', () => received.length === 1);
    const others: Socket[] = [];
    for (let count = 0; count < 70; count++) others.push(await dial());
    const late = await dial();
    late.write(OPTIONS);
    trunk.write(OPTIONS);
    await eventually('both came', () => received.length === 3);
    await eventually('others had to go', () => others.filter(({ destroyed }) => destroyed).length >= 8);
  });

  it.skipIf(!hasIpv6)(
    'bound to :: reach IPv4 as well, and know it by its own address (needs a machine with IPv6)',
    async () => {
      const { transport, received } = await open([], { bind: '::' });
      const socket = createSocket('udp4');
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      onTestFinished(() => void socket.close());
      const to: Peer = { protocol: 'udp', address: '127.0.0.1', port: socket.address().port };
      const arrived = once(socket, 'message');
      await transport.send(OPTIONS, to);
      const [, from] = await arrived;
      socket.send(OPTIONS, from.port, '127.0.0.1');
      await eventually('it came', () => received.length === 1);
      expect(received[0]!.from).toEqual(to);
    },
  );

  it('trust a certificate of the trunk’s own authority for the trunk’s domain, and no other', async () => {
    const { cert: certificate, key } = selfSigned();
    const peer = await listen({ cert: certificate, key });
    const to: Peer = { protocol: 'tls', address: '127.0.0.1', port: peer.port, serverName: 'localhost' };
    const { transport: distrustful } = await open();
    await expect(distrustful.send(OPTIONS, to)).rejects.toThrow();
    const { transport } = await open([certificate]);
    await transport.send(OPTIONS, to);
    await eventually('it came', () => peer.received.length > 0);
    await expect(transport.send(OPTIONS, { ...to, serverName: 'other.example' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});

describe('where peers find us', () => {
  it('is one port over UDP and TCP, and our end of the connection over TLS', async () => {
    const { cert: certificate, key } = selfSigned();
    const peer = await listen({ cert: certificate, key });
    const { transport } = await open([certificate]);
    const to = { address: '127.0.0.1', port: peer.port, serverName: 'localhost' };
    const udp = await transport.local({ ...to, protocol: 'udp' });
    expect(await transport.local({ ...to, protocol: 'tcp' })).toEqual(udp);
    const tls = await transport.local({ ...to, protocol: 'tls' });
    await eventually('the connection is there', () => peer.sockets.length > 0);
    expect(tls).toEqual({ address: '127.0.0.1', port: peer.sockets[0]!.remotePort });
    await transport.send(OPTIONS, { ...to, protocol: 'tls' });
    await eventually('it came', () => peer.received.length > 0);
    expect(peer.sockets).toHaveLength(1);
  });
});

describe('a peer that asks who connects', () => {
  const authority = createAuthority();
  const identityOf = ({ cert, key }: Certified) => readIdentity('trunks.0', cert, key);
  const ours = identityOf(authority.issue('sbc.example'));
  const strange = identityOf(createAuthority().issue('sbc.example'));

  async function asking() {
    const peer = await listen({
      ...authority.issue('localhost'),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const to: Peer = { protocol: 'tls', address: '127.0.0.1', port: peer.port, serverName: 'localhost' };
    return { peer, to };
  }

  it('is shown the certificate that it is to be shown, and each over a connection of its own', async () => {
    const { peer, to } = await asking();
    const { transport, lost } = await open([authority.cert], { identities: [ours, strange] });
    await transport.send(OPTIONS, { ...to, identity: ours.id });
    await eventually('it came', () => peer.received.length > 0);
    await transport.send(OPTIONS, { ...to, identity: strange.id }).catch(() => {});
    await eventually('the strange one was refused', () => lost.length > 0);
    expect(lost.map(({ peer: { identity } }) => identity)).toEqual([strange.id]);
    await transport.send(OPTIONS, { ...to, identity: ours.id });
    await eventually('the right one stands', () => peer.received.join('').split('OPTIONS sip').length === 3);
    expect(peer.sockets).toHaveLength(1);
  });

  it.each([
    ['none', null, /^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/],
    ['one of an authority that it does not trust', strange, /^(ECONNRESET|EPIPE)$/],
  ] as const)('and is shown %s is lost at once, with the reason', async (_, identity, code) => {
    const { to } = await asking();
    const { transport, lost } = await open([authority.cert], { identities: [strange] });
    await transport.send(OPTIONS, { ...to, ...(identity ? { identity: identity.id } : {}) }).catch(() => {});
    await eventually('it is lost', () => lost.length > 0);
    expect(lost[0]!.error).toMatchObject({ code: expect.stringMatching(code) });
    expect(JSON.stringify(lost)).not.toContain('PRIVATE KEY');
  });
});

describe('the check', () => {
  async function trunk(
    answer: (method: string, signed: boolean) => [number, Record<string, string>?] | null,
  ) {
    const socket: UdpSocket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    const asked: string[] = [];
    socket.on('message', (bytes, from) => {
      const parsed = parseMessage(bytes);
      if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('no request');
      const { message } = parsed;
      asked.push(`${message.method} ${headerOf(message, 'contact') === null ? 'without' : 'with'} contact`);
      const signed = headerOf(message, 'authorization') !== null;
      const [status, headers = {}] = answer(message.method, signed) ?? [];
      if (status === undefined) return;
      socket.send(
        writeMessage(responseTo(message, status, { tag: 'x', headers: fields(headers) })),
        from.port,
        from.address,
      );
    });
    return { port: socket.address().port, asked };
  }
  const check = (port: number, register = true, seconds = 30) =>
    sip.check({
      trunks: [
        {
          host: '127.0.0.1',
          port,
          ...(register ? { username: 'alice', password: 'sentinel-pw', register } : {}),
        },
      ],
      bind: '127.0.0.1',
      response_seconds: seconds,
    });
  const challenge = { 'www-authenticate': 'Digest realm="x", nonce="1", qop="auth"' };

  it('finds a trunk that answers and takes the password, without changing what is registered', async () => {
    const { port, asked } = await trunk((method, signed) =>
      method === 'OPTIONS' ? [405] : signed ? [200] : [401, challenge],
    );
    expect((await check(port)).map(({ ok }) => ok)).toEqual([true, true]);
    expect(asked).toEqual(['OPTIONS with contact', 'REGISTER without contact', 'REGISTER without contact']);
  });

  it('tells at once of a connection that breaks, and that a certificate is asked for', async () => {
    const authority = createAuthority();
    const tls = { ...authority.issue('127.0.0.1'), ca: authority.cert, requestCert: true };
    const asking = await listen({ ...tls, rejectUnauthorized: true });
    const closing = createServer((socket) => socket.once('data', () => socket.destroy()));
    closing.listen(0, '127.0.0.1');
    await once(closing, 'listening');
    onTestFinished(() => void closing.close());
    const check = (port: number, more: object) =>
      sip.check({
        trunks: [{ host: '127.0.0.1', port, ...more }],
        bind: '127.0.0.1',
        response_seconds: 32,
      });
    const closed = await check((closing.address() as AddressInfo).port, { transport: 'tcp' });
    expect(closed[0]!.text).toContain('cannot be reached (connection reset)');
    const anonymous = await check(asking.port, { transport: 'tls', authority: authority.cert });
    expect(anonymous[0]!.text).toContain('cannot be reached (a TLS certificate of ours is asked for)');
  });

  it.each([
    [
      'refuses the user name and password',
      (method: string) => (method === 'OPTIONS' ? [200] : [401, challenge]),
    ],
    ['refuses the registration (SIP 403)', (method: string) => (method === 'OPTIONS' ? [200] : [403])],
    ['does not know the user (SIP 404)', (method: string) => (method === 'OPTIONS' ? [200] : [404])],
    ['is out of service (SIP 503)', () => [503]],
    ['does not answer', () => null],
  ] as const)('tells in words that a trunk %s', async (words, answer) => {
    const { port } = await trunk(answer as Parameters<typeof trunk>[0]);
    const findings = await check(port, true, words === 'does not answer' ? 1 : 30);
    expect(findings.at(-1)).toMatchObject({ ok: false });
    expect(findings.at(-1)!.text).toContain(words);
    expect(JSON.stringify(findings)).not.toContain('sentinel-pw');
  });
});
