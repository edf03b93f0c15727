import type { AccountId, Application, ApplicationId } from './model.js';

/** The application that an account has from its creation, with the defaults of contract §9. */
export function defaultApplication(uuid: ApplicationId, account: AccountId, now: number): Application {
  return {
    uuid,
    account,
    alias: 'default',
    brandName: '',
    template: '',
    codeLength: 6,
    expiry: 600,
    maxAttempts: 5,
    channels: ['sms', 'voice'],
    locale: 'en',
    appHash: '',
    domain: '',
    url: null,
    method: 'POST',
    fraudShield: 'off',
    isDefault: true,
    createdAt: now,
    updatedAt: now,
  };
}
