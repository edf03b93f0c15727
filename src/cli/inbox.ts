import type { Config } from '../config.js';
import { CHANNELS, type Channel } from '../verify/model.js';

/** Channels whose messages go to the inbox and leave this machine never: those that no other carrier serves. */
export async function inboxChannels({ carriers }: Config): Promise<Channel[]> {
  if (carriers.length === 0) return [...CHANNELS];
  const { carrierTypes } = await import('../delivery/carriers/index.js');
  const served = carriers.map(({ name, type, settings }) => ({
    name,
    type,
    channels: carrierTypes.find((each) => each.type === type)!.channels(settings),
  }));
  const isServed = (channel: Channel, byInbox: boolean) =>
    served.some(({ type, channels }) => (type === 'inbox') === byInbox && channels.includes(channel));
  // Unless a carrier of that name is configured, there is always one inbox for every channel.
  const always = !served.some(({ name }) => name === 'inbox');
  return CHANNELS.filter((channel) => !isServed(channel, false) && (always || isServed(channel, true)));
}
