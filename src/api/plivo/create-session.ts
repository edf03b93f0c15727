import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { normaliseCallbackUrl } from '../../verify/callback-url.js';
import type { IdempotentRequest, StartAttempt, StartAttemptOutcome } from '../../verify/commands.js';
import { NONCE_BYTES } from '../../verify/keyring.js';
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
  UNAUTHORIZED,
} from '../errors.js';
import { IDEMPOTENCY_KEY, idempotentRequest, recall } from '../idempotency.js';
import { callerAddress } from '../limits/address.js';
import { createLimits } from '../limits/creates.js';
import type { Operation } from '../reference/operation.js';
import { refuseUnknownFields } from '../schema-errors.js';
import { apiId, uuid } from '../wire.js';
import { CREATE_FIELDS, CreateBody } from './create-body.js';

const Answer = Type.Object({
  api_id: apiId,
  message: Type.String({ enum: ['Session initiated'] }),
  session_uuid: uuid('the session, for validate and retrieve'),
});

/** Nothing is sealed with these when the code is derived. */
const NO_NONCE = new Uint8Array(NONCE_BYTES);

const OPERATION: Operation = {
  id: 'createSession',
  tag: 'Sessions',
  summary: 'Create a session: send a code',
  description:
    'Session and attempt are durable when this is answered; delivery happens after. While the code for an application and recipient is live, a create adds an attempt to that session and sends the same code.',
  headers: { 'Idempotency-Key': IDEMPOTENCY_KEY },
  body: {
    rules: { required: ['recipient'], additionalProperties: { type: 'null' } },
    examples: {
      'a code by SMS': { recipient: '+14155551234', brand_name: 'Acme' },
      'a code by voice, with callbacks': {
        recipient: '+14155551234',
        channel: 'voice',
        locale: 'es',
        url: 'https://example.com/status',
      },
    },
  },
  answers: {
    202: {
      description: 'The session is initiated.',
      example: {
        api_id: '6fb4d3a1-7f0a-4c5f-9d39-0f8c1e0c5a11',
        message: 'Session initiated',
        session_uuid: '019c12d2-7ba3-7a02-b1d5-2c9f8e7d6a50',
      },
    },
  },
  errors: {
    400: 'A field is missing, unknown or not what it should be; the recipient is of a kind that is refused; a maximum is reached.',
    403: "The recipient's country is not permitted.",
    404: '`app_uuid` names no application of this account.',
    409: 'The `Idempotency-Key` was used with another body.',
    429: 'A limit is reached, or the last attempt was a moment ago, or too many authentications failed.',
  },
};

/** `POST …/Verify/Session/` → 202 (contract §2): session and attempt are durable. */
export function createSession(app: FastifyInstance, context: ApiContext): void {
  const { store, metrics, environment, keyring } = context;
  const count = createLimits(context);
  app.post<{ Body: CreateBody }>(
    '/Verify/Session/',
    { schema: { body: CreateBody, response: { 202: Answer } }, config: { operation: OPERATION } },
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
    const countries = await permittedCountries(context, account);
    const command = startAttempt(context, main, application, countries, body, callerAddress(request.ip));
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
  countries: CountryLists,
  body: CreateBody,
  address: string,
): StartAttempt {
  const { environment, store, limits, rates, plan } = context;
  const channel = body.channel ?? 'sms';
  const { recipient, country } = readRecipient(body.recipient ?? null, channel, application, countries);
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
      confirmByKey: application.confirmByKey,
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
    price: rates.price(channel, recipient),
    validationPrice: rates.validation,
    carrier: plan({ channel, recipient, country, application: uuid, alias, src, attempt }),
    failedValidationsLimit: limits.failedValidationsPerRecipient,
  };
}

/** Lists of countries, each of which must have the recipient's; null permits all. */
type CountryLists = readonly (readonly string[] | null)[];

/** What the server, the account and, above a subaccount, its main account permit. */
async function permittedCountries(context: ApiContext, account: Account): Promise<CountryLists> {
  const own = [context.limits.countries, account.countries];
  if (account.parent === null) return own;
  const main = await context.directory.account(account.parent);
  // It was there when the caller was let in.
  if (!main) throw new ApiError(UNAUTHORIZED);
  return [...own, main.account.countries];
}

function readRecipient(
  value: string | number | null,
  channel: Channel,
  application: Application,
  countries: CountryLists,
) {
  if (value === null) throw badRequest('recipient is required');
  const parsed = parseRecipient(String(value));
  if (!parsed) throw badRequest('recipient is not a valid phone number in international format');
  const refusal = recipientRefusal(parsed, channel, application.numberTypes);
  if (refusal !== null) throw badRequest(`recipient ${refusal}`);
  const { country } = parsed;
  for (const list of countries) {
    if (list && !(country !== null && list.includes(country))) throw countryNotPermitted(country);
  }
  return parsed;
}

function readUrl(value: string | null): string | null {
  if (value === null) return null;
  const check = normaliseCallbackUrl(value);
  if (!check.ok) throw badRequest(`url ${check.why}`);
  return check.url;
}
