import type { FastifyReply, FastifyRequest } from 'fastify';
import { maskRecipient } from '../verify/recipients.js';
import type { ApiContext } from './context.js';

const AUTH_ID = '[MS]A[A-Z0-9]{18}';
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const USUAL_PATH = new RegExp(`^/v1/Account/${AUTH_ID}/(?:Verify/Session|Inbox)/?(?:${UUID}/?)?$`);
const SAFE_SEGMENT = new RegExp(`^(?:|v1|${AUTH_ID}|${UUID}|[A-Za-z][A-Za-z_.-]{0,15})$`);
const MAX_SEGMENTS = 12;

/**
 * The path of a request as it may be logged: without query, and every segment hidden that is not of a known
 * form, as callers do put codes, recipients and tokens there by mistake.
 */
export function loggablePath(url: string): string {
  const end = url.search(/[?#;]/);
  const path = end < 0 ? url : url.slice(0, end);
  if (USUAL_PATH.test(path)) return path;
  return path
    .slice(0, 1024)
    .split('/', MAX_SEGMENTS)
    .map((segment) => {
      if (SAFE_SEGMENT.test(segment)) return segment;
      return /^\+?[0-9]{7,15}$/.test(segment) ? maskRecipient(segment) : '•••';
    })
    .join('/');
}

/** Writes the one log line of a request and counts it. */
export function recordRequest(context: ApiContext, request: FastifyRequest, reply: FastifyReply): void {
  const elapsed = context.environment.monotonic() - request.startedAt;
  const status = reply.statusCode;
  context.metrics.requests.observe(
    { method: request.method, route: request.routeOptions.url ?? 'none', status: String(status) },
    elapsed / 1000,
  );
  if (!context.log.isLevelEnabled('info')) return;
  context.log.info({
    api_id: request.id,
    method: request.method,
    path: loggablePath(request.url),
    status,
    ms: Math.round(elapsed * 1000) / 1000,
  });
}
