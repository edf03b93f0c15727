import { Type } from 'typebox';
import { CHANNELS } from '../../verify/model.js';
import { apiId, optionalText, time, uuid } from '../wire.js';

const FIELDS = {
  app_uuid: uuid('the application'),
  account: Type.String({ description: 'the auth id of its account' }),
  alias: Type.String(),
  brand_name: Type.String(),
  template: Type.String({ description: 'empty: the default message in the locale of each attempt' }),
  code_length: Type.Integer(),
  expiry: Type.Integer({ description: 'seconds' }),
  max_attempts: Type.Integer(),
  channels: Type.Array(Type.String({ enum: [...CHANNELS] })),
  locale: Type.String(),
  app_hash: Type.String({ description: 'empty: none' }),
  domain: Type.String({ description: 'empty: none' }),
  url: optionalText('where status callbacks go that name no other; null: none'),
  method: Type.String({ enum: ['POST', 'GET'] }),
  fraud_shield: Type.String({
    enum: ['high', 'medium', 'low', 'off'],
    description: 'without effect in this version',
  }),
  resend_cooldown: Type.Integer({ description: 'seconds' }),
  test_numbers: Type.Array(Type.Object({ recipient: Type.String(), otp: Type.String() })),
  confirm_by_key: Type.Boolean({
    description: 'whether calls ask to press 1, which verifies the session, and speak no code',
  }),
  number_types: Type.Array(Type.String()),
  is_default: Type.Boolean(),
  created_at: time('when it was created'),
  updated_at: time('when it was changed last'),
};

/** An application on the wire (contract §9): in a list, alone, and as the answer to a change. */
export const ListedApplication = Type.Object(FIELDS);
export const RetrievedApplication = Type.Object({ api_id: apiId, ...FIELDS });
export const ChangedApplication = Type.Object({
  api_id: apiId,
  message: Type.String({ enum: ['created', 'changed'] }),
  ...FIELDS,
});
