import { connect } from 'node:net';
import type { LoadPlan, LoadResult, Requests } from './load-plan.js';
import { percentile } from './statistics.js';

/**
 * The load generator, a process of its own: plain sockets and requests made by hand, so that it takes as little
 * of the machine as it can from what it measures. Does one plan per message.
 */
process.on('message', (plan: LoadPlan) => {
  void run(plan).then((result) => process.send!(result));
});

interface Source {
  /** The next request's bytes; null when there are no more. */
  next(): string | null;
  /** The recipient of the create that `next` gave last. */
  recipient?(): string;
  readonly rightStatus: string;
}

async function run(plan: LoadPlan): Promise<LoadResult> {
  const source = sourceOf(plan.requests);
  const latencies: number[] = [];
  const wrong: Record<string, number> = {};
  const sessions: string[] = [];
  const answers: [string, number][] = [];
  let turns = 0;
  const cpu = process.cpuUsage();
  const startedAt = Date.now();
  const started = performance.now();
  const end = started + plan.seconds * 1000;

  const converse = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true });
      let sentAt = 0;
      let received = '';
      let recipient = '';
      const sendInTurn = () => {
        if (plan.perSecond === undefined) return send();
        const turn = started + (turns++ * 1000) / plan.perSecond;
        setTimeout(send, Math.max(turn - performance.now(), 0));
      };
      const send = () => {
        const request = performance.now() < end ? source.next() : null;
        if (request === null) {
          socket.end();
          return resolve();
        }
        recipient = source.recipient?.() ?? '';
        sentAt = performance.now();
        socket.write(request, 'latin1');
      };
      socket.setEncoding('latin1');
      socket.once('connect', sendInTurn);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the server closed a connection under load')));
      socket.on('data', (chunk: string) => {
        received = received === '' ? chunk : received + chunk;
        const body = bodyOf(received);
        if (body === null) return;
        const now = performance.now();
        latencies.push(now - sentAt);
        if (plan.perSecond !== undefined) answers.push([recipient, performance.timeOrigin + now]);
        const status = received.slice(9, 12);
        if (status !== source.rightStatus) wrong[status] = (wrong[status] ?? 0) + 1;
        else if (plan.requests.kind === 'create') sessions.push(sessionOf(body));
        received = '';
        sendInTurn();
      });
    });
  await Promise.all(Array.from({ length: plan.connections }, converse));

  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const failures = Object.values(wrong).reduce((sum, count) => sum + count, 0);
  return {
    right: latencies.length - failures,
    wrong,
    seconds,
    startedAt,
    latency: {
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      max: percentile(latencies, 1),
    },
    cpu: (user + system) / 1e6 / seconds,
    sessions,
    answers,
  };
}

function sourceOf(requests: Requests): Source {
  const { path, authorization } = requests;
  const post = (target: string, body: string) =>
    `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let sent = 0;
  if (requests.kind === 'validate') {
    const { sessions } = requests;
    const body = JSON.stringify({ otp: requests.otp });
    return {
      rightStatus: '200',
      next: () => (sent < sessions.length ? post(`${path}${sessions[sent++]}/`, body) : null),
    };
  }
  const { first, fields, limit = Number.POSITIVE_INFINITY } = requests;
  return {
    rightStatus: '202',
    next: () =>
      sent < limit ? post(path, JSON.stringify({ recipient: recipient(first + sent++), ...fields })) : null,
    recipient: () => recipient(first + sent - 1),
  };
}

/** A valid number of its own for each of 8 million numbers. */
function recipient(number: number): string {
  return `1415${2_000_000 + number}`;
}

/** The body of a whole answer; null when more of it is to come. */
function bodyOf(received: string): string | null {
  const headersEnd = received.indexOf('\r\n\r\n');
  if (headersEnd < 0) return null;
  const length = /content-length: (\d+)/i.exec(received)?.[1];
  const body = received.slice(headersEnd + 4);
  return body.length >= Number(length) ? body : null;
}

function sessionOf(body: string): string {
  const at = body.indexOf('"session_uuid":"') + 16;
  return body.slice(at, at + 36);
}
