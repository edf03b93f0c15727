import type { OptOut } from './model.js';
import { formatTime } from './time.js';

/** A place on an opt-out list as it is shown. */
export interface OptOutFields {
  readonly recipient: string;
  readonly source: OptOut['source'];
  readonly carrier: string | null;
  readonly created_at: string;
}

export function optOutFields({ recipient, source, carrier, createdAt }: OptOut): OptOutFields {
  return { recipient, source, carrier, created_at: formatTime(createdAt) };
}
