import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { CarrierContext, CarrierReport, InboundMessage } from '../../carrier.js';

/** What a provider sent, not believed yet. */
export interface Incoming {
  readonly method: string;
  readonly path: 'receipts' | 'inbound' | 'calls';
  /** The whole URL as the provider sees it; null when it is not known where that is. */
  readonly url: string | null;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Its bytes, as they came; empty when there were none. */
  readonly body: Buffer;
  /** The hop that the URL names, which a signature over the URL vouches for. */
  readonly hopId: string | null;
}

/** What it says: any number of either, or nothing that matters here. */
export interface Told {
  readonly reports?: readonly CarrierReport[];
  readonly messages?: readonly InboundMessage[];
}

export interface IncomingRules {
  readonly methods: readonly ('GET' | 'POST')[];
  /** Why the request is not believed; null: it is. */
  verify(incoming: Incoming): string | null;
  /** Null: it cannot be understood. */
  read(incoming: Incoming): Told | null;
  /** What the provider wants to hear instead of our JSON. */
  readonly thanks?: { readonly type: string; readonly body: string };
  /** The HTTP status for what is not believed: 403 when left out. */
  readonly unbelieved?: { readonly status: 401 | 403; readonly challenge?: string };
}

/** Most reports and messages in one request. */
const MAX_TOLD = 1_000;

/** Where receipts of a hop are to be sent; null when providers do not reach this server. */
export function receiptUrl({ publicUrl, name }: CarrierContext, hopId?: string): string | null {
  if (publicUrl === null) return null;
  return `${publicUrl}/carriers/${name}/receipts${hopId === undefined ? '' : `/${hopId}`}`;
}

/**
 * `/receipts`, `/receipts/{hop}` and `/inbound`, which all take both receipts and inbound messages, since some
 * providers send both to one address. The bytes of the body are kept, bounded by the server's limit, for the signature over
 * them. 200 after the commit, also for messages that nobody knows, so that the provider stops; 503 when it should send
 * it again.
 */
export function incomingRoutes(
  context: CarrierContext,
  rules: IncomingRules,
  count: (what: string) => void,
): FastifyPluginAsync {
  return async (routes) => {
    keepBytes(routes);
    for (const url of ['/receipts', '/receipts/:hop', '/inbound']) {
      const path = url === '/inbound' ? 'inbound' : 'receipts';
      const handler = (request: FastifyRequest, reply: FastifyReply) => handle(path, request, reply);
      routes.route({ method: [...rules.methods], url, handler, exposeHeadRoute: false });
    }
  };

  async function handle(path: Incoming['path'], request: FastifyRequest, reply: FastifyReply) {
    const incoming = { path, ...readRequest(request, context.publicUrl) };
    const distrust = rules.verify(incoming);
    if (distrust !== null) {
      count('unbelieved');
      const { status, challenge } = rules.unbelieved ?? { status: 403 };
      if (challenge !== undefined) reply.header('WWW-Authenticate', challenge);
      return refuse(request, reply, status, distrust);
    }
    const told = rules.read(incoming);
    const { reports = [], messages = [] } = told ?? {};
    if (told === null || reports.length + messages.length > MAX_TOLD) {
      count('not_understood');
      return refuse(
        request,
        reply,
        400,
        'body: not a receipt or inbound message that the provider documents',
      );
    }
    if (reports.length + messages.length === 0) count('ignored');
    const results = await Promise.all([
      ...reports.map((report) => context.report(report)),
      ...messages.map((message) => context.inbound(message)),
    ]);
    for (const result of results) if (result !== 'recorded') count(result);
    if (results.includes('unavailable')) {
      reply.header('Retry-After', '1');
      return refuse(request, reply, 503, 'it cannot be recorded now; send it again');
    }
    if (rules.thanks) return reply.type(rules.thanks.type).send(rules.thanks.body);
    return { api_id: request.id, message: 'recorded' };
  }
}

/** Leaves every body as its bytes, for the signature over them. */
export function keepBytes(routes: FastifyInstance): void {
  routes.removeAllContentTypeParsers();
  routes.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** A request as it came, with the whole URL as the provider sees it. */
export function readRequest(request: FastifyRequest, publicUrl: string | null): Omit<Incoming, 'path'> {
  const { url, method, headers, body } = request;
  const question = url.indexOf('?');
  return {
    method,
    url: publicUrl === null ? null : `${publicUrl}${url}`,
    query: new URLSearchParams(question < 0 ? '' : url.slice(question)),
    headers,
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    hopId: (request.params as { hop?: string }).hop ?? null,
  };
}

export function refuse(request: FastifyRequest, reply: FastifyReply, status: number, error: string) {
  return reply.code(status).send({ api_id: request.id, error });
}

/** The parameters of a form body. */
export function formOf({ body }: Incoming): URLSearchParams {
  return new URLSearchParams(body.toString('utf8'));
}

/** By the hop that the URL names, else by the provider's id. Null: neither. */
export function reportedBy(hopId: string | null, messageId: string | null): CarrierReport['by'] | null {
  if (hopId !== null) return { kind: 'hop', hopId };
  return messageId === null || messageId === '' ? null : { kind: 'message', messageId };
}

/** A provider's decimal price as it stands, without its sign: some tell what they take as a negative amount. */
export function costOf(amount: unknown, currency: unknown): CarrierReport['cost'] {
  const text = typeof amount === 'number' ? String(amount) : amount;
  if (typeof text !== 'string' || typeof currency !== 'string') return undefined;
  const [, number] = /^-?([0-9]{1,9}(?:\.[0-9]{1,12})?)$/.exec(text) ?? [];
  if (number === undefined || !/^[A-Za-z]{3}$/.test(currency)) return undefined;
  return { amount: number, currency: currency.toUpperCase() };
}
