import { hash } from 'node:crypto';
import { type CountryCode, getCountryCallingCode } from 'libphonenumber-js/max';
import type { RouteConfig } from '../config.js';
import type { Channel } from '../verify/model.js';

/** A carrier as the router knows it. */
export interface Routable {
  readonly name: string;
  readonly channels: readonly Channel[];
}

/** The message that wants to go somewhere. What is absent meets no condition. */
export interface Wanted {
  readonly channel: Channel;
  readonly recipient: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | null;
  /** UUID and alias of the application. */
  readonly application?: string;
  readonly alias?: string;
  /** The sender that the caller asked for. */
  readonly src?: string | null;
  /** The attempt's UUID, whose random bits share carriers of one rank out; without it they keep the file's order. */
  readonly attempt?: string;
}

/** Where a message may go, and how. */
export interface Choice {
  /** By name, in the order in which they are tried; never empty. */
  readonly carriers: readonly string[];
  readonly sender: string | null;
  readonly parameters: Readonly<Record<string, string>>;
  /** How long a hop without an answer waits for a receipt where its carrier waits, in milliseconds. */
  readonly unansweredWait: number;
  /** How long after it was taken a message's receipt is missed, in milliseconds. */
  readonly receiptWithin: number;
}

export interface Router {
  /** Carriers by name, in the order in which they are tried. Empty: no route. */
  (wanted: Wanted): readonly string[];
  /** The same with all that the route says; null: no route. */
  choose(wanted: Wanted): Choice | null;
}

type Route = Pick<RouteConfig, 'channel' | 'prefix' | 'carriers'> & Partial<RouteConfig>;

/** What holds where no route says otherwise, in seconds. */
export const UNANSWERED_WAIT = 30;
export const RECEIPT_WITHIN = 300;

/** A route of one channel with its conditions resolved. */
interface Entry {
  readonly ranks: readonly (readonly { readonly carrier: string; readonly weight: number }[])[];
  /** Their order where no rank shares. */
  readonly fixed: readonly string[] | null;
  readonly senders: Readonly<Record<string, string>>;
  readonly rest: Pick<Choice, 'parameters' | 'unansweredWait' | 'receiptWithin'>;
}

/** Routes of one prefix by country, application (UUID or alias) and sender; '' where a route has no such condition. */
type Bucket = Map<string, Map<string, Map<string, Entry>>>;

/** Keeps aliases apart from UUIDs, and from the empty key of "any". */
const aliasKey = (alias: string) => `alias ${alias}`;
function applicationKey(application: RouteConfig['application']): string {
  if (!application) return '';
  return application.by === 'uuid' ? application.value : aliasKey(application.value);
}

/** The sender of every country that has none of its own. */
const ANY_COUNTRY = 'default';

/**
 * Makes the router of a configuration. Of the routes whose conditions all hold, the one whose destination is the most
 * particular wins: the longest prefix, where a country counts as its calling code and before a mere prefix of the same
 * length. Among equals, one that names the application wins (by UUID before alias), then the sender, then the channel.
 * A channel that no route serves uses every carrier that has it, in the order of the file. A look-up costs at most a
 * few map reads for each digit, however many routes there are.
 *
 * Carriers of one rank share by weight: which comes first is drawn from the attempt's random bits, so that it is the
 * same at every try, after a restart and on every node.
 */
export function createRouter(routes: readonly Route[], carriers: readonly Routable[]): Router {
  const tables = { sms: tableOf(routes, carriers, 'sms'), voice: tableOf(routes, carriers, 'voice') };
  const choose = (wanted: Wanted): Choice | null => {
    const entry = tables[wanted.channel](wanted);
    if (!entry) return null;
    const order = entry.fixed ?? entry.ranks.flatMap((rank) => inTurn(rank, wanted.attempt));
    const { senders, rest } = entry;
    const sender = (wanted.country ? senders[wanted.country] : undefined) ?? senders[ANY_COUNTRY] ?? null;
    return order.length === 0 ? null : { carriers: order, sender, ...rest };
  };
  return Object.assign((wanted: Wanted) => choose(wanted)?.carriers ?? [], { choose });
}

