import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { DocumentedOperation } from '#api/reference/document.js';
import { reference as referenceRoutes } from '#api/reference/routes.js';
import type { InboundResult, ReportResult } from '#delivery/carrier.js';
import { receiptRoutes } from '#delivery/carriers/webhook/receipts.js';
import { type ApiServer, basic, LIMITS, startApi } from '../support/api-server.js';
import { checkAgainst, type Reference } from '../support/reference.js';
import { newId } from '../support/rows.js';

const SECRET = 'a-secret-of-the-gateway';
const RATE = { count: 1, per: 60_000 };
let reported: ReportResult = 'recorded';

function mount(app: FastifyInstance): void {
  const report = async () => reported;
  const inbound = async () => (reported === 'unavailable' ? 'unavailable' : 'recorded') as InboundResult;
  const receipts = receiptRoutes({ secret: SECRET, channels: ['sms', 'voice'], report, inbound });
  app.register(receipts, { prefix: '/carriers/gateway' });
  app.register(receipts, { prefix: '/carriers/another' });
}

const servers: ApiServer[] = [];
async function start(
  overrides: Parameters<typeof startApi>[0] = {},
  also: (app: FastifyInstance) => void = () => {},
): Promise<ApiServer> {
  const api = await startApi(overrides, {
    mount: (app) => {
      mount(app);
      also(app);
    },
  });
  servers.push(api);
  return api;
}
afterEach(async () => {
  reported = 'recorded';
  await Promise.all(servers.splice(0).map((api) => api.close()));
});

