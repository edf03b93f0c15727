import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { TakenMessage } from '../../store/store.js';
import { revealCode } from '../../verify/codes.js';
import { type Keyring, UnknownKeyError } from '../../verify/keyring.js';
import { renderText } from '../../verify/messages/render.js';
import { CHANNELS, type Recipient } from '../../verify/model.js';
import { formatTime } from '../../verify/time.js';
import type { ApiContext } from '../context.js';
import { ApiError } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { apiId, time, uuid } from '../wire.js';
import { integerParameter, recipientParameter } from './query.js';

/** How far back the inbox shows, in milliseconds. */
const SPAN = 24 * 3600 * 1000;
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

const Message = Type.Object({
  attempt_uuid: uuid('the attempt'),
  session_uuid: uuid('its session'),
  channel: Type.String({ enum: [...CHANNELS] }),
  recipient: Type.String({ pattern: '^[0-9]{1,15}$', description: 'E.164 digits without +' }),
  text: Type.String({ description: 'what the recipient reads or hears; empty: it is asked to press 1' }),
  otp: Type.Union([Type.String({ pattern: '^[0-9]{4,8}$' }), Type.Null()], {
    description: 'the code; null: the call asks to press 1 instead',
  }),
  time: time('when the inbox took it'),
});
const Answer = Type.Object({ api_id: apiId, messages: Type.Array(Message) });

const OPERATION: Operation = {
  id: 'listInbox',
  tag: 'Inbox',
  summary: 'List what the inbox took',
  description: 'Of the last 24 hours, newest first, with the codes.',
  query: {
    recipient: {
      type: 'string',
      pattern: '^[ .()+-]*([0-9][ .()+-]*){1,15}$',
      description: 'punctuation is dropped',
    },
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_LIMIT,
      default: DEFAULT_LIMIT,
      description: 'most to show',
    },
  },
  answers: { 200: { description: 'The messages.' } },
  errors: { 404: 'There is no inbox: other carriers are configured for every channel.' },
};

/**
 * `GET …/Inbox/?recipient=…&limit=…` → 200: what the carriers of type `inbox` took in the last 24 hours, newest
 * first. Codes are derived again for each answer, never kept. `limit` is 1–100, default 20.
 */
export function inbox(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, keyring } = context;
  app.get(
    '/Inbox/',
    { schema: { response: { 200: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      if (context.inbox.length === 0) {
        const error = 'there is no inbox: other carriers are configured for every channel';
        throw new ApiError({ status: 404, error });
      }
      const limit = integerParameter(request.query, 'limit', {
        min: 1,
        max: MAX_LIMIT,
        otherwise: DEFAULT_LIMIT,
      });
      const wanted = {
        account: request.account!.authId,
        recipient: recipientParameter(request.query) as Recipient | undefined,
        since: environment.now() - SPAN,
        limit,
      };
      const taken = await Promise.all(
        context.inbox.map((carrier) => store.read.taken({ ...wanted, carrier })),
      );
      const newest = taken
        .flat()
        .sort((a, b) => b.hop.createdAt - a.hop.createdAt)
        .slice(0, limit);
      return reply.send({
        api_id: request.id,
        messages: newest.flatMap((message) => messageView(keyring.current, message) ?? []),
      });
    },
  );
}

/** Null when the code's key was revoked: the code is gone with it, the other messages are not. */
function messageView(
  keyring: Keyring,
  { session, attempt, hop }: TakenMessage,
): Static<typeof Message> | null {
  try {
    const otp = attempt.confirmByKey ? null : revealCode(keyring, session.uuid, session.code);
    return {
      attempt_uuid: attempt.uuid,
      session_uuid: session.uuid,
      channel: attempt.channel,
      recipient: session.recipient,
      text: otp === null ? '' : renderText(attempt, otp),
      otp,
      time: formatTime(hop.createdAt),
    };
  } catch (error) {
    if (error instanceof UnknownKeyError) return null;
    throw error;
  }
}
