import type {
  Account,
  Application,
  Attempt,
  Callback,
  Channel,
  Hop,
  IdempotencyRow,
  LiveSession,
  MasterKeyRow,
  RecipientBudget,
  Sealed,
  Session,
} from '../../verify/model.js';
import type { TableName, Tables } from '../working-set.js';
import type { Value } from './bind.js';

/** How rows of one table become columns and back. */
export interface Codec<Row> {
  readonly table: string;
  /** Columns of the primary key. */
  readonly key: readonly string[];
  /** Columns that may change after the insert. */
  readonly mutable: readonly string[];
  /** Every column, in the order of `decode`, with its value. Values go through `bind` before they are bound. */
  readonly columns: Readonly<Record<string, (row: Row) => unknown>>;
  decode(values: readonly Value[]): Row;
}

const bytes = (value: Value): Uint8Array => new Uint8Array(value as Buffer);
const flag = (value: boolean): number => (value ? 1 : 0);
const sealed = (keyId: Value, box: Value): Sealed | null =>
  keyId === null ? null : { keyId: keyId as Sealed['keyId'], box: bytes(box!) };

const account: Codec<Account> = {
  table: 'account',
  key: ['auth_id'],
  mutable: [
    'name',
    'enabled',
    'token_key',
    'token',
    'previous_token_key',
    'previous_token',
    'previous_token_until',
    'modified_at',
  ],
  columns: {
    auth_id: (row) => row.authId,
    parent: (row) => row.parent,
    name: (row) => row.name,
    enabled: (row) => flag(row.enabled),
    token_key: (row) => row.token.keyId,
    token: (row) => row.token.box,
    previous_token_key: (row) => row.previousToken?.keyId ?? null,
    previous_token: (row) => row.previousToken?.box ?? null,
    previous_token_until: (row) => row.previousTokenUntil,
    created_at: (row) => row.createdAt,
    modified_at: (row) => row.modifiedAt,
  },
  decode: (v) =>
    ({
      authId: v[0],
      parent: v[1],
      name: v[2],
      enabled: v[3] === 1,
      token: sealed(v[4]!, v[5]!),
      previousToken: sealed(v[6]!, v[7]!),
      previousTokenUntil: v[8],
      createdAt: v[9],
      modifiedAt: v[10],
    }) as Account,
};

const application: Codec<Application> = {
  table: 'application',
  key: ['uuid'],
  mutable: [
    'alias',
    'brand_name',
    'template',
    'code_length',
    'expiry',
    'max_attempts',
    'channels',
    'locale',
    'app_hash',
    'url',
    'method',
    'fraud_shield',
    'is_default',
    'updated_at',
  ],
  columns: {
    uuid: (row) => row.uuid,
    account: (row) => row.account,
    alias: (row) => row.alias,
    brand_name: (row) => row.brandName,
    template: (row) => row.template,
    code_length: (row) => row.codeLength,
    expiry: (row) => row.expiry,
    max_attempts: (row) => row.maxAttempts,
    channels: (row) => row.channels.join(','),
    locale: (row) => row.locale,
    app_hash: (row) => row.appHash,
    url: (row) => row.url,
    method: (row) => row.method,
    fraud_shield: (row) => row.fraudShield,
    is_default: (row) => flag(row.isDefault),
    created_at: (row) => row.createdAt,
    updated_at: (row) => row.updatedAt,
  },
  decode: (v) =>
    ({
      uuid: v[0],
      account: v[1],
      alias: v[2],
      brandName: v[3],
      template: v[4],
      codeLength: v[5],
      expiry: v[6],
      maxAttempts: v[7],
      channels: (v[8] as string).split(',') as Channel[],
      locale: v[9],
      appHash: v[10],
      url: v[11],
      method: v[12],
      fraudShield: v[13],
      isDefault: v[14] === 1,
      createdAt: v[15],
      updatedAt: v[16],
    }) as unknown as Application,
};

