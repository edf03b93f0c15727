import type { OptOutSettings } from '../config.js';
import { type Fields, isFields } from './document.js';
import { ConfigError } from './error.js';
import { join, refuseUnknown } from './nearest.js';

const SECTION = 'opt_outs';
/** Characters: ten segments of an SMS at the most. */
const MAX_HELP = 670;

/**
 * Reads `opt_outs:`.
 * @throws ConfigError
 */
export function readOptOuts(value: unknown): OptOutSettings {
  const fields: Fields = (value as Fields | null | undefined) ?? {};
  if (!isFields(fields)) throw new ConfigError(SECTION, 'expected a map of keys');
  refuseUnknown(SECTION, fields, ['help_text']);
  const text = fields.help_text ?? null;
  if (text !== null && (typeof text !== 'string' || text.trim() === '' || text.length > MAX_HELP)) {
    throw new ConfigError(join(SECTION, 'help_text'), `expected a text of 1 to ${MAX_HELP} characters`);
  }
  return { helpText: text };
}
