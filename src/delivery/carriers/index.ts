import type { CarrierType } from '../carrier.js';
import { inbox } from './inbox.js';
import { smpp } from './smpp/index.js';
import { webhook } from './webhook/index.js';

/** Every kind of carrier that a configuration may name. */
export const carrierTypes: readonly CarrierType[] = [inbox, smpp, webhook];
