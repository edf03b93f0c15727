import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { CarrierContext, ReportResult } from '../../carrier.js';
import { type Incoming, keepBytes, readRequest, refuse } from '../provider/incoming.js';
import type { Call } from './call.js';
import type { CallDesk } from './desk.js';
import type { CallNews, VoiceProvider } from './provider.js';
import { speakerOf, type VoiceTable } from './voices.js';

export interface CallRoutesOptions {
  readonly context: CarrierContext;
  readonly provider: VoiceProvider;
  readonly voices: VoiceTable;
  readonly desk: CallDesk;
  readonly speakerOf: (call: Call) => ReturnType<typeof speakerOf>;
  /** Tells a call how it goes; resolves after the commit of what follows from it, if anything does. */
  readonly tell: (call: Call, news: CallNews) => Promise<ReportResult>;
  /** Records how a call went that this process does not know: one of before a restart. */
  readonly report: (news: CallNews) => Promise<ReportResult>;
  readonly count: (what: string) => void;
}

/** Where the provider asks what a call does next, and where it tells how it goes, below the carrier's own prefix. */
export const DOCUMENT_PATH = '/calls/document';
export const STATUS_PATH = '/calls/status';

/**
 * The routes of calls. The token is in the query, which no log shows. A document is answered once: whoever asks again,
 * the provider included, gets 404 and a call that ends, since a repeat cannot be told from a replay.
 */
export function callRoutes(options: CallRoutesOptions): FastifyPluginAsync {
  const { context, provider, desk, count } = options;
  const hangUp = (call: Call | null) =>
    provider.render({
      voice: call ? options.speakerOf(call).voice : speakerOf('en', options.voices).voice,
      verbs: [{ verb: 'hang-up' }],
    });

  /** What a request says, once it is believed; null when it has been answered. */
  function take(request: FastifyRequest, reply: FastifyReply): { incoming: Incoming; news: CallNews } | null {
    reply.header('Cache-Control', 'no-store');
    const incoming = { path: 'calls', ...readRequest(request, context.publicUrl) } as const;
    const distrust = provider.verify(incoming);
    if (distrust !== null) {
      count('unbelieved');
      refuse(request, reply, 403, distrust);
      return null;
    }
    const news = provider.read(incoming);
    if (news === null) {
      count('not_understood');
      refuse(request, reply, 400, 'body: not what the provider documents of a call');
      return null;
    }
    return { incoming, news };
  }

  async function answerDocument(request: FastifyRequest, reply: FastifyReply) {
    const taken = take(request, reply);
    if (!taken) return reply;
    const { incoming, news } = taken;
    const found = desk.find(incoming.query.get('token') ?? '');
    reply.type(provider.contentType);
    if (!found || found.step === null || found.call.isOver || !found.call.isMeant(news)) {
      count('unknown_document');
      return reply.code(404).send(hangUp(null));
    }
    const { call, step } = found;
    desk.spend(call);
    const verbs = await call.next(step, news);
    return reply.send(provider.render({ voice: options.speakerOf(call).voice, verbs }));
  }

  async function takeStatus(request: FastifyRequest, reply: FastifyReply) {
    const taken = take(request, reply);
    if (!taken) return reply;
    const { incoming, news } = taken;
    const found = desk.find(incoming.query.get('token') ?? '');
    const isKnown = found !== null && found.step === null && found.call.isMeant(news);
    const result = isKnown ? await options.tell(found.call, news) : await options.report(news);
    if (result !== 'recorded') count(result);
    if (result === 'unavailable') {
      reply.header('Retry-After', '1');
      return refuse(request, reply, 503, 'it cannot be recorded now; send it again');
    }
    return reply.type(provider.contentType).send(hangUp(null));
  }

  return async (routes) => {
    keepBytes(routes);
    routes.post(DOCUMENT_PATH, answerDocument);
    routes.post(STATUS_PATH, takeStatus);
  };
}
