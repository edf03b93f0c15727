import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Whether a program is installed; when it is not, says so once. */
export function isInstalled(program: string, debian: string): boolean {
  const { status } = spawnSync('sh', ['-c', `command -v ${program}`]);
  if (status !== 0) console.warn(`skipped: ${program} is not installed (Debian: apt-get install ${debian})`);
  return status === 0;
}

/** A UDP and TCP port that nobody uses, with `room` free ones behind it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000) * 2;
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const server = createServer();
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
    server.close();
  }
}

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-sip-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts a program that lives until the test ends. */
export function start(program: string, given: readonly string[], directory: string): ChildProcess {
  const child = spawn(program, given, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  return child;
}

/** Waits until something listens on a port of this machine. */
export async function listening(protocol: 'udp' | 'tcp', port: number): Promise<void> {
  const needle = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  for (let turn = 0; turn < 200; turn++) {
    const lines = readFileSync(`/proc/net/${protocol}`, 'utf8').split('\n');
    if (lines.some((line) => (line.trim().split(/\s+/)[1] ?? '').concat(' ').endsWith(needle))) return;
    await wait(50);
  }
  throw new Error(`nothing listens on ${protocol} port ${port}`);
}

export interface Sipp {
  readonly port: number;
  /** Resolves when its scenario has been played through; rejects with its complaints. */
  readonly done: Promise<void>;
}

/** SIPp as a server that plays a scenario `calls` times. */
export async function sipp(
  scenario: string,
  { calls = 1, tcp = false, more = [] }: { calls?: number; tcp?: boolean; more?: readonly string[] } = {},
): Promise<Sipp> {
  const directory = newDirectory();
  const port = await freePort();
  writeFileSync(join(directory, 'scenario.xml'), scenario);
  const child = start(
    'sipp',
    [
      ...['-sf', 'scenario.xml', '-i', '127.0.0.1', '-p', `${port}`, '-m', `${calls}`, '-nostdin'],
      ...[
        '-t',
        tcp ? 't1' : 'u1',
        '-trace_err',
        '-error_file',
        'errors.log',
        '-timeout',
        '60s',
        '-timeout_error',
      ],
      ...more,
    ],
    directory,
  );
  const done = once(child, 'exit').then(([code]) => {
    if (code === 0) return;
    let complaint = '';
    try {
      complaint = readFileSync(join(directory, 'errors.log'), 'utf8').slice(0, 2_000);
    } catch {
      // It had nothing to say.
    }
    throw new Error(`sipp ended with ${code}: ${complaint}`);
  });
  done.catch(() => {});
  await listening(tcp ? 'tcp' : 'udp', port);
  return { port, done };
}

/** Steps of a scenario, in SIPp's own language. */
export function scenario(...steps: readonly string[]): string {
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="peer">\n${steps.join('\n')}\n</scenario>\n`;
}

export function expectRequest(method: string, inner = '', optional = false): string {
  const attributes = `request="${method}"${optional ? ' optional="true"' : ''} crlf="true"`;
  return inner === '' ? `<recv ${attributes}/>` : `<recv ${attributes}><action>${inner}</action></recv>`;
}

const SDP = `v=0
o=peer 53655765 2353687637 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 49170 RTP/AVP 0
a=rtpmap:0 PCMU/8000`;

/** What `ask` needs to know of the INVITE. */
export const REMEMBER = [
  '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>',
  '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="called"/>',
  '<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="contact"/>',
].join('');

/** A response to the last request, copying what it must. */
export function respond(
  status: number,
  {
    headers = [],
    sdp = false,
    retransmit = false,
  }: { headers?: readonly string[]; sdp?: boolean; retransmit?: boolean } = {},
): string {
  const lines = [
    `SIP/2.0 ${status} Test`,
    '[last_Via:]',
    '[last_From:]',
    '[last_To:];tag=[pid]SIPpTag[call_number]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    'Contact: <sip:[local_ip]:[local_port];transport=[transport]>',
    ...headers,
    ...(sdp ? ['Content-Type: application/sdp'] : []),
    'Content-Length: [len]',
  ];
  return `<send${retransmit ? ' retrans="500"' : ''}><![CDATA[\n\n${lines.join('\n')}\n\n${sdp ? SDP : ''}\n]]></send>`;
}

/** A request of the peer within the call. */
export function ask(method: string, number: number, headers: readonly string[] = [], sdp = false): string {
  const lines = [
    `${method} [$contact] SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    'From:[$called];tag=[pid]SIPpTag[call_number]',
    'To:[$caller]',
    'Call-ID: [call_id]',
    `CSeq: ${number} ${method}`,
    'Contact: <sip:[local_ip]:[local_port];transport=[transport]>',
    'Max-Forwards: 70',
    ...headers,
    ...(sdp ? ['Content-Type: application/sdp'] : []),
    'Content-Length: [len]',
  ];
  return `<send${method === 'ACK' ? '' : ' retrans="500"'}><![CDATA[\n\n${lines.join('\n')}\n\n${sdp ? SDP : ''}\n]]></send>`;
}
