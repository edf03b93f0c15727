import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics, watchDepths } from '#telemetry/metrics.js';
import { serveMetrics } from '#telemetry/server.js';

async function serve(metrics = createMetrics()) {
  const server = await serveMetrics(metrics, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  return server;
}

describe('the metrics server', () => {
  it("serves what was counted in Prometheus' text format, with the process and its event loop", async () => {
    const metrics = createMetrics();
    metrics.hops.inc({ carrier: 'gateway', status: 'accepted' }, 3);
    watchDepths(metrics, { depths: () => ({ deliveries: 7 }) });
    const response = await fetch(`${(await serve(metrics)).url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n');
    expect(lines).toContain('countersign_hops_total{carrier="gateway",status="accepted"} 3');
    expect(lines).toContain('countersign_queue_depth{queue="deliveries"} 7');
    expect(lines.some((line) => line.startsWith('nodejs_eventloop_lag_seconds '))).toBe(true);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/metrics/'],
    ['GET', '/v1/Account/'],
    ['POST', '/metrics'],
  ])('answers 404 to %s %s', async (method, path) => {
    const response = await fetch((await serve()).url + path, { method });
    expect(response.status).toBe(404);
  });

  it('answers 500 when a value cannot be read, and goes on', async () => {
    const metrics = createMetrics();
    let broken = true;
    watchDepths(metrics, {
      depths: () => {
        if (broken) throw new Error('the database is away');
        return {};
      },
    });
    const { url } = await serve(metrics);
    expect((await fetch(`${url}/metrics`)).status).toBe(500);
    broken = false;
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
  });

  it('names the setting when its port is in use', async () => {
    const { url } = await serve();
    const port = Number(new URL(url).port);
    await expect(serveMetrics(createMetrics(), { host: '127.0.0.1', port })).rejects.toThrow(
      `COUNTERSIGN_METRICS_ADDRESS: 127.0.0.1:${port} is in use by another program; set another address`,
    );
  });

  it("names the setting when the address is none of this machine's", async () => {
    await expect(serveMetrics(createMetrics(), { host: '192.0.2.1', port: 0 })).rejects.toThrow(
      /^COUNTERSIGN_METRICS_ADDRESS: 192\.0\.2\.1:0 cannot be listened on \(EADDRNOTAVAIL\)/,
    );
  });

  it('lets go of its port and its connections when closed', async () => {
    const server = await serveMetrics(createMetrics(), { host: '127.0.0.1', port: 0 });
    await (await fetch(`${server.url}/metrics`)).text();
    await server.close();
    await expect(fetch(`${server.url}/metrics`)).rejects.toThrow();
  });
});
