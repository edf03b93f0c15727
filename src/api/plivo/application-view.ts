import { Type } from 'typebox';

const FIELDS = {
  app_uuid: Type.String(),
  account: Type.String(),
  alias: Type.String(),
  brand_name: Type.String(),
  template: Type.String(),
  code_length: Type.Integer(),
  expiry: Type.Integer(),
  max_attempts: Type.Integer(),
  channels: Type.Array(Type.String()),
  locale: Type.String(),
  app_hash: Type.String(),
  domain: Type.String(),
  url: Type.Unsafe<string | null>({ type: 'string', nullable: true }),
  method: Type.String(),
  fraud_shield: Type.String(),
  resend_cooldown: Type.Integer(),
  test_numbers: Type.Array(Type.Object({ recipient: Type.String(), otp: Type.String() })),
  number_types: Type.Array(Type.String()),
  is_default: Type.Boolean(),
  created_at: Type.String(),
  updated_at: Type.String(),
};

/** An application on the wire (contract §9): in a list, alone, and as the answer to a change. */
export const ListedApplication = Type.Object(FIELDS);
export const RetrievedApplication = Type.Object({ api_id: Type.String(), ...FIELDS });
export const ChangedApplication = Type.Object({
  api_id: Type.String(),
  message: Type.String(),
  ...FIELDS,
});