const session: Codec<Session> = {
  table: 'session',
  key: ['uuid'],
  mutable: [
    'channel',
    'locale',
    'status',
    'code_key',
    'code_length',
    'code_sealed',
    'url',
    'method',
    'attempts',
    'validations',
    'updated_at',
  ],
  columns: {
    uuid: (row) => row.uuid,
    account: (row) => row.account,
    application: (row) => row.application,
    alias: (row) => row.alias,
    recipient: (row) => row.recipient,
    country: (row) => row.country,
    channel: (row) => row.channel,
    locale: (row) => row.locale,
    status: (row) => row.status,
    code_key: (row) => row.code.keyId,
    code_length: (row) => row.code.length,
    code_sealed: (row) => row.code.sealed,
    url: (row) => row.url,
    method: (row) => row.method,
    max_attempts: (row) => row.maxAttempts,
    attempts: (row) => row.attempts,
    validations: (row) => row.validations,
    requestor_ip: (row) => row.requestorIp,
    expires_at: (row) => row.expiresAt,
    created_at: (row) => row.createdAt,
    updated_at: (row) => row.updatedAt,
  },
  decode: (v) =>
    ({
      uuid: v[0],
      account: v[1],
      application: v[2],
      alias: v[3],
      recipient: v[4],
      country: v[5],
      channel: v[6],
      locale: v[7],
      status: v[8],
      code: { keyId: v[9], length: v[10], sealed: v[11] === null ? null : bytes(v[11]!) },
      url: v[12],
      method: v[13],
      maxAttempts: v[14],
      attempts: v[15],
      validations: v[16],
      requestorIp: v[17],
      expiresAt: v[18],
      createdAt: v[19],
      updatedAt: v[20],
    }) as Session,
};

const live: Codec<LiveSession> = {
  table: 'live_session',
  key: ['application', 'recipient'],
  mutable: ['session', 'expires_at'],
  columns: {
    application: (row) => row.application,
    recipient: (row) => row.recipient,
    session: (row) => row.session,
    expires_at: (row) => row.expiresAt,
  },
  decode: (v) => ({ application: v[0], recipient: v[1], session: v[2], expiresAt: v[3] }) as LiveSession,
};

const attempt: Codec<Attempt> = {
  table: 'attempt',
  key: ['uuid'],
  mutable: [
    'status',
    'error_code',
    'delivery',
    'owner',
    'carrier',
    'hop',
    'tries',
    'next_at',
    'takeovers',
    'callbacks_made',
    'callbacks_settled',
    'updated_at',
  ],
  columns: {
    uuid: (row) => row.uuid,
    session: (row) => row.session,
    account: (row) => row.account,
    sequence: (row) => row.sequence,
    channel: (row) => row.channel,
    status: (row) => row.status,
    error_code: (row) => row.errorCode,
    locale: (row) => row.locale,
    brand_name: (row) => row.brandName,
    app_hash: (row) => row.appHash,
    template: (row) => row.template,
    dtmf: (row) => row.dtmf,
    fraud_check: (row) => row.fraudCheck,
    src: (row) => row.src,
    delivery: (row) => row.delivery,
    owner: (row) => row.owner,
    carrier: (row) => row.carrier,
    hop: (row) => row.hop,
    tries: (row) => row.tries,
    next_at: (row) => row.nextAt,
    takeovers: (row) => row.takeovers,
    callbacks_made: (row) => row.callbacksMade,
    callbacks_settled: (row) => row.callbacksSettled,
    created_at: (row) => row.createdAt,
    updated_at: (row) => row.updatedAt,
  },
  decode: (v) =>
    ({
      uuid: v[0],
      session: v[1],
      account: v[2],
      sequence: v[3],
      channel: v[4],
      status: v[5],
      errorCode: v[6],
      locale: v[7],
      brandName: v[8],
      appHash: v[9],
      template: v[10],
      dtmf: v[11],
      fraudCheck: v[12],
      src: v[13],
      delivery: v[14],
      owner: v[15],
      carrier: v[16],
      hop: v[17],
      tries: v[18],
      nextAt: v[19],
      takeovers: v[20],
      callbacksMade: v[21],
      callbacksSettled: v[22],
      createdAt: v[23],
      updatedAt: v[24],
    }) as Attempt,
};

