import type { Environment } from '../../../environment.js';
import { Connection, type ConnectionHandlers } from './connection.js';
import type { BindSettings, ConnectionSettings } from './settings.js';
import { openSocket } from './socket.js';
import { OK, statusName } from './status.js';

export type Role = 'transceiver' | 'transmitter' | 'receiver';

/** The SMSC refused a bind. */
export class BindRefused extends Error {
  override readonly name = 'BindRefused';
  /** Such as `ESME_RINVPASWD`. */
  readonly status: string;

  constructor(status: string) {
    super(`bind refused with ${status}`);
    this.status = status;
  }

  /** Whether it stays so until somebody changes a setting; trying often may lock the account. */
  get isLasting(): boolean {
    return ['ESME_RINVPASWD', 'ESME_RINVSYSID', 'ESME_RINVSYSTYP'].includes(this.status);
  }
}

export interface BindOptions {
  readonly connection: ConnectionSettings;
  readonly bind: BindSettings;
  readonly role: Role;
  readonly environment: Environment;
  readonly handlers: ConnectionHandlers;
  readonly signal: AbortSignal;
}

/**
 * Connects and binds (SMPP 3.4 §4.1). Messages may come from the first moment on.
 * @throws ConnectError, BindRefused, or Error when the connection ended before the answer
 */
export async function openBind(options: BindOptions): Promise<Connection> {
  const { connection: settings, bind, role, environment, handlers, signal } = options;
  const socket = await openSocket(settings, environment, signal);
  const connection = new Connection(socket, settings, environment, handlers);
  const abort = () => connection.close('stopped');
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const { ton, npi, range } = bind.addressRange;
  const reply = await connection.request(`bind_${role}`, {
    fields: {
      system_id: bind.systemId,
      password: bind.password,
      system_type: bind.systemType,
      interface_version: bind.interfaceVersion,
      addr_ton: ton,
      addr_npi: npi,
      address_range: range,
    },
  });
  signal.removeEventListener('abort', abort);
  if (reply.kind === 'none') {
    connection.close(reply.why);
    throw new Error(`bind without an answer: ${reply.why}`);
  }
  const { status } = reply.pdu;
  if (status !== OK) {
    connection.close('bind refused');
    throw new BindRefused(statusName(status));
  }
  return connection;
}

/** Says goodbye (§4.2) and closes; a peer that does not answer is left after the response time-out. */
export async function unbind(connection: Connection): Promise<void> {
  if (!connection.isOpen) return;
  await connection.request('unbind');
  connection.close('unbound');
}
