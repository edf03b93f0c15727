/** Whether a setting is good; `value` is how it is stored, `why` completes "<setting> …" and repeats no value. */
export type Check =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly why: string };
