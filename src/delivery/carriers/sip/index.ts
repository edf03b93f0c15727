import type { CarrierType } from '../../carrier.js';
import { createSipCarrier } from './carrier.js';
import { checkSip } from './check.js';
import { createMedia } from './media/create-media.js';
import { bindingOf, openReal } from './open.js';
import { readSettings, type SipSettings, sipSettings } from './settings.js';
import { systemResolver } from './trunk/resolve.js';

/** Places calls through the operator's SIP trunk and speaks the code. */
export const sip: CarrierType<SipSettings> = {
  type: 'sip',
  settings: sipSettings,
  channels: () => ['voice'],
  create: (given, context) => {
    const settings = readSettings(given);
    return createSipCarrier(settings, context, {
      resolver: systemResolver(settings.bind),
      openTransport: openReal,
      createMedia: ({ rtpPorts, mediaTimeout, silence }, environment) =>
        createMedia({
          environment,
          ports: rtpPorts,
          timeout: mediaTimeout,
          silence,
          onDeath: (err) =>
            context.log.error({ carrier: context.name, err }, 'the media thread died; it is started again'),
        }),
    });
  },
  // The longest call that could begin before the stop.
  drain: ({ ring_seconds = 45, max_seconds = 120 }) => ring_seconds + max_seconds + 5,
  binding: bindingOf,
  check: (settings) => checkSip(settings),
};
