import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { OpenApiDocument } from '#api/reference/document.js';
import { cleanUp, newDirectory, serve } from '../cli/command-line.js';
import { KNOWN_OTP } from './values.js';

/** A real server process without rate limits, and what exists on it. */
export interface World {
  readonly url: string;
  readonly port: number;
  readonly document: OpenApiDocument;
  readonly authId: string;
  readonly token: string;
  readonly authorization: string;
  /** Of the gateway's receipts. */
  readonly bearer: string;
  /** The value for a path parameter. */
  known(name: string, index: number): string;
  /** Makes up for what was deleted. */
  restock(): Promise<void>;
  /** Whether it still does its work. */
  works(): Promise<boolean>;
  /** Ends it; resolves to what is wrong with its log and its end. */
  close(): Promise<string[]>;
}

const BRAND = 'SentinelBrandOfTheFuzzRun';

export async function startFuzzWorld(): Promise<World> {
  const directory = newDirectory();
  const secret = randomBytes(24).toString('base64url');
  let taken = 0;
  const gateway = createServer((request, response) => {
    request.resume().on('end', () => {
      taken++;
      response.writeHead(202, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message_id: `m${taken % 30}` }));
    });
  }).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const { port: gatewayPort } = gateway.address() as AddressInfo;
  const config = {
    limits: {
      lists_per_minute: 1_000_000,
      failed_validations_per_recipient: 1_000,
      creates_per_recipient: 'off',
      failed_authentications_per_address: 'off',
      failed_authentications_per_auth_id: 'off',
    },
    carriers: {
      gateway: { type: 'webhook', channels: ['voice'], url: `http://127.0.0.1:${gatewayPort}/`, secret },
    },
  };
  const file = join(directory, 'countersign.yaml');
  writeFileSync(file, JSON.stringify(config));
  const authId = 'MAFUZZ00000000000000';
  const token = randomBytes(30).toString('base64url');
  const server = await serve(join(directory, 'data'), {
    COUNTERSIGN_CONFIG: file,
    COUNTERSIGN_BOOTSTRAP_AUTH_ID: authId,
    COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: token,
  });
  const { url } = server;
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });
  const authorization = `Basic ${Buffer.from(`${authId}:${token}`).toString('base64')}`;
  const call = async (path: string, body?: unknown) => {
    const response = await fetch(`${url}/v1/Account/${authId}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };

  const pools: Record<'session_uuid' | 'app_uuid' | 'subaccount', string[]> = {
    session_uuid: [],
    app_uuid: [],
    subaccount: [],
  };
  let line = 0;
  const restock = async () => {
    // A deleted one stays for a while, as its id is known too.
    const keep = (pool: string[]) => pool.splice(0, Math.max(0, pool.length - 6));
    for (let made = 0; made < 2; made++) {
      line++;
      const recipient = `1212555${String(line % 10_000).padStart(4, '0')}`;
      const session = await call('/Verify/Session/', { recipient, otp: KNOWN_OTP, brand_name: BRAND });
      if (session.body.session_uuid) pools.session_uuid.push(session.body.session_uuid);
      await call('/Verify/Session/', { recipient, channel: 'voice' });
      const application = await call('/Verify/Application/', { alias: 'fuzz' });
      if (application.body.app_uuid) pools.app_uuid.push(application.body.app_uuid);
      const subaccount = await call('/Subaccount/', { name: 'fuzz', enabled: true });
      if (subaccount.body.auth_id) pools.subaccount.push(subaccount.body.auth_id);
    }
    for (const pool of Object.values(pools)) keep(pool);
  };
  await restock();
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument;

  return {
    url,
    port: Number(new URL(url).port),
    document,
    authId,
    token,
    authorization,
    bearer: `Bearer ${secret}`,
    known: (name, index) => {
      if (name === 'auth_id') return index % 8 === 7 ? (pools.subaccount.at(-1) ?? authId) : authId;
      if (name === 'carrier') return 'gateway';
      const pool = pools[name as keyof typeof pools] ?? [];
      return pool[index % Math.max(1, pool.length)] ?? 'none';
    },
    restock,
    works: async () => {
      if (hasEnded) return false;
      const ready = await fetch(`${url}/readyz`).catch(() => null);
      return ready?.status === 200 && (await call('/Verify/Session/?limit=1')).status === 200;
    },
    close: async () => {
      server.kill('SIGTERM');
      const { code, stdout, stderr } = await server.ended;
      gateway.closeAllConnections();
      gateway.close();
      cleanUp();
      const log = stdout.split('\n').filter((text) => text.startsWith('{'));
      const defects = log.filter((text) => /"level":"(?:error|fatal)"/.test(text));
      const secrets = [token, secret, KNOWN_OTP, BRAND].filter((each) =>
        `${log.join('\n')}${stderr}`.includes(each),
      );
      return [
        ...(code === 0 ? [] : [`the server exited with ${code}: ${stderr.slice(-2_000)}`]),
        ...(stderr === '' ? [] : [`on standard error: ${stderr.slice(0, 500)}`]),
        ...defects.slice(0, 5).map((text) => `in the log: ${text.slice(0, 1_500)}`),
        ...(secrets.length === 0 ? [] : ['the log has a token, secret, code or text of a message']),
        ...(log.some((text) => /1(?:415|212)555[0-9]{4}/.test(text))
          ? ['the log has a whole recipient']
          : []),
      ];
    },
  };
}
