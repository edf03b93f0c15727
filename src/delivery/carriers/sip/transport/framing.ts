import { endOfHead, lengthOf, MAX_HEAD, MAX_MESSAGE, readHead } from '../message/parse.js';

/** What a stream holds: a message, or the ping of RFC 5626 §3.5.1 (two line ends). */
export type Frame = { readonly kind: 'message'; readonly bytes: Buffer } | { readonly kind: 'ping' };

/**
 * Cuts a stream into messages by `Content-Length` (RFC 3261 §18.3). Returns what has become whole; null when the
 * stream makes no sense and must be closed, as nobody knows where its next message begins.
 */
export function createFraming(): (chunk: Buffer) => Frame[] | null {
  let held: Buffer = Buffer.alloc(0);
  let broken = false;
  let wanted = 0;
  return (chunk) => {
    if (broken) return null;
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const frames: Frame[] = [];
    // A message that comes in many pieces is looked at again only when it can be whole.
    while (held.length > 0 && held.length >= wanted) {
      if (held[0] === 0x0d || held[0] === 0x0a) {
        const isPing = held.length >= 4 && held.toString('latin1', 0, 4) === '\r\n\r\n';
        if (!isPing && held.length < 4 && /^[\r\n]+$/.test(held.toString('latin1'))) break;
        if (isPing) frames.push({ kind: 'ping' });
        held = held.subarray(isPing ? 4 : held[1] === 0x0a ? 2 : 1);
        continue;
      }
      const size = sizeOf(held);
      if (size === null) {
        broken = true;
        return null;
      }
      wanted = size;
      if (size === 0 || held.length < size) break;
      frames.push({ kind: 'message', bytes: held.subarray(0, size) });
      held = held.subarray(size);
      wanted = 0;
    }
    return frames;
  };
}

/** Bytes of the message that begins here; 0: not known yet; null: never. */
function sizeOf(data: Buffer): number | null {
  const end = endOfHead(data);
  if (!end) return data.length > MAX_HEAD ? null : 0;
  const head = end.head > MAX_HEAD ? null : readHead(data.toString('utf8', 0, end.head));
  if (head === null || typeof head === 'string' || !/SIP\/2\.0/i.test(head.startLine)) return null;
  const length = lengthOf(head.headers);
  // RFC 3261 §18.3: over streams the length is required; without a body many leave it out.
  if (length === 'bad' || end.body + (length ?? 0) > MAX_MESSAGE) return null;
  return end.body + (length ?? 0);
}
