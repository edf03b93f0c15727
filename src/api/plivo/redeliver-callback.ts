import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { MAX_CALLBACK_TRIES } from '../../verify/callbacks.js';
import type { RedeliverOutcome } from '../../verify/commands.js';
import { callbackId, parseCallbackId } from '../../verify/model.js';
import { formatTime } from '../../verify/time.js';
import type { ApiContext } from '../context.js';
import { ApiError, type Failure, NO_SUCH_CALLBACK, sendFailure, tooMany } from '../errors.js';
import { createLimiter } from '../limits/limiter.js';
import type { Operation } from '../reference/operation.js';
import { apiId, uuid } from '../wire.js';
import { sessionOf } from './find-session.js';

const Answer = Type.Object({
  api_id: apiId,
  message: Type.String(),
  session_uuid: uuid('the session'),
  callback_id: Type.String(),
});

const OPERATION: Operation = {
  id: 'redeliverCallback',
  tag: 'Callbacks',
  summary: 'Send a callback again',
  description:
    'With the same content and fresh signatures, and retried like any callback. For one that was delivered or whose last retry failed.',
  answers: { 202: { description: 'It is durable that the callback is sent once more.' } },
  errors: {
    409: `The callback is still being tried or waits for an earlier one, or was tried ${MAX_CALLBACK_TRIES} times.`,
    429: 'More redeliveries than `limits.redeliveries_per_account` allows, or too many failed authentications.',
  },
};

/**
 * `POST …/Verify/Session/{session_uuid}/Callback/{callback_id}/Redeliver/` → 202 (contract §6): it is durable that
 * the callback is sent once more. A body is ignored.
 */
export function redeliverCallback(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, limits, metrics } = context;
  const limiter = createLimiter(environment, limits.redeliveriesPerAccount);
  app.post(
    '/Verify/Session/:session_uuid/Callback/:callback_id/Redeliver/',
    { schema: { response: { 202: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const account = request.account!.authId;
      const wait = limiter.wait(account);
      if (wait > 0) {
        metrics.limited.inc({ limit: 'redeliveries_per_account' });
        const error = 'too many requests: the limit of redeliveries per account is reached';
        return sendFailure(reply, tooMany(error, wait));
      }
      limiter.take(account);
      const { session } = await sessionOf(context, request);
      const { attempt, sequence } = callbackOf(request);
      const outcome = await store.submit({
        type: 'redeliver-callback',
        now: environment.now(),
        owner: store.epoch,
        account,
        session: session.uuid,
        attempt,
        sequence,
      });
      if (outcome.kind !== 'accepted') return sendFailure(reply, refusalOf(outcome));
      return reply.code(202).send({
        api_id: request.id,
        message: 'the callback is sent again',
        session_uuid: session.uuid,
        callback_id: callbackId(attempt, sequence),
      });
    },
  );
}

/** The callback that the path names. @throws ApiError 404 */
function callbackOf(request: FastifyRequest) {
  const id = parseCallbackId((request.params as { callback_id: string }).callback_id.toLowerCase());
  if (!id) throw new ApiError(NO_SUCH_CALLBACK);
  return id;
}

function refusalOf(outcome: Exclude<RedeliverOutcome, { kind: 'accepted' }>): Failure {
  switch (outcome.kind) {
    case 'not-found':
      return NO_SUCH_CALLBACK;
    case 'unsettled':
      return {
        status: 409,
        error:
          outcome.state === 'ready'
            ? `the callback is still being tried: its next try is due at ${formatTime(outcome.nextAt)}`
            : 'the callback is still to be sent: it waits for an earlier one of its attempt',
      };
    case 'exhausted':
      return {
        status: 409,
        error: `the callback has been tried ${MAX_CALLBACK_TRIES} times, which is the maximum`,
      };
  }
}
