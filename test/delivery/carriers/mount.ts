import { onTestFinished } from 'vitest';
import { buildApi } from '#api/app.js';
import type { Carrier } from '#delivery/carrier.js';
import { carrierTypes } from '#delivery/carriers/index.js';
import { systemEnvironment } from '#environment.js';
import { Directory } from '#store/directory.js';
import { KeyringHolder } from '#store/keys.js';
import { openMemoryStore } from '#store/memory/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { createRates } from '#verify/rate-card.js';
import { LIMITS } from '../../support/api-server.js';
import type { Push } from '../../support/providers/server.js';
import { VirtualEnvironment } from '../../support/virtual-time.js';
import { recordingContext } from './support.js';

/** Where providers see the server of these tests: behind a proxy that takes `/cs` off. */
export const PUBLIC_URL = 'https://verify.example.com/cs';

export function typeNamed(name: string) {
  const found = carrierTypes.find(({ type }) => type === name);
  if (!found) throw new Error(`no carrier type ${name}`);
  return found;
}

/** A context at 2026-01-31T08:52:39.363Z, in which time stands still. */
export function publicContext(...answers: Parameters<typeof recordingContext>[0] & object) {
  const context = recordingContext(answers.length > 0 ? answers : ['recorded'], new VirtualEnvironment());
  return { ...context, publicUrl: PUBLIC_URL as string | null };
}

/** A carrier that is stopped when the test ends. */
export function carrierOf(
  type: string,
  settings: unknown,
  context: ReturnType<typeof recordingContext> = publicContext(),
): Carrier {
  const carrier = typeNamed(type).create(settings, context);
  onTestFinished(() => carrier.stop());
  return carrier;
}

/** The product's server with the carrier's routes where the composition root mounts them. */
export async function mount(carrier: Carrier) {
  const environment = systemEnvironment;
  const store = openMemoryStore({ environment });
  const keyring = new KeyringHolder();
  const lines: string[] = [];
  const app = buildApi({
    store,
    keyring,
    environment,
    directory: new Directory(store.read, () => keyring.current, environment),
    limits: LIMITS,
    rates: createRates(null),
    retention: 90 * 86_400_000,
    trustProxy: false,
    log: createLog('debug', { write: (line) => void lines.push(line) }),
    metrics: createMetrics(),
    plan: () => null,
    inbox: [],
    confirm: async () => 'unknown',
    ready: () => ({ ok: true }),
    draining: () => false,
  });
  if (carrier.routes) app.register(carrier.routes, { prefix: `/carriers/${carrier.name}` });
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  /** Sends to a public URL what a provider sends there. */
  const push = async ({ method, url, headers, body }: Push) => {
    const response = await fetch(url.replace(PUBLIC_URL, base), { method, headers, body });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : null,
    };
  };
  return { push, lines };
}
