import { parsePrice } from './amounts.js';
import type { Channel, Recipient } from './model.js';

/** The price of one SMS segment or one started increment of a call, for numbers that begin with a prefix. */
export interface Rate {
  /** Leading digits of the recipient; empty matches all. */
  readonly prefix: string;
  /** A decimal number such as `parsePrice` takes. */
  readonly price: string;
}

/** What an operator charges, in one currency. A channel without rates costs nothing. */
export interface RateCard {
  /** ISO 4217. */
  readonly currency: string;
  /** Digits after the point that charges are shown with. */
  readonly decimals: number;
  /** What a session costs once, when it is verified: a decimal number such as `parsePrice` takes. */
  readonly validation: string;
  /** Seconds of a call that are charged as one. */
  readonly increment: number;
  /** The prefixes of a channel are distinct. */
  readonly rates: Readonly<Record<Channel, readonly Rate[]>>;
}

/** What an attempt costs by the card, of one segment or one started increment. */
export interface Price {
  /** An amount (see `amounts.ts`). */
  readonly price: number;
  /** Seconds of one increment; null: charged by the segment. */
  readonly increment: number | null;
}

/** A rate card in use. */
export interface Rates {
  /** Digits after the point; 0 without a card. */
  readonly decimals: number;
  /** An amount; 0 without a card. */
  readonly validation: number;
  /** The price with the longest matching prefix; null: none. A handful of look-ups, however long the card. */
  price(channel: Channel, recipient: Recipient): Price | null;
}

/** @throws RangeError for a price that is not as the configuration checks it */
export function createRates(card: RateCard | null): Rates {
  if (card === null) return { decimals: 0, validation: 0, price: () => null };
  const { decimals, increment, rates } = card;
  const tables = { sms: tableOf(rates.sms, null), voice: tableOf(rates.voice, increment) };
  return {
    decimals,
    validation: parsePrice(card.validation),
    price: (channel, recipient) => {
      const { lengths, prices } = tables[channel];
      for (const length of lengths) {
        const price = prices.get(recipient.slice(0, length));
        if (price) return price;
      }
      return null;
    },
  };
}

/** Prices by prefix, and the lengths that prefixes have, longest first. */
function tableOf(rates: readonly Rate[], increment: number | null) {
  const prices = new Map<string, Price>(
    rates.map(({ prefix, price }) => [prefix, { price: parsePrice(price), increment }]),
  );
  const lengths = [...new Set(rates.map(({ prefix }) => prefix.length))].sort((a, b) => b - a);
  return { lengths, prices };
}
