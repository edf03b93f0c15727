import fc from 'fast-check';
import { checkAgainst } from '../support/reference.js';
import { exchange, type RawAnswer } from './exchange.js';
import { type FuzzRequest, fuzzRequests } from './requests.js';
import type { World } from './world.js';

export interface FuzzOptions {
  readonly requests: number;
  readonly seed: number;
  /** Called now and then with how many are done. */
  readonly onProgress?: (done: number) => void;
}

export interface FuzzResult {
  readonly requests: number;
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Operations that were answered with success, by id. */
  readonly succeeded: readonly string[];
  /** Each with what is needed to look into it; at most a few. */
  readonly failures: readonly string[];
}

/** Between chunks everything is waited for, receipts of unknown messages too, which are held for seconds. */
const CHUNK = 1_000;
const WIDTH = 48;
/** Milliseconds of silence after which a request that is not whole is given up; and when it was given up without an answer. */
const SILENCE = 1_000;
const LONG_SILENCE = 20_000;
const MAX_FAILURES = 10;

/**
 * Sends generated requests and checks every answer: no 5xx, no status or body that the document does not have, always
 * `api_id`. The same seed makes the same requests.
 */
export async function fuzz(world: World, { requests, seed, onProgress }: FuzzOptions): Promise<FuzzResult> {
  const reference = checkAgainst(world.document);
  const arbitrary = fuzzRequests(world.document);
  const statuses: Record<string, number> = {};
  const succeeded = new Set<string>();
  const failures: string[] = [];

  const tryOne = async (request: FuzzRequest, number: number) => {
    const fail = (what: string) => {
      if (failures.length >= MAX_FAILURES) return;
      const body =
        request.body &&
        `${request.body.length} bytes ${JSON.stringify(request.body.toString('latin1').slice(0, 300))}`;
      const { method, framing, copies, credentials, headers } = request;
      const shown = {
        method,
        target: target.slice(0, 300),
        framing,
        copies,
        credentials,
        headers: headers.slice(0, 6),
        body,
      };
      failures.push(`seed ${seed}, request ${number}: ${what}\n  ${JSON.stringify(shown)}`);
    };
    const target = request.target.replace(/\{([a-z_]+):([0-9]+)\}/g, (_, name: string, index: string) =>
      world.known(name, Number(index)),
    );
    try {
      const bytes = write({ ...request, target }, world);
      const isWhole =
        request.framing === 'length' &&
        request.trailer.length === 0 &&
        !request.headers.some(([name]) => name === 'Connection');
      const ask = (silence: number | null) =>
        exchange(world.port, bytes, silence, () => request.method === 'HEAD');
      const isSilent = ({ answers, reset }: Awaited<ReturnType<typeof ask>>) =>
        answers.length === 0 && !reset;
      let asked = await ask(isWhole ? null : SILENCE);
      // Whoever hangs up gets no answer, and a machine that stalls makes us hang up too early.
      if (!isWhole && isSilent(asked)) asked = await ask(LONG_SILENCE);
      if (isSilent(asked)) fail('no answer');
      const { answers } = asked;
      for (const [index, answer] of answers.entries()) {
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const what = judge(request, target, answer, index < request.copies);
        if (what !== '') fail(`${answer.status}: ${what}: ${answer.text.slice(0, 300)}`);
      }
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
  };

  const judge = ({ method }: FuzzRequest, target: string, answer: RawAnswer, isAnswer: boolean): string => {
    if (answer.status >= 500) return 'a defect';
    const path = target.replace(/^http:\/\/[^/]+/, '').split(/[?#]/, 1)[0]!;
    const operation = isAnswer ? reference.find(method, path) : null;
    if (operation && answer.status < 400) succeeded.add(operation.operationId);
    // What is not HTTP is refused whatever it was meant to be.
    const meant = isAnswer && !isRefusal(answer) ? { method, target: path } : { method: 'X', target: '/x' };
    return reference.complaints({ ...answer, ...meant }).join('; ');
  };

  let done = 0;
  for (let chunk = 0; done < requests; chunk++) {
    const count = Math.min(CHUNK, requests - done);
    const generated = fc.sample(arbitrary, { numRuns: count, seed: seed + chunk });
    await world.restock();
    const queue = generated.map((request, index) => ({ request, number: done + index })).values();
    const work = async () => {
      for (const { request, number } of queue) await tryOne(request, number);
    };
    await Promise.all(Array.from({ length: WIDTH }, work));
    done += count;
    onProgress?.(done);
    if (!(await world.works())) {
      failures.push(`seed ${seed}: the server does not work any more after request ${done}`);
      break;
    }
  }
  return { requests: done, statuses, succeeded: [...succeeded].sort(), failures };
}

/** Whether it was answered before there was a request, with the raw refusal of `rawFailure`. */
function isRefusal({ status, header }: RawAnswer): boolean {
  return status === 400 && header('date') === null;
}

function write(request: FuzzRequest, world: World): Buffer {
  const { copies, trailer } = request;
  const each = Array.from({ length: copies }, (_, index) =>
    message(request, world, index === copies - 1 && trailer.length === 0),
  );
  return Buffer.concat([...each, ...(trailer.length === 0 ? [] : [trailer, Buffer.from('\r\n\r\n')])]);
}

function message(request: FuzzRequest, world: World, isLast: boolean): Buffer {
  const { method, target, body, framing, credentials } = request;
  const isReceipt = target.startsWith('/carriers/');
  const wrong = isReceipt ? 'Bearer wrong-secret-of-the-gateway' : 'Basic eDp4';
  const right = isReceipt ? world.bearer : world.authorization;
  const headers: (readonly [string, string])[] = [['Host', '127.0.0.1'], ...request.headers];
  if (credentials !== 'none') headers.push(['Authorization', credentials === 'right' ? right : wrong]);
  if (isLast && !headers.some(([name]) => name === 'Connection')) headers.push(['Connection', 'close']);
  let payload = body ?? Buffer.alloc(0);
  const length = (bytes: number) => headers.push(['Content-Length', String(bytes)]);
  if (body !== null) {
    switch (framing) {
      case 'length':
        length(payload.length);
        break;
      case 'too long':
        length(payload.length + 10);
        break;
      case 'too short':
        length(Math.max(0, payload.length - 1));
        break;
      case 'two lengths':
        length(payload.length);
        length(payload.length + 1);
        break;
      case 'both':
        length(payload.length);
        headers.push(['Transfer-Encoding', 'chunked']);
        break;
      case 'chunked':
      case 'broken chunks':
        headers.push(['Transfer-Encoding', 'chunked']);
        payload = chunked(payload, framing === 'broken chunks' ? 'xyz' : '');
    }
  }
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`, 'latin1'), payload]);
}

function chunked(payload: Buffer, spoiler: string): Buffer {
  const middle = Math.floor(payload.length / 2);
  const parts = [payload.subarray(0, middle), payload.subarray(middle)].filter((part) => part.length > 0);
  return Buffer.concat([
    ...parts.flatMap((part) => [
      Buffer.from(`${part.length.toString(16)}${spoiler}\r\n`),
      part,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('0\r\n\r\n'),
  ]);
}
