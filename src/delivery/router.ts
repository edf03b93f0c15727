import type { RouteConfig } from '../config.js';
import type { Channel } from '../verify/model.js';

/** A carrier as the router knows it. */
export interface Routable {
  readonly name: string;
  readonly channels: readonly Channel[];
}

/** Where a message may go: carriers by name, in the order in which they are tried. Empty: no route. */
export type Router = (wanted: { readonly channel: Channel; readonly recipient: string }) => readonly string[];

/**
 * Makes the router of a configuration. The route with the longest matching prefix wins; of two with the same
 * prefix, the one that names the channel. A channel that no route serves uses every carrier that has it, in the
 * order of the file.
 */
export function createRouter(routes: readonly RouteConfig[], carriers: readonly Routable[]): Router {
  const serving = (channel: Channel) => carriers.filter((each) => each.channels.includes(channel));
  const tables: Record<Channel, readonly RouteConfig[]> = {
    sms: tableOf(routes, 'sms'),
    voice: tableOf(routes, 'voice'),
  };
  const named = (route: RouteConfig, channel: Channel) =>
    route.carriers.filter((name) => serving(channel).some((carrier) => carrier.name === name));
  return ({ channel, recipient }) => {
    const table = tables[channel];
    if (table.length === 0) return serving(channel).map((carrier) => carrier.name);
    const route = table.find(({ prefix }) => recipient.startsWith(prefix));
    return route ? named(route, channel) : [];
  };
}

/** The routes of a channel, the most particular first. */
function tableOf(routes: readonly RouteConfig[], channel: Channel): RouteConfig[] {
  return routes
    .filter((route) => route.channel === null || route.channel === channel)
    .sort(
      (a, b) => b.prefix.length - a.prefix.length || Number(b.channel !== null) - Number(a.channel !== null),
    );
}
