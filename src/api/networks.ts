import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recipient } from '../verify/model.js';
import { parseRecipient } from '../verify/recipients.js';

/** What `scripts/networks.js` writes. */
interface NetworkData {
  /** How many leading digits of a number are looked at. */
  readonly digits: number;
  readonly names: readonly string[];
  /** Distance of each range's start from the one before. */
  readonly steps: readonly number[];
  /** The name of each range, counted from 1; 0: no network. */
  readonly networks: readonly number[];
}

interface Networks {
  readonly digits: number;
  readonly names: readonly string[];
  /** Where each range begins; it ends where the next one begins. */
  readonly starts: Uint32Array;
  readonly networks: Uint16Array;
}

let known: Networks | null = null;

/**
 * The network that a number's prefix was given to: its first one, since a number may have been ported. Null when
 * that is not known, and for fixed lines, whose prefixes now and then lie within those of a mobile network.
 */
export function destinationNetwork(recipient: Recipient): string | null {
  // Loaded when first needed: a server that only creates and validates has no use for it.
  known ??= loadNetworks();
  const name = nameAt(known, recipient);
  return name === null || (parseRecipient(recipient)?.type ?? 'fixed-line') === 'fixed-line' ? null : name;
}

function loadNetworks(): Networks {
  const file = join(import.meta.dirname, 'networks.json');
  const { digits, names, steps, networks } = JSON.parse(readFileSync(file, 'utf8')) as NetworkData;
  const starts = new Uint32Array(steps.length);
  let start = 0;
  for (const [index, step] of steps.entries()) {
    start += step;
    starts[index] = start;
  }
  return { digits, names, starts, networks: Uint16Array.from(networks) };
}

/** The name of the last range that begins at the number or before it. */
function nameAt({ digits, names, starts, networks }: Networks, recipient: Recipient): string | null {
  const number = Number(recipient.slice(0, digits).padEnd(digits, '0'));
  let from = 0;
  let to = starts.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (starts[middle]! <= number) from = middle + 1;
    else to = middle;
  }
  const network = networks[from - 1] ?? 0;
  return network === 0 ? null : names[network - 1]!;
}
