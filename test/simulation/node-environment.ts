import type { Environment, Timer } from '#environment.js';

/** A node's share of the virtual time: when the node is killed, nothing that it set going ever happens. */
export class NodeEnvironment implements Environment {
  readonly #clock: Environment;
  #alive = true;

  constructor(clock: Environment) {
    this.#clock = clock;
  }

  get alive(): boolean {
    return this.#alive;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  randomBytes(size: number): Uint8Array {
    return this.#clock.randomBytes(size);
  }

  after(delay: number, task: () => void): Timer {
    return this.#clock.after(delay, () => {
      if (this.#alive) task();
    });
  }

  kill(): void {
    this.#alive = false;
  }

  /** An answer from outside that reaches the node only if it lives when it comes. */
  arrives<Value>(delay: number, value: () => Value): Promise<Value> {
    return new Promise((resolve) => this.after(delay, () => resolve(value())));
  }
}
