import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  readonly text: string;
}

/** Seconds within which the server must have answered everything and closed. */
const PATIENCE = 60;

/**
 * Writes bytes to a connection of their own and resolves to all that is answered until the server closes it.
 * @param silence milliseconds of silence after which the server is told that no more comes; null: never, as the requests
 *   end where they say
 * @param bodiless whether the answer of this number has no body, as one to HEAD
 * @returns `reset`: the server closed while more was being written, and answers may be lost
 */
export function exchange(
  port: number,
  bytes: Buffer,
  silence: number | null,
  bodiless: (index: number) => boolean,
): Promise<{ readonly answers: readonly RawAnswer[]; readonly reset: boolean }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let reset = false;
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const patience = setTimeout(() => {
      socket.destroy(new Error('no end'));
      reject(
        new Error(`no end within ${PATIENCE} s; so far: ${String(Buffer.concat(chunks)).slice(0, 300)}`),
      );
    }, PATIENCE * 1000);
    if (silence !== null) socket.setTimeout(silence, () => socket.end());
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {
      reset = true;
    });
    socket.on('close', () => {
      clearTimeout(patience);
      try {
        resolve({ answers: parse(Buffer.concat(chunks), bodiless), reset });
      } catch (error) {
        reject(error);
      }
    });
  });
}

function parse(bytes: Buffer, bodiless: (index: number) => boolean): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([1-5][0-9]{2}) /.exec(first)?.[1]);
    if (end < 0 || Number.isNaN(status))
      throw new Error(`not an answer: ${rest.toString('latin1').slice(0, 200)}`);
    rest = rest.subarray(end + 4);
    if (status === 100) continue;
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    if (headers.has('transfer-encoding')) throw new Error('an answer in chunks');
    const hasBody = !bodiless(answers.length) && status !== 204 && status !== 304;
    const length = hasBody ? Number(headers.get('content-length')) : 0;
    if (Number.isNaN(length) || rest.length < length) throw new Error(`an answer ${status} that is cut off`);
    answers.push({
      status,
      header: (name) => headers.get(name) ?? null,
      text: rest.subarray(0, length).toString('utf8'),
    });
    rest = rest.subarray(length);
  }
  return answers;
}
