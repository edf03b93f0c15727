import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { isErrorOf } from '../../../verify/channel-errors.js';
import { type Channel, parseHopId } from '../../../verify/model.js';
import { isStatusOf } from '../../../verify/statuses.js';
import type { CarrierContext, CarrierReport, InboundMessage } from '../../carrier.js';
import { readMessageId } from '../message-id.js';

/** RFC 6750 §2.1; the scheme's case does not matter. */
const BEARER = /^bearer +([\x21-\x7e]{1,512})$/i;

interface ReceiptsOptions {
  readonly secret: string;
  /** Channels of the carrier: what may be reported is theirs. */
  readonly channels: readonly Channel[];
  readonly report: CarrierContext['report'];
  readonly inbound: CarrierContext['inbound'];
}

/**
 * `POST /receipts`: what the gateway says became of a message; `POST /inbound`: an SMS that came in. Authorised by the bearer secret before the body is
 * read; 200 after the commit, never before. Bodies are bounded and parsed, trailing slashes ignored, and errors
 * answered in the shape of contract §7 by the server that the routes are mounted on.
 */
export function receiptRoutes({ secret, channels, report, inbound }: ReceiptsOptions): FastifyPluginAsync {
  const expected = digest(secret);

  return async (routes) => {
    routes.addHook('onRequest', async (request, reply) => {
      const [, given] = BEARER.exec(request.headers.authorization ?? '') ?? [];
      if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
      reply.header('WWW-Authenticate', 'Bearer');
      return refuse(request, reply, 401, "authorization: expected this carrier's bearer secret");
    });

    routes.post('/receipts', async (request, reply) => {
      const read = readReceipt(request.body, channels);
      if (!read.ok) return refuse(request, reply, 400, read.why);
      const result = await report(read.report);
      switch (result) {
        case 'recorded':
          return { api_id: request.id, message: 'receipt recorded' };
        case 'unknown':
          return refuse(request, reply, 404, `no message of this carrier has this ${read.named}`);
        case 'invalid':
          return refuse(
            request,
            reply,
            400,
            "status: the message's channel has no such status or error_code",
          );
        case 'unavailable':
          reply.header('Retry-After', '1');
          return refuse(request, reply, 503, 'the receipt cannot be recorded now; send it again');
      }
    });

    routes.post('/inbound', async (request, reply) => {
      const message = readInbound(request.body);
      if (!message) return refuse(request, reply, 400, 'from, to, text: expected strings');
      if ((await inbound(message)) === 'recorded') return { api_id: request.id, message: 'message recorded' };
      reply.header('Retry-After', '1');
      return refuse(request, reply, 503, 'the message cannot be recorded now; send it again');
    });
  };
}

function readInbound(body: unknown): InboundMessage | null {
  if (typeof body !== 'object' || body === null) return null;
  const { from, to, text } = body as Record<string, unknown>;
  if (typeof from !== 'string' || typeof to !== 'string' || typeof text !== 'string') return null;
  return { from, to, text };
}

/** Digests of equal length, so that the comparison tells nothing of the secret's. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refuse(request: FastifyRequest, reply: FastifyReply, status: number, error: string) {
  return reply.code(status).send({ api_id: request.id, error });
}

type ReadReceipt =
  | { readonly ok: true; readonly report: CarrierReport; readonly named: 'hop_id' | 'message_id' }
  | { readonly ok: false; readonly why: string };

/** Null means unset, as in contract §8. With both ids, the hop's decides: it is the exact one. */
function readReceipt(body: unknown, channels: readonly Channel[]): ReadReceipt {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return invalid('body: expected an object');
  const { hop_id: hopId, message_id: id, status, error_code: code } = body as Record<string, unknown>;

  if (typeof status !== 'string' || status === 'queued') return invalid(statusExpected(channels));
  const meant = channels.filter((channel) => isStatusOf(channel, status));
  if (meant.length === 0) return invalid(statusExpected(channels));

  const errorCode = code ?? null;
  if (errorCode !== null && !isCodeOf(meant, errorCode)) {
    return invalid(`error_code: expected a channel error code of ${meant.join(' or ')}, or null`);
  }
  if (hopId !== undefined && hopId !== null) {
    if (typeof hopId !== 'string' || !parseHopId(hopId)) return invalid('hop_id: expected the id of a hop');
    return { ok: true, report: { by: { kind: 'hop', hopId }, status, errorCode }, named: 'hop_id' };
  }
  const messageId = readMessageId(id);
  if (messageId === null) {
    return invalid('message_id: expected a string of 1 to 128 characters or an integer, or a hop_id');
  }
  return { ok: true, report: { by: { kind: 'message', messageId }, status, errorCode }, named: 'message_id' };
}

function isCodeOf(channels: readonly Channel[], code: unknown): code is number {
  return typeof code === 'number' && channels.some((channel) => isErrorOf(channel, code));
}

const REPORTABLE: Readonly<Record<Channel, string>> = {
  sms: 'sent, delivered, undelivered or failed',
  voice: 'ringing, in-progress, completed, busy, no-answer or failed',
};

function statusExpected(channels: readonly Channel[]): string {
  return `status: expected ${channels.map((channel) => `for ${channel} ${REPORTABLE[channel]}`).join(', ')}`;
}

function invalid(why: string): ReadReceipt {
  return { ok: false, why };
}
