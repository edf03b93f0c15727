/** Settings of a carrier that their schema lets through but that do not fit together. Never tells a secret. */
export class SettingsError extends Error {
  /**
   * @param key the path of a key below the carrier's name
   * @param expectation what was expected there, and how to mend it
   */
  constructor(
    readonly key: string,
    readonly expectation: string,
  ) {
    super(`${key}: ${expectation}`);
    this.name = 'SettingsError';
  }
}
