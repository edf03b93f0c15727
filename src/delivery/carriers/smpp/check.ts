import { type Environment, systemEnvironment } from '../../../environment.js';
import type { Finding } from '../../carrier.js';
import { BindRefused, openBind, type Role, unbind } from './bind.js';
import { explainBindStatus } from './explain.js';
import { type ReadSettings, readSettings, type SmppSettings } from './settings.js';
import { ConnectError } from './socket.js';
import { TRY_AGAIN } from './status.js';

/** Binds as the server would, once for each kind of bind, says how that went, and unbinds. Sends no message. */
export async function checkSmpp(settings: SmppSettings): Promise<Finding[]> {
  const read = readSettings(settings);
  const roles: readonly Role[] = read.mode === 'separate' ? ['transmitter', 'receiver'] : [read.mode];
  const findings: Finding[] = [];
  for (const role of roles) {
    const finding = await tryBind(read, role, systemEnvironment);
    findings.push(finding);
    if (!finding.ok) return findings;
  }
  if (read.connection.tls === null) {
    findings.push({ ok: true, text: 'the connection is plain TCP: password and codes travel unencrypted' });
  } else if (!read.connection.tls.rejectUnauthorized) {
    findings.push({ ok: true, text: 'the certificate is not checked: anybody in between can read along' });
  }
  return findings;
}

async function tryBind(
  { connection, bind }: ReadSettings,
  role: Role,
  environment: Environment,
): Promise<Finding> {
  const { host, port } = connection;
  const place = `the SMSC at ${host}:${port}`;
  try {
    const bound = await openBind({
      connection,
      bind,
      role,
      environment,
      signal: new AbortController().signal,
      handlers: {
        // What it delivers now is for the server: it should come again.
        onRequest: (pdu, bound) => bound.respond(pdu, TRY_AGAIN),
        onClose: () => {},
      },
    });
    await unbind(bound);
    return { ok: true, text: `${place} takes the bind as ${role} of ${bind.systemId}` };
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof BindRefused) {
      const words = explainBindStatus(error.status);
      return {
        ok: false,
        text: words === null ? `${place}: ${message}: ask its operator` : `${place}: ${words}`,
      };
    }
    if (!(error instanceof ConnectError)) return { ok: false, text: `${place}: ${message}; ${MEND.answer}` };
    const mend = /TLS|tls/.test(message) ? MEND.tls : MEND.connect;
    return { ok: false, text: `${place} cannot be reached: ${message}; ${mend}` };
  }
}

const MEND = {
  connect: 'check host and port, that the SMSC runs, and that no firewall is in between',
  tls: 'check tls: ca for an authority of its own, servername for another name, and that the port speaks TLS',
  answer: 'check that the port speaks SMPP, and whether the SMSC wants this address on its list',
} as const;