const hop: Codec<Hop> = {
  table: 'hop',
  key: ['attempt', 'number'],
  mutable: ['carrier', 'message_id', 'state', 'reason', 'error_code', 'updated_at'],
  columns: {
    attempt: (row) => row.attempt,
    number: (row) => row.number,
    carrier: (row) => row.carrier,
    message_id: (row) => row.messageId,
    state: (row) => row.state,
    reason: (row) => row.reason,
    error_code: (row) => row.errorCode,
    created_at: (row) => row.createdAt,
    updated_at: (row) => row.updatedAt,
  },
  decode: (v) =>
    ({
      attempt: v[0],
      number: v[1],
      carrier: v[2],
      messageId: v[3],
      state: v[4],
      reason: v[5],
      errorCode: v[6],
      createdAt: v[7],
      updatedAt: v[8],
    }) as Hop,
};

const callback: Codec<Callback> = {
  table: 'callback',
  key: ['attempt', 'sequence'],
  mutable: ['state', 'owner', 'tries', 'next_at', 'http_status', 'reason', 'updated_at'],
  columns: {
    attempt: (row) => row.attempt,
    sequence: (row) => row.sequence,
    session: (row) => row.session,
    account: (row) => row.account,
    url: (row) => row.url,
    method: (row) => row.method,
    host: (row) => row.host,
    body: (row) => row.body,
    state: (row) => row.state,
    owner: (row) => row.owner,
    tries: (row) => row.tries,
    next_at: (row) => row.nextAt,
    http_status: (row) => row.httpStatus,
    reason: (row) => row.reason,
    created_at: (row) => row.createdAt,
    updated_at: (row) => row.updatedAt,
  },
  decode: (v) =>
    ({
      attempt: v[0],
      sequence: v[1],
      session: v[2],
      account: v[3],
      url: v[4],
      method: v[5],
      host: v[6],
      body: v[7],
      state: v[8],
      owner: v[9],
      tries: v[10],
      nextAt: v[11],
      httpStatus: v[12],
      reason: v[13],
      createdAt: v[14],
      updatedAt: v[15],
    }) as Callback,
};

const budget: Codec<RecipientBudget> = {
  table: 'recipient_budget',
  key: ['account', 'recipient'],
  mutable: ['failures'],
  columns: {
    account: (row) => row.account,
    recipient: (row) => row.recipient,
    failures: (row) => JSON.stringify(row.failures),
  },
  decode: (v) =>
    ({
      account: v[0],
      recipient: v[1],
      failures: JSON.parse(v[2] as string) as number[],
    }) as unknown as RecipientBudget,
};

const idempotency: Codec<IdempotencyRow> = {
  table: 'idempotency',
  key: ['key'],
  mutable: ['fingerprint', 'key_id', 'session', 'created_at'],
  columns: {
    key: (row) => row.key,
    fingerprint: (row) => row.fingerprint,
    key_id: (row) => row.keyId,
    session: (row) => row.session,
    created_at: (row) => row.createdAt,
  },
  decode: (v) =>
    ({
      key: v[0],
      fingerprint: bytes(v[1]!),
      keyId: v[2],
      session: v[3],
      createdAt: v[4],
    }) as IdempotencyRow,
};

const key: Codec<MasterKeyRow> = {
  table: 'master_key',
  key: ['id'],
  mutable: ['state'],
  columns: {
    id: (row) => row.id,
    check_value: (row) => row.check,
    state: (row) => row.state,
    created_at: (row) => row.createdAt,
  },
  decode: (v) => ({ id: v[0], check: bytes(v[1]!), state: v[2], createdAt: v[3] }) as MasterKeyRow,
};

/** The codec of each table. */
export const CODECS: { readonly [T in TableName]: Codec<Tables[T]> } = {
  account,
  application,
  session,
  live,
  attempt,
  hop,
  callback,
  budget,
  idempotency,
  key,
};
