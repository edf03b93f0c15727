import { Keyring, type KeyringData } from '../verify/keyring.js';

/** The keyring that this process uses at the moment; replaced as a whole when a key is added or activated. */
export class KeyringHolder {
  #keyring: Keyring | null = null;

  /** @throws Error before the first `use` */
  get current(): Keyring {
    if (!this.#keyring) throw new Error('no keyring is in use yet');
    return this.#keyring;
  }

  use(data: KeyringData): void {
    this.#keyring = new Keyring(data);
  }
}
