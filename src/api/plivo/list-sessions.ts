import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../context.js';
import { sendFailure, tooMany } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { apiId } from '../wire.js';
import { listLimiter } from './list-limit.js';
import { FILTERS, listQuery, MAX_OFFSET, pagePath } from './list-query.js';
import { META, PAGE_PARAMETERS } from './page.js';
import { SessionView, sessionView } from './session-view.js';

const Answer = Type.Object({
  api_id: apiId,
  meta: Type.Object(META),
  sessions: Type.Array(SessionView),
});

const OPERATION: Operation = {
  id: 'listSessions',
  tag: 'Sessions',
  summary: 'List sessions',
  description:
    'Newest first. Filters are combined with AND; unknown and empty parameters are ignored. Without a filter by time: the last 24 hours.',
  query: { ...PAGE_PARAMETERS, ...FILTERS },
  answers: { 200: { description: 'The sessions of this page.' } },
  errors: { 429: 'More than 20 lists in a minute (configurable), or too many failed authentications.' },
};

/** `GET …/Verify/Session/?…` → 200 (contract §5). */
export function listSessions(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, limits, rates, metrics, retention } = context;
  const limited = listLimiter(environment, limits.listsPerMinute);
  app.get(
    '/Verify/Session/',
    { schema: { response: { 200: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const account = request.account!;
      const wait = limited(account.authId);
      if (wait > 0) {
        metrics.limited.inc({ limit: 'lists_per_minute' });
        return sendFailure(reply, tooMany('too many requests', wait));
      }
      const now = environment.now();
      const query = listQuery(account, request.query, now, now - retention);
      const { limit, offset } = query;
      // One more than is shown tells whether there is a next page.
      const found = await store.read.sessions({ ...query, limit: limit + 1 });
      const hasNext = found.length > limit && offset + limit <= MAX_OFFSET;
      const newest = offset === 0 ? found[0]?.session.createdAt : undefined;
      const pinned = newest === undefined ? query : { ...query, until: newest + 1 };
      return reply.send({
        api_id: request.id,
        meta: {
          limit,
          offset,
          next: hasNext ? pagePath(account, pinned, offset + limit) : null,
          previous: offset > 0 ? pagePath(account, pinned, Math.max(0, offset - limit)) : null,
        },
        sessions: found.slice(0, limit).map((view) => sessionView(view, query.now, rates.decimals)),
      });
    },
  );
}
