import { Type } from 'typebox';
import { CHANNELS } from '../../verify/model.js';

/** The `channels` key of a carrier that can serve either; both when it is left out. */
export const channelsSetting = Type.Optional(
  Type.Array(Type.Union([Type.Literal('sms'), Type.Literal('voice')]), {
    minItems: 1,
    uniqueItems: true,
    default: CHANNELS,
    description: 'a list of the channels that it serves, sms and voice',
  }),
);
