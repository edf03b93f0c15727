import { DecodeError, HEADER_SIZE } from './pdu.js';

/** Longest PDU that is taken: a `message_payload` of 64 KiB and the fields around it. */
export const MAX_PDU = 66_000;

/**
 * Cuts a stream of bytes into PDUs (SMPP 3.4 §3.2). Holds at most one unfinished PDU; each is a copy-free part of
 * what came where that was whole.
 */
export function createFraming(): (bytes: Buffer) => Generator<Buffer, void> {
  let chunks: Buffer[] = [];
  let held = 0;
  let wanted = 4;

  return function* frames(bytes) {
    chunks.push(bytes);
    held += bytes.length;
    if (held < wanted) return;
    let rest = chunks.length === 1 ? bytes : Buffer.concat(chunks, held);
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0);
      if (length < HEADER_SIZE || length > MAX_PDU) {
        throw new DecodeError(`a PDU of ${length} bytes: expected ${HEADER_SIZE} to ${MAX_PDU}`);
      }
      wanted = length;
      if (rest.length < length) break;
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
      wanted = 4;
    }
    chunks = rest.length > 0 ? [rest] : [];
    held = rest.length;
  };
}
