import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { StoreError } from '../store/store.js';
import type { ChangeOutcome, StartAttemptOutcome, ValidateOutcome } from '../verify/commands.js';
import { UnknownKeyError } from '../verify/keyring.js';

let countryNames: Intl.DisplayNames | null = null;

/** The English name of a country. Loaded when first needed: the names take megabytes. */
function countryName(code: string): string {
  countryNames ??= new Intl.DisplayNames(['en'], { type: 'region' });
  return countryNames.of(code) ?? code;
}

/** The status codes of contract §7. 408 is none of them: OkHttp would send the POST again. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 429 | 500 | 503;

/** An answer other than success: what the wire says, and nothing that it must not. */
export interface Failure {
  readonly status: ErrorStatus;
  /** One clear sentence that names the parameter. Never repeats a value. */
  readonly error: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown anywhere at the edge; answered as its failure says. */
export class ApiError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.error);
    this.name = 'ApiError';
  }
}

/** A parameter that is missing or not what it should be. */
export function badRequest(error: string): ApiError {
  return new ApiError({ status: 400, error });
}

export const UNAUTHORIZED: Failure = {
  status: 401,
  error: 'the auth id and auth token in the Authorization header are not valid for this account',
  headers: { 'www-authenticate': 'Basic realm="Countersign", charset="UTF-8"' },
};
export const UNAVAILABLE: Failure = {
  status: 503,
  error: 'the service cannot take this request now, try again shortly',
  headers: { 'retry-after': '1' },
};
export const DRAINING: Failure = {
  status: 503,
  error: 'this server is shutting down, try again shortly',
  headers: { 'retry-after': '1', connection: 'close' },
};
/** The recipient's country is not among those that are permitted (contract §2). @param country null: it has none */
export function countryNotPermitted(country: string | null): ApiError {
  const where =
    country === null
      ? 'belongs to no country, and only some countries are permitted'
      : `is in ${countryName(country)} (${country}), a country that is not permitted`;
  return new ApiError({ status: 403, error: `recipient ${where}` });
}

/** 429 with the seconds to wait, at least 1 (contract §7). @param wait milliseconds */
export function tooMany(error: string, wait: number): Failure {
  const seconds = Math.max(1, Math.ceil(wait / 1000));
  return { status: 429, error, headers: { 'retry-after': String(seconds) } };
}

export const NO_SUCH_SESSION: Failure = {
  status: 404,
  error: 'session_uuid names no session of this account',
};
export const NO_SUCH_APPLICATION: Failure = {
  status: 404,
  error: 'app_uuid names no application of this account',
};
export const NO_SUCH_CALLBACK: Failure = {
  status: 404,
  error: 'callback_id names no callback of this session',
};
export const NO_CALL_IN_INBOX: Failure = {
  status: 404,
  error: 'no call of this session in the inbox asks to press a key: its application needs confirm_by_key',
};
const TOO_WIDE: Failure = {
  status: 400,
  error: 'session_time must be narrower: of too many sessions, too few match all of these filters',
};
export const NO_SUCH_SUBACCOUNT: Failure = {
  status: 404,
  error: 'the path names no subaccount of this account',
};
export const NO_SUCH_PATH: Failure = { status: 404, error: 'there is nothing at this path' };
const INTERNAL: Failure = { status: 500, error: 'the server failed to handle this request' };

/** Why a create is refused (contract §2). */
export const CREATE_REFUSALS: Record<Extract<StartAttemptOutcome, { kind: 'refused' }>['reason'], Failure> = {
  attempts: {
    status: 400,
    error: 'the session of this recipient has reached its maximum number of attempts',
  },
  validations: {
    status: 400,
    error: 'the session of this recipient has reached its maximum number of validations',
  },
  recipient: {
    status: 400,
    error: 'recipient has reached the maximum number of failed validations in 24 hours',
  },
  'app-hash': {
    status: 400,
    error:
      'app_hash makes the message longer than the 140 bytes that Android reads: shorten the template or brand_name, or leave app_hash out',
  },
  'idempotency-key': {
    status: 409,
    error:
      'the Idempotency-Key was used in the last 24 hours with another body: use a new one for this request',
  },
};

/** The session's application wants more time between two attempts. @param wait milliseconds */
export function tooSoon(wait: number): Failure {
  return tooMany(
    'the session of this recipient had an attempt a moment ago: wait before you send another',
    wait,
  );
}

/**
 * Goes on when a change of an application or account was made.
 * @throws ApiError 409 with the reason, or `notFound`
 */
export function demandDone(outcome: ChangeOutcome, notFound: Failure): void {
  if (outcome.kind === 'not-found') throw new ApiError(notFound);
  if (outcome.kind === 'conflict') throw new ApiError({ status: 409, error: outcome.why });
}

/** Why a validation is refused (contract §3); each text has the word that clients look for. */
export const VALIDATE_REFUSALS: Record<Exclude<ValidateOutcome['kind'], 'validated'>, Failure> = {
  invalid: { status: 400, error: 'invalid OTP' },
  expired: { status: 400, error: 'the session has expired' },
  'already-verified': { status: 400, error: 'the session is already verified' },
  'too-many-validations': { status: 400, error: 'the session has reached its maximum number of validations' },
  'recipient-exhausted': {
    status: 400,
    error: 'the recipient of this session has reached the maximum number of failed validations in 24 hours',
  },
  'not-found': NO_SUCH_SESSION,
  'unknown-key': UNAVAILABLE,
};

/** What Fastify refuses on its own, by its error codes. */
const FRAMEWORK: Record<string, Failure> = {
  FST_ERR_BAD_URL: { status: 400, error: 'the path is not validly percent-encoded' },
  FST_ERR_MAX_PARAM_LENGTH: NO_SUCH_PATH,
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, error: 'the body is larger than 64 KiB' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 400, error: 'Content-Type must be application/json' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    error: 'the body is not as long as Content-Length says',
  },
};

/** How an error of any origin is answered. `defect`: it is ours, and belongs in the log. */
export function failureOf(error: unknown): { readonly failure: Failure; readonly defect: boolean } {
  if (error instanceof ApiError) return { failure: error.failure, defect: false };
  if (error instanceof UnknownKeyError) return { failure: UNAVAILABLE, defect: false };
  if (error instanceof StoreError && error.kind !== 'failed') {
    return { failure: error.kind === 'too-wide' ? TOO_WIDE : UNAVAILABLE, defect: false };
  }
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(FRAMEWORK, code) ? FRAMEWORK[code] : undefined;
  if (known) return { failure: known, defect: false };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { failure: { status: 400, error: 'the request could not be read' }, defect: false };
  }
  return { failure: INTERNAL, defect: true };
}

/** Answers with a failure in the shape of contract §7. */
export function sendFailure(reply: FastifyReply, failure: Failure): FastifyReply {
  if (failure.headers) reply.headers(failure.headers);
  return reply.code(failure.status).send({ api_id: reply.request.id, error: failure.error });
}

/** The same for what never became a request: the whole HTTP/1.1 message. */
export function rawFailure(apiId: string, failure: Failure): string {
  const body = JSON.stringify({ api_id: apiId, error: failure.error });
  return [
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...Object.entries(failure.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');
}
