import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { normaliseCallbackUrl } from '../../verify/callback-url.js';
import type { IdempotentRequest, StartAttempt, StartAttemptOutcome } from '../../verify/commands.js';
import { NONCE_BYTES } from '../../verify/keyring.js';
import type { Limits } from '../../verify/limits.js';
import type {
  Account,
  AccountId,
  Application,
  ApplicationId,
  AttemptId,
  Channel,
  SessionId,
} from '../../verify/model.js';
import { parseRecipient, recipientRefusal } from '../../verify/recipients.js';
import { isUuid, uuidv7 } from '../../verify/uuid.js';
import type { ApiContext } from '../context.js';
import {
  ApiError,
  badRequest,
  CREATE_REFUSALS,
  countryNotPermitted,
  NO_SUCH_APPLICATION,
  sendFailure,
  tooSoon,
} from '../errors.js';
import { idempotentRequest, recall } from '../idempotency.js';
import { callerAddress } from '../limits/address.js';
import { createLimits } from '../limits/creates.js';
import { refuseUnknownFields } from '../schema-errors.js';
import { CREATE_FIELDS, CreateBody } from './create-body.js';

const Answer = Type.Object({
  api_id: Type.String(),
  message: Type.String(),
  session_uuid: Type.String(),
});

/** Nothing is sealed with these when the code is derived. */
const NO_NONCE = new Uint8Array(NONCE_BYTES);

/** `POST …/Verify/Session/` → 202 (contract §2): session and attempt are durable. */
export function createSession(app: FastifyInstance, context: ApiContext): void {
  const { store, metrics, environment, keyring } = context;
  const count = createLimits(context);
  app.post<{ Body: CreateBody }>(
    '/Verify/Session/',
    { schema: { body: CreateBody, response: { 202: Answer } } },
    async (request, reply) => {
      refuseUnknownFields(request.body, CREATE_FIELDS);
      const { authId } = request.account!;
      const idempotency = idempotentRequest(authId, request.headers['idempotency-key'], request.body);
      const outcome = await accept(request, idempotency).catch(async (error: unknown) => {
        // What was accepted once is answered so again, although a limit is reached now or a setting has changed.
        if (!idempotency || !(error instanceof ApiError)) throw error;
        const known = await recall(store, idempotency, keyring.current, environment.now());
        if (known.kind === 'none') throw error;
        return known.kind === 'same'
          ? ({ kind: 'repeated', session: known.session } as const)
          : ({ kind: 'refused', reason: 'idempotency-key' } as const);
      });
      if (outcome.kind === 'cooling') return sendFailure(reply, tooSoon(outcome.wait));
      if (outcome.kind === 'refused') return sendFailure(reply, CREATE_REFUSALS[outcome.reason]);
      return reply
        .code(202)
        .send({ api_id: request.id, message: 'Session initiated', session_uuid: outcome.session });
    },
  );

  const accept = async (
    request: FastifyRequest<{ Body: CreateBody }>,
    idempotency: IdempotentRequest | undefined,
  ): Promise<StartAttemptOutcome> => {
    const { body } = request;
    const account = request.account!;
    const application = await findApplication(context, account, body.app_uuid ?? null);
    const main = account.parent ?? account.authId;
    const command = startAttempt(context, main, application, body, callerAddress(request.ip));
    const uncount = count({
      account: application.account,
      application: application.uuid,
      recipient: command.recipient,
      address: command.requestorIp,
    });
    let outcome: StartAttemptOutcome | undefined;
    try {
      outcome = await store.submit({ ...command, idempotency });
    } finally {
      // A repeat sends nothing, and what could not be stored will be asked for again.
      if (outcome === undefined || outcome.kind === 'repeated') uncount();
    }
    if (outcome.kind === 'started') {
      metrics.sessions.inc({ event: outcome.isNew ? 'started' : 'resumed' });
      metrics.attempts.inc({ channel: command.channel, status: 'queued' });
    }
    return outcome;
  };
}

async function findApplication(
  context: ApiContext,
  account: Account,
  wanted: string | null,
): Promise<Application> {
  const { directory } = context;
  let application: Application | null = null;
  if (wanted === null) application = await directory.defaultApplication(account.authId);
  else if (isUuid(wanted.toLowerCase())) {
    application = await directory.application(wanted.toLowerCase() as ApplicationId);
  }
  if (application?.account !== account.authId) throw new ApiError(NO_SUCH_APPLICATION);
  return application;
}

/** The command for what was asked, each value the caller's own or else the application's. */
function startAttempt(
  context: ApiContext,
  main: AccountId,
  application: Application,
  body: CreateBody,
  address: string,
): StartAttempt {
  const { environment, store, limits, plan } = context;
  const channel = body.channel ?? 'sms';
  const { recipient, country } = readRecipient(body.recipient ?? null, channel, limits.countries);
  if (!application.channels.includes(channel)) {
    throw badRequest(`channel ${channel} is not enabled on this application`);
  }
  const test = application.testNumbers.find((each) => each.recipient === recipient);
  const otp = test?.otp ?? body.otp ?? null;
  const now = environment.now();
  const attempt = uuidv7(now, environment.randomBytes(10)) as AttemptId;
  const { uuid, alias } = application;
  const src = body.src ?? null;
  return {
    type: 'start-attempt',
    now,
    owner: store.epoch,
    session: uuidv7(now, environment.randomBytes(10)) as SessionId,
    attempt,
    application: {
      uuid: application.uuid,
      account: application.account,
      alias: application.alias,
      expiry: application.expiry,
      maxAttempts: application.maxAttempts,
      resendCooldown: application.resendCooldown,
      template: application.template,
      domain: application.domain,
      url: application.url,
      method: application.method,
    },
    main,
    recipient,
    country,
    channel,
    locale: body.locale ?? application.locale,
    brandName: body.brand_name ?? application.brandName,
    appHash: body.app_hash ?? application.appHash,
    // .NET sends 0 when the caller set none (contract §8).
    codeLength: body.code_length || application.codeLength,
    otp,
    test: test !== undefined,
    nonce: otp === null ? NO_NONCE : environment.randomBytes(NONCE_BYTES),
    url: readUrl(body.url ?? null),
    method: body.method ?? null,
    // Voice only: a program that sets it on every create may still fall back to SMS.
    dtmf: channel === 'voice' ? (body.dtmf ?? null) : null,
    fraudCheck: body.fraud_check ?? (body.check_fs === false ? 'disabled' : 'enabled'),
    src,
    requestorIp: address,
    carrier: plan({ channel, recipient, country, application: uuid, alias, src, attempt }),
    failedValidationsLimit: limits.failedValidationsPerRecipient,
  };
}

function readRecipient(value: string | number | null, channel: Channel, countries: Limits['countries']) {
  if (value === null) throw badRequest('recipient is required');
  const parsed = parseRecipient(String(value));
  if (!parsed) throw badRequest('recipient is not a valid phone number in international format');
  const refusal = recipientRefusal(parsed, channel);
  if (refusal !== null) throw badRequest(`recipient ${refusal}`);
  const { country } = parsed;
  if (countries && !(country !== null && countries.includes(country))) throw countryNotPermitted(country);
  return parsed;
}

function readUrl(value: string | null): string | null {
  if (value === null) return null;
  const check = normaliseCallbackUrl(value);
  if (!check.ok) throw badRequest(`url ${check.why}`);
  return check.url;
}
