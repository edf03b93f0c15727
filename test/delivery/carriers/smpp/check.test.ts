import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { smpp } from '#delivery/carriers/smpp/index.js';
import type { SmppSettings } from '#delivery/carriers/smpp/settings.js';
import { selfSigned } from '../../../support/certificates.js';
import { Smsc, type SmscOptions } from '../../../support/smsc.js';
import { PASSWORD } from './support.js';

async function smscOf(options: SmscOptions = {}): Promise<Smsc> {
  const smsc = await new Smsc({ password: PASSWORD, ...options }).start();
  onTestFinished(() => smsc.stop());
  return smsc;
}

function check({ port }: { port: number }, settings: Partial<SmppSettings> = {}) {
  return smpp.check({ host: '127.0.0.1', port, system_id: 'tester', password: PASSWORD, ...settings });
}

describe('the check of an SMSC', () => {
  it('binds, unbinds and sends nothing', async () => {
    const smsc = await smscOf();
    expect(await check(smsc)).toEqual([
      { ok: true, text: `the SMSC at 127.0.0.1:${smsc.port} takes the bind as transceiver of tester` },
      { ok: true, text: 'the connection is plain TCP: password and codes travel unencrypted' },
    ]);
    expect(smsc.unbinds).toHaveLength(1);
    expect(smsc.submits).toHaveLength(0);
  });

  it('tries transmitter and receiver where they are separate', async () => {
    const smsc = await smscOf();
    const findings = await check(smsc, { bind: 'separate' });
    expect(findings.map(({ text }) => text).join()).toMatch(/as transmitter.*as receiver/);
  });

  it.each([
    [0x0d, /ESME_RBINDFAIL: the SMSC refused the bind: check system_id, password and system_type/],
    [0x0e, /ESME_RINVPASWD: the SMSC does not take the password: check password/],
    [0x0f, /ESME_RINVSYSID: the SMSC does not know this system_id: check system_id/],
    [0x05, /ESME_RALYBND: this system_id is bound already/],
    [0x53, /ESME_RINVSYSTYP: .*check system_type/],
    [0x400, /bind refused with 0x00000400: ask its operator/],
  ])('tells a refusal with 0x%s in words', async (status, words) => {
    const smsc = await smscOf();
    smsc.onBind = () => status;
    const findings = await check(smsc);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toEqual({ ok: false, text: expect.stringMatching(words) });
    expect(findings[0]!.text).not.toContain(PASSWORD);
  });

  it('tells that nobody listens', async () => {
    const smsc = await new Smsc().start();
    const { port } = smsc;
    await smsc.stop();
    expect(await check({ port })).toEqual([
      {
        ok: false,
        text: expect.stringMatching(/cannot be reached: connection refused; check host and port/),
      },
    ]);
  });

  it('tells that the other side speaks something else, or nothing', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const [finding] = await check(server.address() as AddressInfo);
    expect(finding).toEqual({ ok: false, text: expect.stringMatching(/without an answer: .*speaks SMPP/) });
  });

  it('gives up an SMSC that does not answer', async () => {
    const smsc = await smscOf();
    smsc.onBind = () => null;
    const [finding] = await check(smsc, { response_timeout_ms: 100 });
    expect(finding).toMatchObject({ ok: false, text: expect.stringContaining('no answer within 100 ms') });
  });

  it('tells what is wrong with a certificate, and that an unchecked one protects from nobody', async () => {
    const smsc = await smscOf(selfSigned());
    expect(await check(smsc, { tls: {} })).toEqual([
      { ok: false, text: expect.stringMatching(/TLS certificate is self-signed; check tls: ca/) },
    ]);
    expect(await check(smsc, { tls: { reject_unauthorized: false } })).toMatchObject([
      { ok: true },
      { ok: true, text: expect.stringContaining('the certificate is not checked') },
    ]);
  });

  it('tells that the port speaks no TLS', async () => {
    const smsc = await smscOf();
    expect(await check(smsc, { tls: {}, connect_timeout_ms: 300 })).toMatchObject([
      { ok: false, text: expect.stringMatching(/TLS|no connection within 300 ms/) },
    ]);
  });
});
