import type { CarrierType } from '../carrier.js';
import { awsSns } from './aws-sns.js';
import { http } from './http/index.js';
import { inbox } from './inbox.js';
import { messagebird } from './messagebird.js';
import { plivo } from './plivo.js';
import { sinch } from './sinch.js';
import { sip } from './sip/index.js';
import { smpp } from './smpp/index.js';
import { telnyx } from './telnyx.js';
import { twilio } from './twilio.js';
import { vonage } from './vonage.js';
import { webhook } from './webhook/index.js';

/** Every kind of carrier that a configuration may name. */
export const carrierTypes: readonly CarrierType[] = [
  inbox,
  smpp,
  sip,
  webhook,
  http,
  twilio,
  plivo,
  vonage,
  messagebird,
  sinch,
  telnyx,
  awsSns,
];
