import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { webhook } from '#delivery/carriers/webhook/index.js';
import { gateway, SECRET } from '../support.js';

describe("the doctor's check of a webhook", () => {
  it('finds a gateway that listens, and sends it nothing', async () => {
    const { url, received } = await gateway((_, response) => response.end());
    const [finding] = await webhook.check({ url, secret: SECRET });
    expect(finding).toMatchObject({ ok: true });
    expect(finding?.text).toMatch(/127\.0\.0\.1:\d+ accepts connections, over plain HTTP/);
    expect(finding?.text).not.toContain('tenant');
    expect(received).toEqual([]);
  });

  it('says that nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const findings = await webhook.check({ url: `http://127.0.0.1:${port}/?token=1`, secret: SECRET });
    const text = `the gateway at 127.0.0.1:${port} cannot be reached: connection refused; check url, and that the gateway runs`;
    expect(findings).toEqual([{ ok: false, text }]);
  });

  it('says that no TLS is spoken', async () => {
    const { url } = await gateway((_, response) => response.end());
    const [finding] = await webhook.check({ url: url.replace('http:', 'https:'), secret: SECRET });
    expect(finding).toMatchObject({ ok: false, text: expect.stringContaining('no TLS spoken there') });
  });

  it('says that no connection comes about in time', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const url = `https://127.0.0.1:${port}/`;
    const [finding] = await webhook.check({ url, secret: SECRET, timeout_ms: 100 });
    silent.close();
    expect(finding).toMatchObject({
      ok: false,
      text: expect.stringContaining('no connection within 100 ms'),
    });
  });
});
