/** What a receipt's text tells (SMPP 3.4 Appendix B); null: it does not. */
export interface ReceiptText {
  readonly id: string | null;
  readonly stat: string | null;
  readonly err: string | null;
}

/** Characters that are read: the standard's receipt has about 120, the wildest a few hundred. */
const MAX_TEXT = 1_024;

/**
 * A key, its colon and its value. Every repetition is bounded, so that the time is linear. Dialects write keys in any
 * case, put spaces around the colon, quotes around the value and commas between fields, and leave values out:
 * then what follows is the next key, which is no value.
 */
const FIELD =
  /(?<![a-z0-9])(?:text[ \t]{0,4}[:=]|(id|stat(?:us)?|err(?:or)?)[ \t]{0,4}[:=][ \t]{0,4}(?!(?:id|sub|dlvrd|submit|done|stat|status|err|error|text)\b[ \t_]{0,4}(?:date[ \t]{0,4})?[:=])["']?([^\s,;|"']{0,128}))/gi;

const NAMES: Readonly<Record<string, keyof ReceiptText>> = {
  id: 'id',
  stat: 'stat',
  status: 'stat',
  err: 'err',
  error: 'err',
};

/**
 * Reads a receipt's text in the form of Appendix B or one of its dialects: any order, any field missing. What
 * stands after `text:` is the message's beginning and only believed for what did not stand before.
 */
export function readReceiptText(text: string): ReceiptText {
  const found: { id: string | null; stat: string | null; err: string | null } = {
    id: null,
    stat: null,
    err: null,
  };
  for (const [, key, value] of text.slice(0, MAX_TEXT).matchAll(FIELD)) {
    if (key === undefined) {
      if (found.id !== null && found.stat !== null) break;
    } else if (value) {
      found[NAMES[key.toLowerCase()]!] ??= value;
    }
  }
  return found;
}
