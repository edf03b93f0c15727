/** A JSON pointer (RFC 6901), taken apart once. */
export type Pointer = (document: unknown) => unknown;

/** What a pointer may look like. */
export const POINTER = '^(/([^~/]|~[01])*)*$';

/** Reads own properties only; undefined where the document has nothing there. */
export function compilePointer(text: string): Pointer {
  const keys = text
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  return (document) => {
    let value = document;
    for (const key of keys) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
      value = (value as Record<string, unknown>)[key];
    }
    return value;
  };
}
