import type { CarrierReport, Claim, OutboundMessage, ReportResult } from '#delivery/carrier.js';
import { createLog } from '#telemetry/log.js';
import type { CallEnd, CallStub, PlacedCall, Said } from '../../../support/providers/calls.js';
import { type Push, type Received, type Reply, serveProvider } from '../../../support/providers/server.js';
import type { VirtualEnvironment } from '../../../support/virtual-time.js';
import { carrierOf, mount, publicContext } from '../mount.js';
import { message } from '../support.js';

export interface PhoneOptions {
  readonly voice?: Record<string, unknown>;
  readonly settings?: Record<string, unknown>;
  readonly answers?: ReportResult[];
  /** Instead of the provider's own answer. */
  readonly reply?: (request: Received) => Reply | null;
}

/** A carrier that places calls, the provider that it places them with, and the server at which that asks. */
export async function openPhone(stub: CallStub, options: PhoneOptions = {}) {
  const { url, received } = await serveProvider(
    (request) => options.reply?.(request) ?? stub.answer(request),
  );
  const context = publicContext(...(options.answers ?? []));
  const lines: string[] = [];
  const log = createLog('trace', { write: (line) => void lines.push(line) });
  const settings = {
    ...stub.settings,
    base_url: url,
    voice: { ...(stub.settings.voice as object), ...options.voice },
    ...options.settings,
  };
  const carrier = carrierOf(stub.type, settings, { ...context, log });
  const { push, lines: served } = await mount(carrier);
  const environment = context.environment as VirtualEnvironment;
  const claims: (string | null)[] = [];

  /** Waits for what sockets bring about, without time passing. */
  async function until<Result>(what: string, find: () => Result | null | undefined): Promise<Result> {
    const deadline = performance.now() + 60_000;
    while (true) {
      const found = find();
      if (found !== null && found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
      await environment.advance(0);
    }
  }

  /** Places a call, up to where the provider has taken it. */
  async function call(changes: Partial<OutboundMessage> = {}, claim?: Claim, unwanted?: AbortSignal) {
    const before = received.length;
    const one = message({ channel: 'voice', ...changes });
    const mark: Claim = async (id, over) => {
      claims.push(id);
      return claim ? claim(id, over) : true;
    };
    const result = carrier.submit(one, mark, unwanted);
    const placed: PlacedCall = await until('a call', () => stub.placed(received[before] ?? NOTHING));
    const fetch = (at: string, heard?: Parameters<CallStub['fetch']>[2]) =>
      push(stub.fetch(placed, at, heard));
    /** What the call does next, as a provider reads it. */
    const ask = async (at: string, heard?: Parameters<CallStub['fetch']>[2]): Promise<readonly Said[]> => {
      const answer = await fetch(at, heard);
      if (answer.status !== 200) throw new Error(`HTTP ${answer.status}: ${answer.text}`);
      return stub.read(answer.text);
    };
    /** What follows when nobody pressed a key that was asked for; `left`: for who hung up meanwhile. */
    const follow = async (at: string, left?: boolean): Promise<readonly Said[]> =>
      stub.read((await push(stub.redirect(placed, at, left))).text);
    const tell = (what: 'ringing' | CallEnd) => push(stub.tell(placed, what));
    return { message: one, placed, result, fetch, ask, follow, tell };
  }

  return {
    carrier,
    environment,
    received,
    claims,
    push: (one: Push) => push(one),
    until,
    call,
    reports: context.reports as CarrierReport[],
    /** Everything that was logged. */
    logged: () => [...lines, ...served].join('\n'),
  };
}

const NOTHING: Received = { method: '', url: '', headers: {}, body: '' };

/** The ask of a document. */
export function askOf(said: readonly Said[]) {
  const ask = said.find((each) => each.do === 'ask');
  if (!ask) throw new Error(`nothing is asked: ${JSON.stringify(said)}`);
  return ask as Extract<Said, { do: 'ask' }>;
}

/** The address at which a document has the provider ask what follows. */
export function redirectOf(said: readonly Said[]): string {
  const redirect = said.find((each) => each.do === 'redirect');
  if (!redirect) throw new Error(`nothing follows: ${JSON.stringify(said)}`);
  return redirect.url;
}

/** All that a document speaks. */
export function spoken(said: readonly Said[]): string {
  return said
    .map((each) => ('text' in each ? each.text : ''))
    .join(' ')
    .trim();
}