let reference: Reference;
let operations: { readonly method: string; readonly path: string; readonly operation: DocumentedOperation }[];
beforeAll(async () => {
  const api = await start();
  reference = checkAgainst(JSON.parse(await (await fetch(`${api.url}/openapi.json`)).text()));
  operations = Object.entries(reference.document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  await Promise.all(servers.splice(0).map((each) => each.close()));
});

describe('the routes of the server and the operations of the reference', () => {
  test('are the same: whoever adds a route describes it in its config.operation', async () => {
    let app: FastifyInstance | undefined;
    await start({}, (each) => {
      app = each;
    });
    const served = routesOf(app!.printRoutes({ commonPrefix: false }));
    const described = operations.map(({ method, path }) => `${method} ${path.replace(/(?<=.)\/$/, '')}`);
    expect(described.sort()).toEqual(served);
  });

  test('take the same methods', async () => {
    const api = await start();
    for (const [path, item] of Object.entries(reference.document.paths)) {
      const target = path.replace('{carrier}', 'gateway').replace(/\{[^}]+\}/g, 'x');
      const answer = await fetch(`${api.url}${target}`, { method: 'OPTIONS' });
      expect(answer.status, path).toBe(405);
      const documented = Object.keys(item).map((method) => method.toUpperCase());
      if (documented.includes('GET')) documented.push('HEAD');
      expect(answer.headers.get('allow')?.split(', '), path).toEqual(documented.sort());
    }
  });

  test('have ids of their own', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

/** Statuses that no request can bring about at will, and where else they are shown. */
const ACCOUNTED: Readonly<Record<string, readonly string[]>> = {
  // A handler that nothing can fail: their 500 is that of any route, tried on the others.
  '500': [
    'isAlive',
    'isReady',
    'getOpenApiDocument',
    'getReference',
    'getReferenceStyle',
    'reportReceipt',
    'reportInbound',
  ],
  // The most that an account may have: test/verify/decide/ and test/api/.
  '409': ['createSubaccount', 'createApplication'],
};

test('every documented status is answered, as it is documented, and no other', async () => {
  const seen = new Set<string>();
  const ask = async (
    api: ApiServer,
    method: string,
    path: string,
    {
      body,
      as = basic(api.main),
      headers = {},
    }: { body?: unknown; as?: string | null; headers?: Record<string, string> } = {},
  ) => {
    const target = path.startsWith('…') ? `/v1/Account/${api.main.authId}${path.slice(1)}` : path;
    const response = await fetch(`${api.url}${target}`, {
      method,
      headers: {
        ...(as === null ? {} : { authorization: as }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status } = response;
    const header = (name: string) => response.headers.get(name);
    const complaints = reference.complaints({ method, target, status, header, text });
    expect(complaints, `${method} ${target} ${status} ${text.slice(0, 300)}`).toEqual([]);
    const id = reference.find(method, target.split('?')[0]!)?.operationId;
    if (id) seen.add(`${id} ${status}`);
    return { status, header, body: /^[{]/.test(text) ? JSON.parse(text) : {} };
  };
  const targetOf = (path: string, api: ApiServer, uuid = newId(0)) =>
    path
      .replace('{auth_id}', api.main.authId)
      .replace('{carrier}', 'gateway')
      .replace('{subaccount}', 'SANOBODY000000000000')
      .replace(/\{[^}]+\}/, uuid);
  const credentials = (operation: DocumentedOperation, api: ApiServer) =>
    operation.security?.some((each) => 'bearer' in each) ? `Bearer ${SECRET}` : basic(api.main);

  // What any request may get.
  const api = await start();
  const failing = await start();
  failing.context.directory.account = async () => {
    throw new TypeError('a defect');
  };
  const draining = await start({ draining: () => true });
  for (const { method, path, operation } of operations) {
    const target = targetOf(path, api);
    const as = credentials(operation, api);
    const body = method === 'GET' ? undefined : '{}';
    await ask(api, method, `${target}?x=%00`, { as });
    await ask(api, method, target, { as: null, body });
    await ask(api, method, target, { as, body });
    await ask(api, method, path.replace(/\{[^}]+\}/, 'x'.repeat(500)).replace(/\{[^}]+\}/g, 'x'), {
      as,
      body,
    });
    if (method !== 'GET') await ask(api, method, target, { as, body: `"${'x'.repeat(100_000)}"` });
    await ask(failing, method, targetOf(path, failing), { as: credentials(operation, failing), body });
    if (!operation.operationId.startsWith('report')) {
      await ask(draining, method, targetOf(path, draining), { as: credentials(operation, draining), body });
    }
    const guarded = await start({
      limits: { ...LIMITS, failedAuthentications: { perAddress: RATE, perAuthId: null } },
    });
    await ask(guarded, method, target, { as: 'Basic eDp4', body });
    await ask(guarded, method, target, { as: 'Basic eDp4', body });
  }
  await ask(api, 'HEAD', '/healthz');

  // What each operation answers by itself.
  const create = { recipient: '14155551234' };
  const { body: created } = await ask(api, 'POST', '…/Verify/Session/', { body: create });
  const session = `…/Verify/Session/${created.session_uuid}/`;
  await ask(api, 'POST', '…/Verify/Session/', { body: { ...create, app_uuid: newId(0) } });
  await ask(api, 'POST', '…/Verify/Session/', { body: create, headers: { 'idempotency-key': 'a' } });
  const another = { recipient: '14155551235' };
  await ask(api, 'POST', '…/Verify/Session/', { body: another, headers: { 'idempotency-key': 'a' } });
  const abroad = await start({ limits: { ...LIMITS, countries: ['DE'] } });
  await ask(abroad, 'POST', '…/Verify/Session/', { body: create });
  await api.deliver(created.session_uuid);
  await ask(api, 'GET', session);
  await ask(api, 'GET', '…/Verify/Session/');
  await ask(api, 'POST', session, { body: { otp: (await api.codes(created.session_uuid)).right } });
  await ask(api, 'POST', `…/Verify/Session/${newId(0)}/`, { body: { otp: '1234' } });
  await ask(api, 'GET', '…/Inbox/');
  await ask(await start({ inbox: [] }), 'GET', '…/Inbox/');
  api.change({ application: { confirmByKey: true } });
  const call = { recipient: '14155551236', channel: 'voice' };
  const { body: confirming } = await ask(api, 'POST', '…/Verify/Session/', { body: call });
  const press = `…/Inbox/${confirming.session_uuid}/Press/`;
  await ask(api, 'POST', press, { body: { key: 1 } });
  await ask(api, 'GET', `…/Verify/Session/${confirming.session_uuid}/`);
  api.change({ application: { confirmByKey: false } });

  const url = 'https://customer.example/status';
  const { body: called } = await ask(api, 'POST', '…/Verify/Session/', { body: { ...another, url } });
  const log = `…/Verify/Session/${called.session_uuid}/Callback/`;
  const { body: logged } = await ask(api, 'GET', log);
  const [{ callback_id: callback, attempt_uuid: attempt, sequence }] = logged.callbacks;
  await ask(api, 'POST', `${log}${callback}/Redeliver/`);
  const tried = { httpStatus: 204, reason: null, latency: 5, triesBefore: 0 };
  const at = { now: api.context.environment.now(), owner: api.store.epoch, attempt, sequence };
  await api.store.submit({ type: 'callback-tried', ok: true, retriable: true, ...at, ...tried });
  await ask(api, 'POST', `${log}${callback}/Redeliver/`);

  const { body: application } = await ask(api, 'POST', '…/Verify/Application/', { body: {} });
  const one = `…/Verify/Application/${application.app_uuid}/`;
  await ask(api, 'GET', one);
  await ask(api, 'GET', '…/Verify/Application/');
  await ask(api, 'GET', '…/Verify/Application/?subaccount=SANOBODY000000000000');
  await ask(api, 'POST', one, {
    body: { alias: 'x', test_numbers: [{ recipient: '14155550100', otp: '1234' }] },
  });
  await ask(api, 'POST', one, { body: { domain: 'example.com' } });
  await ask(api, 'POST', one, { body: { app_hash: 'abcdefghijk' } });
  await ask(api, 'DELETE', one);
  await ask(api, 'DELETE', `…/Verify/Application/${api.application.uuid}/`);

  const { body: sub } = await ask(api, 'POST', '…/Subaccount/', { body: { name: 'a', enabled: true } });
  const own = `…/Subaccount/${sub.auth_id}/`;
  const asSub = basic({ authId: sub.auth_id, token: sub.auth_token });
  await ask(api, 'GET', own);
  await ask(api, 'GET', '…/Subaccount/');
  await ask(api, 'GET', `/v1/Account/${sub.auth_id}/Subaccount/`, { as: asSub });
  await ask(api, 'POST', `/v1/Account/${sub.auth_id}/Subaccount/`, { as: asSub, body: { name: 'b' } });
  await ask(api, 'POST', own, { body: { name: 'c' } });
  await ask(api, 'GET', own);
  await ask(api, 'POST', `/v1/Account/${sub.auth_id}/Verify/Session/`, { body: create });
  await ask(api, 'DELETE', own);
  const optOuts = '…/Verify/OptOut/';
  await ask(api, 'POST', optOuts, { body: create });
  await ask(api, 'GET', optOuts);
  await ask(api, 'GET', `${optOuts}14155551234/`);
  await ask(api, 'DELETE', `${optOuts}14155551234/`);
  const theirs = `/v1/Account/${api.sub.authId}/Verify/OptOut/`;
  await ask(api, 'GET', theirs);
  await ask(api, 'POST', theirs, { body: create });
  const { body: unused } = await ask(api, 'POST', '…/Subaccount/', { body: { name: 'b' } });
  await ask(api, 'DELETE', `…/Subaccount/${unused.auth_id}/`);

  for (const result of ['recorded', 'unknown', 'invalid', 'unavailable'] as const) {
    reported = result;
    const body = { message_id: 'x', status: 'sent' };
    await ask(api, 'POST', '/carriers/gateway/receipts', { as: `Bearer ${SECRET}`, body });
    const stop = { from: '14155551234', to: '14155550100', text: 'STOP' };
    await ask(api, 'POST', '/carriers/gateway/inbound', { as: `Bearer ${SECRET}`, body: stop });
  }
  for (const path of ['/openapi.json', '/docs', '/docs/reference.css']) {
    const { header } = await ask(api, 'GET', path);
    await ask(api, 'GET', path, { headers: { 'if-none-match': header('etag')! } });
  }

  const documented = operations.flatMap(({ operation: { operationId, responses } }) =>
    Object.keys(responses)
      .filter((status) => !ACCOUNTED[status]?.includes(operationId))
      .map((status) => `${operationId} ${status}`),
  );
  expect([...seen].sort()).toEqual(documented.sort());
});

describe('the reference', () => {
  test('says of every operation what it is, and shows bodies that are accepted', async () => {
    const api = await start();
    const session = await api.create({ recipient: '14155559999' });
    api.change({ application: { confirmByKey: true } });
    const call = await api.create({ recipient: '14155559998', channel: 'voice' });
    api.change({ application: { confirmByKey: false } });
    for (const { method, path, operation } of operations) {
      expect(operation.summary, operation.operationId).toMatch(/^[A-Z].{5,}$/);
      for (const { value } of Object.values(
        operation.requestBody?.content['application/json']?.examples ?? {},
      )) {
        const target = path
          .replace('{auth_id}', api.main.authId)
          .replace('{session_uuid}', path.endsWith('/Press/') ? call : session)
          .replace('{app_uuid}', api.application.uuid)
          .replace('{subaccount}', api.sub.authId)
          .replace('{recipient}', '14155551234')
          .replace('{carrier}', 'gateway');
        const authorization = path.includes('{carrier}') ? `Bearer ${SECRET}` : basic(api.main);
        const answer = await fetch(`${api.url}${target}`, {
          method,
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify(value),
        });
        const { error } = (await answer.json()) as { error?: string };
        // A code of an example is a wrong one, which is no malformed one.
        expect(error === undefined || error === 'invalid OTP', `${path}: ${error}`).toBe(true);
      }
    }
  });

  test('describes every field that a body may have, and no header twice', () => {
    for (const { operation } of operations) {
      const { properties = {} } = (operation.requestBody?.content['application/json']?.schema ?? {}) as {
        properties?: Record<string, { description?: string }>;
      };
      for (const [name, { description }] of Object.entries(properties)) {
        expect(description, `${operation.operationId} ${name}`).toBeTruthy();
      }
      const names = (operation.parameters ?? []).map((each) => `${each.in} ${each.name}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test('is made anew when it could not be made before', async () => {
    const app = fastify();
    let failures = 1;
    referenceRoutes(app, () => {
      if (failures-- > 0) throw new Error('no file could be opened');
      return [];
    });
    for (const status of [500, 200]) expect((await app.inject('/openapi.json')).statusCode).toBe(status);
    await app.close();
  });

  test('is served to whoever asks, without anything of this server in it', async () => {
    const api = await start();
    const text = await (await fetch(`${api.url}/openapi.json`)).text();
    expect(JSON.parse(text).openapi).toBe('3.1.0');
    for (const own of [api.main.authId, api.main.token, SECRET, 'gateway/', String(api.port)]) {
      expect(text).not.toContain(own);
    }
    expect(text).not.toContain('"nullable"');
  });
});

describe('the page of the reference', () => {
  test('has every operation, and loads and runs nothing but its style sheet', async () => {
    const api = await start();
    const answer = await fetch(`${api.url}/docs/`);
    const page = await answer.text();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const { path, operation } of operations) {
      expect(page).toContain(`id="${operation.operationId}"`);
      expect(page).toContain(`href="#${operation.operationId}"`);
      expect(page).toContain(`<code>${path}</code>`);
    }
    const loaded = [...page.matchAll(/<(?:link|script|img|iframe|object|embed|style)\b[^>]*>/g)].map(
      ([tag]) => tag,
    );
    expect(loaded).toEqual(['<link rel="stylesheet" href="/docs/reference.css">']);
    expect(page).not.toMatch(/\son[a-z]+=|style="|javascript:|https?:\/\/(?!127\.0\.0\.1:8080|example\.com)/);
    expect((await fetch(`${api.url}/docs/reference.css`)).status).toBe(200);
  });

  test('says what each variable of its examples is', async () => {
    const api = await start();
    const page = await (await fetch(`${api.url}/docs`)).text();
    const [introduction = '', ...articles] = page.split('<article');
    const used = articles.flatMap((article) =>
      [...article.matchAll(/\$([A-Z_]+)/g)].map(([, name]) => name!),
    );
    expect(new Set(used)).toContain('CALLBACK_ID');
    for (const name of new Set(used)) expect(introduction).toMatch(new RegExp(`(>|\\n)${name}(=|<)`));
  });

  test('has links that lead somewhere and ids of their own', async () => {
    const api = await start();
    const page = await (await fetch(`${api.url}/docs`)).text();
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]!);
    expect(targets.length).toBeGreaterThan(operations.length);
    for (const target of targets) expect(ids).toContain(target);
    const open = [...page.matchAll(/<([a-z0-9]+)\b[^>]*>/g)].map((match) => match[1]!);
    for (const tag of new Set(open)) {
      if (['meta', 'link', 'br'].includes(tag)) continue;
      const closed = page.split(`</${tag}>`).length - 1;
      expect(closed, tag).toBe(open.filter((each) => each === tag).length);
    }
  });
});

/** `GET /a/:b` of what `printRoutes` draws, without HEAD and trailing slashes; carriers' names become one. */
function routesOf(tree: string): string[] {
  const found = new Set<string>();
  const prefixes: string[] = [];
  for (const line of tree.split('\n')) {
    const match = /^([│ ]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (!match) continue;
    const depth = match[1]!.length / 4;
    const path = `${prefixes[depth - 1] ?? ''}${match[2]}`;
    prefixes[depth] = path;
    for (const method of match[3]?.split(', ') ?? []) {
      const bare = path.replace(/(?<=.)\/$/, '').replace(/^\/carriers\/[^/]+/, '/carriers/{carrier}');
      if (method !== 'HEAD') found.add(`${method} ${bare.replace(/:([a-z_]+)/g, '{$1}')}`);
    }
  }
  return [...found].sort();
}
