import { type Static, Type } from 'typebox';
import { CHANNELS, type Channel } from '../../verify/model.js';
import { uuidv7 } from '../../verify/uuid.js';
import type { Carrier, CarrierContext, CarrierType } from '../carrier.js';
import { channelsSetting } from './settings.js';

const settings = Type.Object({ channels: channelsSetting }, { additionalProperties: false });
type InboxSettings = Static<typeof settings>;

const REACHED = { sms: 'delivered', voice: 'completed' } as const satisfies Record<Channel, string>;

/**
 * The built-in carrier for development and tests: nothing leaves the machine. It takes every message at once and
 * says with the same answer that it arrived, so that both are recorded together or not at all; a call that asks to press 1
 * goes on until somebody does. It keeps nothing of
 * a message: what was sent is read back from the store, by the carrier's name and its UUIDv7 message ids, and
 * the code is derived again.
 */
export const inbox: CarrierType<InboxSettings> = {
  type: 'inbox',
  settings,
  channels: channelsOf,
  create,
  check: async () => [{ ok: true, text: 'the inbox needs nothing: what it takes never leaves this machine' }],
};

function channelsOf({ channels }: InboxSettings): readonly Channel[] {
  return channels ?? CHANNELS;
}

function create(given: InboxSettings, { name, environment }: CarrierContext): Carrier {
  return {
    name,
    type: inbox.type,
    channels: channelsOf(given),
    window: 1024,
    submit: async ({ channel, confirmByKey }) => ({
      kind: 'accepted',
      messageId: uuidv7(environment.now(), environment.randomBytes(10)),
      status: confirmByKey ? 'in-progress' : REACHED[channel],
    }),
    stop: async () => {},
  };
}
