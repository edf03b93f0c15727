import { randomBytes } from 'node:crypto';
import type { Store } from '#store/store.js';
import { defaultApplication } from '#verify/applications.js';
import { revealCode } from '#verify/codes.js';
import type { StartAttempt, Validate } from '#verify/commands.js';
import { Keyring, type KeyringData, keyCheck, masterKey, tokenPlace } from '#verify/keyring.js';
import type {
  AccountId,
  Application,
  ApplicationId,
  AttemptId,
  Recipient,
  Session,
  SessionId,
} from '#verify/model.js';
import { uuidv7 } from '#verify/uuid.js';

/** Everything a store needs before its first session: a key, an account, its default application. */
export interface Fixture {
  readonly keyring: Keyring;
  readonly account: AccountId;
  readonly token: string;
  readonly application: Application;
}

export const NOW = Date.UTC(2026, 0, 31, 8, 52, 39, 363);

export function newId(now = NOW): string {
  return uuidv7(now, randomBytes(10));
}

export function newKey(): KeyringData {
  const key = masterKey(new Uint8Array(randomBytes(32)));
  return { active: key.id, keys: [key] };
}

export async function seed(store: Store, data: KeyringData = newKey(), name = '0'): Promise<Fixture> {
  const keyring = new Keyring(data);
  await store.useKeyring(data);
  for (const key of data.keys) {
    await store.submit({ type: 'add-key', key: { id: key.id, check: keyCheck(key), createdAt: NOW } });
  }
  const account = `MA${name.repeat(18).slice(0, 18)}` as AccountId;
  const token = 'token-of-the-account-that-tests-use-4040';
  const application = defaultApplication(newId() as ApplicationId, account, NOW);
  await store.submit({
    type: 'create-account',
    account: {
      authId: account,
      parent: null,
      name: 'test',
      enabled: true,
      token: keyring.seal(tokenPlace(account), token, new Uint8Array(randomBytes(12))),
      previousToken: null,
      previousTokenUntil: null,
      countries: null,
      createdAt: NOW,
      modifiedAt: NOW,
    },
    application,
  });
  return { keyring, account, token, application };
}

export function start(
  fixture: Fixture,
  store: { readonly epoch: number },
  changes: Partial<StartAttempt> = {},
): StartAttempt {
  const now = changes.now ?? NOW;
  return {
    type: 'start-attempt',
    now,
    owner: store.epoch,
    session: newId(now) as SessionId,
    attempt: newId(now) as AttemptId,
    application: fixture.application,
    main: fixture.account,
    recipient: '14155551234' as Recipient,
    country: 'US',
    channel: 'sms',
    locale: 'en',
    brandName: 'Acme',
    appHash: '',
    codeLength: 6,
    otp: null,
    test: false,
    nonce: new Uint8Array(randomBytes(12)),
    url: null,
    method: null,
    dtmf: null,
    fraudCheck: 'enabled',
    src: null,
    requestorIp: '192.0.2.10',
    price: null,
    validationPrice: 0,
    carrier: 'inbox',
    failedValidationsLimit: 50,
    ...changes,
  };
}

export function validation(
  fixture: Fixture,
  session: SessionId,
  otp: string,
  changes: Partial<Validate> = {},
): Validate {
  return {
    type: 'validate',
    now: NOW + 1000,
    owner: 1,
    account: fixture.account,
    session,
    otp,
    numeric: false,
    failedValidationsLimit: 50,
    ...changes,
  };
}

export function codeOf(fixture: Fixture, session: Session): string {
  return revealCode(fixture.keyring, session.uuid, session.code);
}

/** A code that is not the session's. */
export function wrongCode(code: string): string {
  return code.replace(/.$/, (digit) => String((Number(digit) + 1) % 10));
}