/** The look-up of one channel. */
function tableOf(
  routes: readonly Route[],
  carriers: readonly Routable[],
  channel: Channel,
): (wanted: Wanted) => Entry | undefined {
  const serving = carriers.filter((each) => each.channels.includes(channel)).map(({ name }) => name);
  const own = routes.filter((route) => route.channel === null || route.channel === channel);
  if (own.length === 0) {
    const every = entryOf({ channel, prefix: '', carriers: serving }, serving);
    return () => every;
  }
  const buckets = new Map<string, Bucket>();
  let longest = 0;
  // One that names the channel comes last, and replaces one that does not.
  for (const route of [...own].sort((a, b) => Number(a.channel !== null) - Number(b.channel !== null))) {
    const prefix = indexOf(route);
    longest = Math.max(longest, prefix.length);
    const bucket = within(buckets, prefix, () => new Map());
    const byApplication = within(bucket, route.country ?? '', () => new Map());
    const bySource = within(byApplication, applicationKey(route.application ?? null), () => new Map());
    bySource.set(route.src ?? '', entryOf(route, serving));
  }
  return (wanted) => {
    const { recipient, country, application, alias, src } = wanted;
    const countries = country ? [country, ''] : [''];
    const applications = [...(application ? [application] : []), ...(alias ? [aliasKey(alias)] : []), ''];
    const sources = src ? [src, ''] : [''];
    for (let length = Math.min(longest, recipient.length); length >= 0; length--) {
      const bucket = buckets.get(recipient.slice(0, length));
      if (!bucket) continue;
      for (const eachCountry of countries) {
        const byApplication = bucket.get(eachCountry);
        if (!byApplication) continue;
        for (const eachApplication of applications) {
          const bySource = byApplication.get(eachApplication);
          if (!bySource) continue;
          for (const source of sources) {
            const entry = bySource.get(source);
            if (entry) return entry;
          }
        }
      }
    }
    return undefined;
  };
}

/** The prefix that every recipient of the route has: its own, or its country's calling code where that is longer. */
function indexOf({ prefix, country }: Route): string {
  const code = country ? getCountryCallingCode(country as CountryCode) : '';
  return code.length > prefix.length ? code : prefix;
}

function entryOf(route: Route, serving: readonly string[]): Entry {
  const all = route.ranks ?? route.carriers.map((carrier) => [{ carrier, weight: 1 }]);
  const ranks = all.map((rank) => rank.filter(({ carrier }) => serving.includes(carrier)));
  return {
    ranks,
    fixed: ranks.every(({ length }) => length < 2) ? ranks.flat().map(({ carrier }) => carrier) : null,
    senders: route.senders ?? {},
    rest: {
      parameters: route.parameters ?? {},
      unansweredWait: (route.unansweredWait ?? UNANSWERED_WAIT) * 1000,
      receiptWithin: (route.receiptWithin ?? RECEIPT_WITHIN) * 1000,
    },
  };
}

/**
 * A rank's carriers in the order of one attempt: each comes first in as many of a thousand attempts as its weight says
 * (weighted rendezvous hashing: the smallest of −ln u / weight, u drawn from attempt and name).
 */
function inTurn(rank: Entry['ranks'][number], attempt: string | undefined): string[] {
  if (rank.length < 2 || attempt === undefined) return rank.map(({ carrier }) => carrier);
  return rank
    .map(({ carrier, weight }) => ({ carrier, score: -Math.log(draw(attempt, carrier)) / weight }))
    .sort((a, b) => a.score - b.score)
    .map(({ carrier }) => carrier);
}

/** A number in (0, 1], the same whenever it is drawn. */
function draw(attempt: string, carrier: string): number {
  return (hash('sha256', `${attempt} ${carrier}`, 'buffer').readUIntBE(0, 6) + 1) / 2 ** 48;
}

function within<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
