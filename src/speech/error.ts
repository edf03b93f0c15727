/** Speech that cannot be used as configured: the message says which file or setting, why, and what to do. */
export class SpeechError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SpeechError';
  }
}
