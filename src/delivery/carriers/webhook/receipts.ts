import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyContextConfig, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { CHANNEL_ERRORS, isErrorOf } from '../../../verify/channel-errors.js';
import { isCallDuration, MAX_CALL_SECONDS } from '../../../verify/charges.js';
import { CHANNELS, type Channel, parseHopId } from '../../../verify/model.js';
import { isStatusOf, statusesOf } from '../../../verify/statuses.js';
import type { CarrierContext, CarrierReport, InboundMessage } from '../../carrier.js';
import { MAX_MESSAGE_ID, readMessageId } from '../message-id.js';

/** RFC 6750 §2.1; the scheme's case does not matter. */
const BEARER = /^bearer +([\x21-\x7e]{1,512})$/i;

const ANSWER = Type.Object({
  api_id: Type.String({ format: 'uuid', description: 'the id of this request, which the log has too' }),
  message: Type.String({ enum: ['receipt recorded', 'message recorded'] }),
});

/** What the reference says; `readReceipt` is what checks, by the channels of each carrier. */
const OPERATION: FastifyContextConfig['operation'] = {
  id: 'reportReceipt',
  tag: 'Receipts',
  summary: 'Report what became of a message',
  description:
    'For the gateway of a carrier of type `webhook`. Receipts may be late, repeated and out of order. With both ids `hop_id` decides.',
  security: 'bearer',
  body: {
    schema: {
      type: 'object',
      required: ['status'],
      anyOf: [{ required: ['hop_id'] }, { required: ['message_id'] }],
      properties: {
        hop_id: {
          type: ['string', 'null'],
          description: 'the `hop_id` of the request that brought the message',
        },
        message_id: {
          type: ['string', 'integer', 'null'],
          minLength: 1,
          maxLength: MAX_MESSAGE_ID,
          description: 'the id that the gateway answered',
        },
        status: {
          type: 'string',
          enum: [...new Set(CHANNELS.flatMap(statusesOf))].filter((status) => status !== 'queued'),
          description: "a status of the message's channel",
        },
        duration: {
          type: ['integer', 'null'],
          minimum: 0,
          maximum: MAX_CALL_SECONDS,
          description: 'voice only: seconds from the answer to the end of the call',
        },
        confirmed: {
          type: ['boolean', 'null'],
          description:
            'voice with `confirm_by_key` only, with status `completed`: whether the callee pressed 1, which verifies the session',
        },
        error_code: {
          type: ['integer', 'null'],
          enum: [...CHANNELS.flatMap((channel) => [...CHANNEL_ERRORS[channel].keys()]), null],
          description: 'a channel error code',
        },
      },
    },
    examples: {
      'by hop': { hop_id: '019c12d2-7ba3-7cc1-a9c4-0f7a3d1e5b60.1', status: 'delivered' },
      'by message id': { message_id: 'A17', status: 'undelivered', error_code: 80 },
    },
  },
  answers: { 200: { description: 'The receipt is recorded for good.' } },
  errors: {
    404: 'No message of this carrier is meant.',
    503: 'The receipt cannot be recorded now: send it again.',
  },
};

/** Characters of an inbound message's numbers and text. */
const MAX_ADDRESS = 64;
const MAX_TEXT = 4_096;

const INBOUND: FastifyContextConfig['operation'] = {
  id: 'reportInbound',
  tag: 'Receipts',
  summary: 'Pass on an SMS that came in',
  description:
    'For the gateway of a carrier of type `webhook`: what somebody sent to one of its numbers. STOP, START and HELP are acted upon.',
  security: 'bearer',
  body: {
    schema: {
      type: 'object',
      required: ['from', 'to', 'text'],
      properties: {
        from: {
          type: 'string',
          minLength: 1,
          maxLength: MAX_ADDRESS,
          description: 'the number that sent it',
        },
        to: {
          type: 'string',
          minLength: 1,
          maxLength: MAX_ADDRESS,
          description: 'the number that it was sent to',
        },
        text: { type: 'string', maxLength: MAX_TEXT, description: 'what it says' },
      },
    },
    examples: { stop: { from: '+14155551234', to: '+14155550100', text: 'STOP' } },
  },
  answers: { 200: { description: 'What follows from it is recorded for good.' } },
  errors: { 503: 'The message cannot be recorded now: send it again.' },
};

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

    routes.post(
      '/receipts',
      { schema: { response: { 200: ANSWER } }, config: { operation: OPERATION } },
      async (request, reply) => {
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
      },
    );

    routes.post(
      '/inbound',
      { schema: { response: { 200: ANSWER } }, config: { operation: INBOUND } },
      async (request, reply) => {
        const message = readInbound(request.body);
        if (!message)
          return refuse(
            request,
            reply,
            400,
            `from, to, text: expected strings of at most ${MAX_ADDRESS}, ${MAX_ADDRESS} and ${MAX_TEXT} characters`,
          );
        if ((await inbound(message)) === 'recorded')
          return { api_id: request.id, message: 'message recorded' };
        reply.header('Retry-After', '1');
        return refuse(request, reply, 503, 'the message cannot be recorded now; send it again');
      },
    );
  };
}

function isText(value: unknown, min: number, max: number): value is string {
  return typeof value === 'string' && value.length >= min && value.length <= max;
}

function readInbound(body: unknown): InboundMessage | null {
  if (typeof body !== 'object' || body === null) return null;
  const { from, to, text } = body as Record<string, unknown>;
  if (!isText(from, 1, MAX_ADDRESS) || !isText(to, 1, MAX_ADDRESS) || !isText(text, 0, MAX_TEXT)) return null;
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
  const {
    hop_id: hopId,
    message_id: id,
    status,
    error_code: code,
    duration,
    confirmed,
  } = body as Record<string, unknown>;

  if (typeof status !== 'string' || status === 'queued') return invalid(statusExpected(channels));
  const meant = channels.filter((channel) => isStatusOf(channel, status));
  if (meant.length === 0) return invalid(statusExpected(channels));

  const errorCode = code ?? null;
  if (errorCode !== null && !isCodeOf(meant, errorCode)) {
    return invalid(`error_code: expected a channel error code of ${meant.join(' or ')}, or null`);
  }
  const isTold = duration !== undefined && duration !== null;
  if (isTold && !(meant.includes('voice') && isCallDuration(duration))) {
    return invalid(`duration: expected whole seconds of a call, 0 to ${MAX_CALL_SECONDS}, or null`);
  }
  if (confirmed !== undefined && confirmed !== null && typeof confirmed !== 'boolean') {
    return invalid('confirmed: expected true, false or null');
  }
  if (confirmed && status !== 'completed') {
    return invalid('confirmed: expected only with the status completed');
  }
  const told = {
    status,
    errorCode,
    ...(isTold ? { duration } : {}),
    ...(confirmed ? { confirmed: true } : {}),
  };
  if (hopId !== undefined && hopId !== null) {
    if (typeof hopId !== 'string' || !parseHopId(hopId)) return invalid('hop_id: expected the id of a hop');
    return { ok: true, report: { by: { kind: 'hop', hopId }, ...told }, named: 'hop_id' };
  }
  const messageId = readMessageId(id);
  if (messageId === null) {
    return invalid('message_id: expected a string of 1 to 128 characters or an integer, or a hop_id');
  }
  return { ok: true, report: { by: { kind: 'message', messageId }, ...told }, named: 'message_id' };
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
