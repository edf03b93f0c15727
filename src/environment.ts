import { randomBytes as cryptoRandomBytes } from 'node:crypto';

/** A pending timer; cancelling one that has fired, or twice, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time, randomness and timers. Every room takes it as an argument instead of reading
 * globals, so that the simulation can run days in seconds, repeatably from a seed.
 */
export interface Environment {
  /** Wall-clock time, in milliseconds since 1970-01-01T00:00Z. May jump; use it for what is stored or shown. */
  now(): number;
  /** Time that never jumps, in milliseconds from an arbitrary start. Use it to measure and to fence. */
  monotonic(): number;
  /** `size` unpredictable bytes, fit for keys, nonces and ids. */
  randomBytes(size: number): Uint8Array;
  /** Runs `task` once, `delay` milliseconds from now (at least 0). */
  after(delay: number, task: () => void): Timer;
}

/** The real clock, the operating system's randomness, and timers that do not keep the process alive. */
export const systemEnvironment: Environment = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  randomBytes: pooledRandomBytes(),
  after(delay, task) {
    const handle = setTimeout(task, Math.max(0, delay));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** One system call per 4 KiB instead of one per id; bytes are handed out once and wiped from the pool. */
function pooledRandomBytes(): (size: number) => Uint8Array {
  const capacity = 4096;
  let pool = Buffer.alloc(0);
  let used = 0;
  return (size) => {
    if (size > capacity) return cryptoRandomBytes(size);
    if (used + size > pool.length) {
      pool = cryptoRandomBytes(capacity);
      used = 0;
    }
    const bytes = Uint8Array.prototype.slice.call(pool, used, used + size);
    pool.fill(0, used, used + size);
    used += size;
    return bytes;
  };
}

/** Resolves `delay` milliseconds from now by the environment's clock. */
export function sleep(environment: Environment, delay: number): Promise<void> {
  return new Promise((resolve) => environment.after(delay, resolve));
}
