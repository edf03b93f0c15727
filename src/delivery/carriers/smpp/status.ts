import smpp from 'smpp';

/** Values of `command_status` that are used by name (SMPP 3.4 §5.1.3). */
export const OK = 0;
export const INVALID_COMMAND = smpp.errors.ESME_RINVCMDID!;
/** A command that the bind, or the lack of one, does not allow. */
export const NOT_BOUND = smpp.errors.ESME_RINVBNDSTS!;
/** Temporary error of the receiving application: the other side sends it again. */
export const TRY_AGAIN = smpp.errors.ESME_RX_T_APPN!;
/** Permanent error of the receiving application: the other side does not send it again. */
export const NEVER = smpp.errors.ESME_RX_P_APPN!;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(smpp.errors).map(([name, code]) => [code, name]),
);

/** Such as `ESME_RTHROTTLED`; for one of a vendor's own, its number in hex. */
export function statusName(status: number): string {
  return NAMES.get(status) ?? `0x${status.toString(16).padStart(8, '0')}`;
}
