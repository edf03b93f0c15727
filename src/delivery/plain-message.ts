import type { Environment } from '../environment.js';
import { type AttemptId, hopId, type Recipient } from '../verify/model.js';
import { uuidv7 } from '../verify/uuid.js';
import type { OutboundMessage } from './carrier.js';

/** How long a message that has no session is worth being delivered, in milliseconds. */
const WORTH = 600_000;

/** An SMS of no session: it holds no code, and no row knows of it. */
export function plainMessage(
  environment: Environment,
  text: string,
  to: Pick<OutboundMessage, 'recipient' | 'src' | 'sender' | 'parameters'> & {
    readonly recipient: Recipient;
  },
): OutboundMessage {
  const now = environment.now();
  const attempt = uuidv7(now, environment.randomBytes(10)) as AttemptId;
  return {
    hopId: hopId(attempt, 1),
    attempt,
    session: attempt,
    channel: 'sms',
    recipient: to.recipient,
    text,
    code: '',
    locale: 'en',
    brandName: '',
    dtmf: null,
    confirmByKey: false,
    src: to.src,
    sender: to.sender,
    parameters: to.parameters,
    expiresAt: now + WORTH,
  };
}
