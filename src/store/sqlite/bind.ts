import { types } from 'node:util';

/** What a statement may be given. */
export type Bindable = null | string | number | bigint | Uint8Array;

/** What a statement gives back. */
export type Value = null | string | number | bigint | Buffer;

const MAX_INTEGER = 2n ** 63n - 1n;
const MIN_INTEGER = -(2n ** 63n);

/**
 * The only door to the database's binds: the driver aborts the whole process on a value of a wrong type (a
 * boolean, say), takes `undefined` for null, and cuts strings at NUL. Returns what is safe to bind.
 * @throws TypeError for anything else
 */
export function bind(value: unknown): Bindable {
  if (value === null) return null;
  switch (typeof value) {
    case 'string':
      if (value.includes('\0')) throw new TypeError('a string with a NUL character cannot be bound');
      if (!value.isWellFormed()) throw new TypeError('a string with a lone surrogate cannot be bound');
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`the number ${value} cannot be bound`);
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw new TypeError(`the number ${value} is past the exact integers`);
      }
      return value;
    case 'bigint':
      if (value > MAX_INTEGER || value < MIN_INTEGER)
        throw new TypeError('a bigint past 64 bits cannot be bound');
      return value;
    default:
      // Not `instanceof`: what merely inherits from a buffer has no bytes.
      if (types.isUint8Array(value)) {
        return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      }
      throw new TypeError(`a value of type ${typeof value} cannot be bound`);
  }
}
