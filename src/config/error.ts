const MAX_LENGTH = 600;

/** A bad value in the configuration. The message is one line: the key, and what was expected; never a secret. */
export class ConfigError extends Error {
  /**
   * @param key the environment variable, or the path of a key in `countersign.yaml`
   * @param expectation what was expected there, and how to mend it
   */
  constructor(
    readonly key: string,
    expectation: string,
  ) {
    super(oneLine(`${key}: ${expectation}`));
    this.name = 'ConfigError';
  }
}

/** Keys come from outside: control characters go, and the length is bounded. */
function oneLine(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return plain.length > MAX_LENGTH ? `${plain.slice(0, MAX_LENGTH)}…` : plain;
}
