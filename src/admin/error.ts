/**
 * `invalid`: the input is not as expected. `not-found`: what it names is not there. `conflict`: the state of things
 * forbids it. `unavailable`: the database is away, try again. `failed`: a defect.
 */
export const ADMIN_ERROR_KINDS = ['invalid', 'not-found', 'conflict', 'unavailable', 'failed'] as const;
export type AdminErrorKind = (typeof ADMIN_ERROR_KINDS)[number];

/** Why an operation was not done. The message is for the operator: what is wrong and what to do. */
export class AdminError extends Error {
  constructor(
    readonly kind: AdminErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'AdminError';
  }
}
