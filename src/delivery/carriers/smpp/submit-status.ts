import { OK, statusName } from './status.js';

/** What a `command_status` of `submit_sm_resp` means for the message. */
export type Meaning =
  | { readonly kind: 'accepted' }
  /** This message never, by nobody: its recipient or its text is wrong. */
  | { readonly kind: 'refused'; readonly errorCode: number }
  /** Not now. `down`: nor any other message. */
  | { readonly kind: 'unavailable'; readonly errorCode: number; readonly down: boolean }
  /** Too much at a time: not now, and the others slower. */
  | { readonly kind: 'throttled'; readonly errorCode: number };

const refused = (errorCode: number) => ({ kind: 'refused', errorCode }) as const;
const later = (errorCode: number) => ({ kind: 'unavailable', errorCode, down: false }) as const;
const down = { kind: 'unavailable', errorCode: 20, down: true } as const;
const throttled = { kind: 'throttled', errorCode: 20 } as const;

/**
 * The errors of SMPP 3.4 §5.1.3 and 5.0 §4.7.6 with their channel error codes (contract §7). What this carrier
 * has against sender, addressing or options is no reason for another not to take the message; those that are not
 * here, vendors' own among them, neither.
 */
export const SUBMIT_ERRORS: Readonly<Record<string, Exclude<Meaning, { kind: 'accepted' }>>> = {
  ESME_RINVMSGLEN: refused(110),
  ESME_RINVCMDLEN: down,
  ESME_RINVCMDID: down,
  ESME_RINVBNDSTS: down,
  ESME_RALYBND: down,
  ESME_RINVPRTFLG: later(10),
  ESME_RINVREGDLVFLG: later(10),
  ESME_RSYSERR: down,
  ESME_RINVSRCADR: later(40),
  ESME_RINVDSTADR: refused(50),
  ESME_RINVMSGID: later(10),
  ESME_RBINDFAIL: down,
  ESME_RINVPASWD: down,
  ESME_RINVSYSID: down,
  ESME_RMSGQFUL: throttled,
  ESME_RINVSERTYP: later(10),
  ESME_RINVESMCLASS: later(10),
  ESME_RSUBMITFAIL: later(20),
  ESME_RINVSRCTON: later(40),
  ESME_RINVSRCNPI: later(40),
  ESME_RINVDSTTON: later(50),
  ESME_RINVDSTNPI: later(50),
  ESME_RINVSYSTYP: down,
  ESME_RINVREPFLAG: later(10),
  ESME_RTHROTTLED: throttled,
  ESME_RINVSCHED: later(10),
  ESME_RINVEXPIRY: later(10),
  ESME_RINVDFTMSGID: later(10),
  ESME_RX_T_APPN: later(20),
  ESME_RX_P_APPN: refused(1000),
  ESME_RX_R_APPN: refused(100),
  ESME_RINVTLVSTREAM: later(10),
  ESME_RTLVNOTALLWD: later(10),
  ESME_RINVTLVLEN: later(10),
  ESME_RMISSINGTLV: later(10),
  ESME_RINVTLVVAL: later(10),
  ESME_RDELIVERYFAILURE: later(20),
  ESME_RUNKNOWNERR: later(1000),
  ESME_RSERTYPUNAUTH: later(100),
  ESME_RPROHIBITED: later(100),
  ESME_RSERTYPUNAVAIL: later(20),
  ESME_RSERTYPDENIED: later(100),
  ESME_RINVDCS: later(10),
  ESME_RINVSRCADDRSUBUNIT: later(40),
  ESME_RINVDSTADDRSUBUNIT: refused(50),
};

export function meaningOf(status: number): Meaning {
  return status === OK ? { kind: 'accepted' } : (SUBMIT_ERRORS[statusName(status)] ?? later(1000));
}
