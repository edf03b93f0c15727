import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Certified } from '../../support/certificates.js';
import { isFree, isFreeForTcp, isListening } from '../../support/ports.js';
import { remove } from '../../support/remove.js';
import { until } from '../../support/server-process.js';
import { EndedEarly, hasEnded, startAtFreePorts } from '../programs.js';

/** A registrar and proxy: Kamailio. It calls phones only for a user whose registration stands, and asks for credentials. */
export interface Registrar {
  /** UDP and TCP, on 127.0.0.1. */
  readonly port: number;
  readonly tlsPort: number;
  /** It ends, and with it every registration is forgotten. */
  leave(): Promise<void>;
  /** It starts at the same ports. */
  come(): Promise<void>;
  /** Of each INVITE that it let pass: `udp`, `tcp` or `tls`, and the digest's algorithm where it has a name. */
  passed(): readonly string[];
}

export interface RegistrarOptions {
  readonly username: string;
  readonly password: string;
  /** Null: it names none, which means MD5. */
  readonly algorithm?: 'MD5' | 'SHA-256' | null;
  /** What it shows over TLS. */
  readonly certified: Certified;
  /** Whose certificates it asks for over TLS; null: for none. */
  readonly asksFor?: string | null;
  /** Whether it names itself as service route, and lets no call pass that does not come that way. */
  readonly serviceRoute?: boolean;
  /** The port of the phone that every call goes to. */
  readonly phone: number;
}

const MODULES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  .map((folder) => `${folder}/kamailio/modules/`)
  .join(':');

/** Starts it; it ends when the test is over. */
export function startRegistrar(kamailio: string, options: RegistrarOptions): Promise<Registrar> {
  return startAtFreePorts(1, 2, ([port]) => startAt(port!, kamailio, options));
}

async function startAt(port: number, kamailio: string, options: RegistrarOptions): Promise<Registrar> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-registrar-'));
  const tlsPort = port + 1;
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const { certified, asksFor = null } = options;
  const tls = file(
    'tls.cfg',
    `[server:default]
method = TLSv1.2+
certificate = ${file('certificate.pem', certified.cert)}
private_key = ${file('key.pem', certified.key)}
verify_certificate = ${asksFor === null ? 'no' : 'yes'}
require_certificate = ${asksFor === null ? 'no' : 'yes'}
${asksFor === null ? '' : `ca_list = ${file('authority.pem', asksFor)}`}
`,
  );
  const config = file('kamailio.cfg', configOf(port, tls, options));
  let child: ChildProcess | null = null;
  const written: Buffer[] = [];

  async function come(): Promise<void> {
    const started = spawn(
      kamailio,
      ['-f', config, '-DD', '-E', '-m', '32', '-M', '8', '-Y', directory, '-P', join(directory, 'pid')],
      // In a group of its own, of which all its processes are.
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    child = started;
    started.stdout.on('data', (chunk: Buffer) => written.push(chunk));
    started.stderr.on('data', (chunk: Buffer) => written.push(chunk));
    await until('Kamailio listens', () => {
      if (hasEnded(started)) throw new EndedEarly(output().slice(-4_000));
      return isListening(started, port, 'udp') && isListening(started, tlsPort, 'tcp');
    });
  }

  async function leave(): Promise<void> {
    const leaving = child;
    child = null;
    if (!leaving || hasEnded(leaving)) return;
    const ended = once(leaving, 'exit');
    // It ends the processes that it has started itself; one that hangs where OpenSSL tidies up would keep it for a minute.
    leaving.kill('SIGTERM');
    await until('Kamailio ends', () => hasEnded(leaving), 3).catch(() => {});
    killGroup(leaving.pid!);
    await ended;
    await until('its ports are free', async () => (await isFree(port)) && (await isFreeForTcp(tlsPort)));
  }

  function output(): string {
    return Buffer.concat(written).toString('latin1');
  }

  onTestFinished(async () => {
    await leave();
    remove(directory);
  });
  await come();
  return {
    port,
    tlsPort,
    leave,
    come,
    passed: () => [...output().matchAll(/passed by ([^|]*)\|/g)].map(([, what]) => what!.trim()),
  };
}

/** Ends what is left of a process and those that it has started. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function configOf(port: number, tls: string, options: RegistrarOptions): string {
  const { username, password, algorithm = null, serviceRoute = false, phone } = options;
  const route = `<sip:orig@127.0.0.1:${port};lr>`;
  const modules = 'tls tm sl rr pv maxfwd textops siputils usrloc registrar auth xlog nathelper'.split(' ');
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
listen=tls:127.0.0.1:${port + 1}
mpath="${MODULES}"
${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("tls", "config", "${tls}")
modparam("auth", "algorithm", "${algorithm ?? ''}")

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && !has_totag()) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) { handle_ruri_alias(); t_relay(); exit; }
    if (!is_method("ACK")) sl_send_reply("481", "No Such Call");
    exit;
  }
  if (is_method("REGISTER")) {
    if ($au != "${username}" || !pv_www_authenticate("registrar.example", "${password}", "0")) {
      www_challenge("registrar.example", "1");
      exit;
    }
    ${serviceRoute ? `append_to_reply("Service-Route: ${route}\\r\\n");` : ''}
    save("location");
    exit;
  }
  if (!is_method("INVITE")) { if (!is_method("ACK")) sl_send_reply("405", "Method Not Allowed"); exit; }
  if ($au != "${username}" || !pv_proxy_authenticate("registrar.example", "${password}", "0")) {
    proxy_challenge("registrar.example", "1");
    exit;
  }
  if (!registered("location", "sip:${username}@127.0.0.1")) { sl_send_reply("403", "Not Registered"); exit; }
  ${serviceRoute ? `if ($hdr(Route) != "${route}") { sl_send_reply("403", "Another Way"); exit; } loose_route();` : ''}
  xlog("L_ALERT", "passed by $proto $aa|\\n");
  consume_credentials();
  add_contact_alias();
  record_route();
  $du = "sip:127.0.0.1:${phone}";
  t_relay();
}
`;
}
