import smpp, { type FieldType } from 'smpp';

/** A protocol data unit, SMPP 3.4 §3.2. */
export interface Pdu {
  /** Such as `submit_sm`; `unknown` for a command that SMPP 5.0 does not know. */
  readonly command: string;
  readonly commandId: number;
  readonly status: number;
  readonly sequence: number;
  /** Mandatory fields: numbers, strings, and `short_message` as bytes. A response may leave them all out. */
  readonly fields: Fields;
  /** Optional parameters as bytes; of one that comes twice, the first. */
  readonly tlvs: ReadonlyMap<number, Buffer>;
}

export type Fields = Readonly<Record<string, string | number | Buffer>>;
export type Tlvs = Iterable<readonly [tag: number, value: Buffer]>;

/** What came cannot be understood, so that nothing after it can be trusted. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export const HEADER_SIZE = 16;
const RESPONSE = 0x80000000;

const EMPTY: ReadonlyMap<number, Buffer> = new Map();

interface Field {
  readonly name: string;
  readonly type: FieldType;
}

/** Commands of the library by id. Those whose fields are lists are nothing that an ESME of ours sends or takes. */
const LAYOUTS: ReadonlyMap<number, { readonly command: string; readonly fields: readonly Field[] }> = new Map(
  Object.values(smpp.commands)
    .filter(({ command }) => !command.startsWith('submit_multi'))
    .map(({ id, command, params = {} }) => [
      id,
      { command, fields: Object.entries(params).map(([name, { type }]) => ({ name, type })) },
    ]),
);

const RESPONSES: ReadonlyMap<string, string> = new Map(
  [...LAYOUTS.values()]
    .map(({ command }) => [command, `${command}_resp`] as const)
    .filter(([, response]) => response in smpp.commands),
);

/** The name of the response to a command; null when it has none. */
export function responseTo(command: string): string | null {
  return RESPONSES.get(command) ?? null;
}

export function isResponse({ commandId }: Pdu): boolean {
  return commandId >= RESPONSE;
}

/**
 * Bytes of a PDU. The library's field types write it, not its `PDU` class, which cannot write optional parameters
 * that it does not know and encodes texts after rules of its own. Fields that are not given are empty or 0.
 */
export function encodePdu(
  command: string,
  { status = 0, sequence, fields = {}, tlvs = [] }: PduContent,
): Buffer {
  const { id, params = {} } = smpp.commands[command]!;
  const layout = LAYOUTS.get(id)?.fields ?? [];
  // A response that tells an error has no body (§4.4.2 and others).
  const hasBody = status === 0 && Object.keys(params).length > 0;
  const values = hasBody ? layout.map(({ name, type }) => fields[name] ?? type.default) : [];
  let size = HEADER_SIZE;
  for (let index = 0; index < values.length; index++) size += layout[index]!.type.size(values[index]);
  for (const [, value] of tlvs) size += 4 + value.length;

  const buffer = Buffer.alloc(size);
  buffer.writeUInt32BE(size, 0);
  buffer.writeUInt32BE(id, 4);
  buffer.writeUInt32BE(status, 8);
  buffer.writeUInt32BE(sequence, 12);
  let offset = HEADER_SIZE;
  for (let index = 0; index < values.length; index++) {
    const { type } = layout[index]!;
    type.write(values[index], buffer, offset);
    offset += type.size(values[index]);
  }
  for (const [tag, value] of tlvs) {
    buffer.writeUInt16BE(tag, offset);
    buffer.writeUInt16BE(value.length, offset + 2);
    value.copy(buffer, offset + 4);
    offset += 4 + value.length;
  }
  return buffer;
}

export interface PduContent {
  readonly status?: number;
  readonly sequence: number;
  readonly fields?: Fields;
  readonly tlvs?: Tlvs;
}

/**
 * Reads one PDU from exactly its bytes. Texts and optional parameters stay bytes: the library's `PDU` class reads
 * strings of TLVs past their end where the final NUL is missing, and decodes short messages by a fixed
 * alphabet, which changes `_` and `@` in the message ids of receipts.
 * @throws DecodeError when a field or parameter is longer than the PDU
 */
export function decodePdu(frame: Buffer): Pdu {
  const commandId = frame.readUInt32BE(4);
  const status = frame.readUInt32BE(8);
  const sequence = frame.readUInt32BE(12);
  const layout = LAYOUTS.get(commandId);
  const header = { command: layout?.command ?? 'unknown', commandId, status, sequence };
  if (!layout || frame.length === HEADER_SIZE) return { ...header, fields: {}, tlvs: EMPTY };

  const fields: Record<string, string | number | Buffer> = {};
  let offset = HEADER_SIZE;
  for (const { name, type } of layout.fields) {
    // Some SMSCs leave out the last fields of a response, and what an error response holds is nobody's concern.
    if (offset === frame.length && commandId >= RESPONSE) break;
    const value = readField(type, frame, offset, `${layout.command}.${name}`);
    fields[name] = value;
    const cut = Buffer.isBuffer(value) && value.length < frame.readUInt8(offset);
    offset += type.size(value);
    // Some SMSCs leave out the NUL after the last field of a response.
    if (offset === frame.length + 1 && commandId >= RESPONSE && !cut) offset--;
    if (cut || offset > frame.length) {
      throw new DecodeError(`${layout.command}: ${name} goes past the end of the PDU`);
    }
  }
  return { ...header, fields, tlvs: readTlvs(frame, offset, layout.command) };
}

function readField(type: FieldType, frame: Buffer, offset: number, what: string): string | number | Buffer {
  try {
    return type.read(frame, offset) as string | number | Buffer;
  } catch {
    throw new DecodeError(`${what} is missing`);
  }
}

function readTlvs(frame: Buffer, start: number, command: string): ReadonlyMap<number, Buffer> {
  if (start === frame.length) return EMPTY;
  const tlvs = new Map<number, Buffer>();
  let offset = start;
  // Up to three bytes of padding after the last one are seen in the wild.
  while (offset + 4 <= frame.length) {
    const tag = frame.readUInt16BE(offset);
    const end = offset + 4 + frame.readUInt16BE(offset + 2);
    if (end > frame.length) throw new DecodeError(`${command}: a TLV goes past the end of the PDU`);
    if (!tlvs.has(tag)) tlvs.set(tag, frame.subarray(offset + 4, end));
    offset = end;
  }
  return tlvs;
}
