/** Answers to a bind (SMPP 3.4 §5.1.3) in words, and how to mend what they mean. */
export const BIND_ERRORS: Readonly<Record<string, string>> = {
  ESME_RBINDFAIL:
    'the SMSC refused the bind: check system_id, password and system_type, that this address is on its list, and whether it allows this kind of bind',
  ESME_RINVPASWD: 'the SMSC does not take the password: check password',
  ESME_RINVSYSID: 'the SMSC does not know this system_id: check system_id',
  ESME_RINVSYSTYP: 'the SMSC does not take the system type: check system_type',
  ESME_RALYBND:
    'this system_id is bound already, as often as the SMSC allows: end the other client, or lower binds',
  ESME_RINVBNDSTS: 'the SMSC does not allow this kind of bind: try bind: separate, or transmitter',
  ESME_RINVCMDID: 'the SMSC does not know this kind of bind: try bind: separate',
  ESME_RSYSERR: 'the SMSC has a system error: try again later, then ask its operator',
  ESME_RTHROTTLED: 'the SMSC finds the binds too frequent: wait a minute',
  ESME_RINVCMDLEN:
    'the SMSC cannot read the bind: check system_id, password (8 characters by the standard) and interface_version',
};

/** The words for an error that names one of these; null for any other. */
export function explainBindStatus(error: string): string | null {
  const name = /\bESME_R[A-Z_]+/.exec(error)?.[0];
  const words = name === undefined ? undefined : BIND_ERRORS[name];
  return words === undefined ? null : `${name}: ${words}`;
}
