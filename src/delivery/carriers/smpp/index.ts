import type {
  Carrier,
  CarrierContext,
  CarrierStatus,
  CarrierType,
  OutboundMessage,
  SubmitResult,
} from '../../carrier.js';
import { checkSmpp } from './check.js';
import { createCounts } from './counts.js';
import { createDeliveries } from './deliveries.js';
import { explainBindStatus } from './explain.js';
import { Link } from './link.js';
import { canonicalId } from './message-id.js';
import { createOutbox, MAX_WAIT, type Turn } from './outbox.js';
import { createPace } from './pace.js';
import { readSettings, type SmppSettings, smppSettings } from './settings.js';
import { shareOf } from './shares.js';
import { OK, statusName } from './status.js';
import { resultOf, type Submit, submitsOf } from './submit.js';
import { meaningOf } from './submit-status.js';
import { createUnanswered } from './unanswered.js';

/** Milliseconds in which what is in flight must end when the carrier stops. */
const STOP_WITHIN = 1_500;

/**
 * A direct connection to an SMSC (SMPP 3.4, with the optional parameters of 5.0). Every message is one `submit_sm`
 * or several; receipts come as `deliver_sm` or `data_sm` and are acknowledged after the commit.
 */
export const smpp: CarrierType<SmppSettings> = {
  type: 'smpp',
  settings: smppSettings,
  channels: () => ['sms'],
  create,
  check: checkSmpp,
};

function create(given: SmppSettings, context: CarrierContext): Carrier {
  const { name, environment, log } = context;
  const settings = readSettings(given);
  const share = shareOf(settings, context.share);
  const pace = createPace(environment, share.rate, share.burst);
  const counts = createCounts();
  const unanswered = createUnanswered(environment);
  const deliveries = createDeliveries({ context, settings, unanswered, counts });
  let lastTrouble: string | null = null;
  let stopping = false;

  const links = share.windows.flatMap((window) => {
    const roles =
      settings.mode === 'separate' ? (['transmitter', 'receiver'] as const) : ([settings.mode] as const);
    return roles.map(
      (role) =>
        new Link({
          connection: settings.connection,
          bind: settings.bind,
          role,
          window: role === 'receiver' ? 0 : window,
          environment,
          onRequest: (pdu, connection) => {
            if (pdu.command === 'alert_notification' || pdu.command === 'outbind') return;
            if (pdu.command !== 'deliver_sm' && pdu.command !== 'data_sm') {
              connection.reject(pdu);
              return;
            }
            void deliveries.take(pdu).then((status) => connection.respond(pdu, status));
          },
          onChange: () => outbox.pump(),
          onState: (state, why, lasting) => {
            counts.add(state === 'up' ? 'binds' : 'disconnects');
            lastTrouble = why === null ? lastTrouble : (explainBindStatus(why) ?? why);
            if (stopping) return;
            if (state === 'up') log.info({ carrier: name, role }, 'bound to the SMSC');
            else
              log[lasting ? 'error' : 'warn'](
                { carrier: name, role, why: lastTrouble },
                'not bound to the SMSC',
              );
          },
        }),
    );
  });
  const senders = links.filter(({ role }) => role !== 'receiver');
  const outbox = createOutbox(senders, pace, environment);
  const windowTotal = Math.max(
    1,
    share.windows.reduce((sum, window) => sum + window, 0),
  );
  const window = () => {
    const { rate } = pace;
    // No more than get their turn in time at the present rate.
    return rate === null
      ? windowTotal
      : Math.min(windowTotal, Math.max(1, Math.ceil((rate * MAX_WAIT) / 1000)));
  };

  async function sendPart(
    { request, segments }: Submit,
    isWhole: boolean,
    message: OutboundMessage,
    turn: Turn,
  ) {
    const { hopId, recipient } = message;
    const onLate: Parameters<typeof outbox.send>[0]['onLate'] = ({ status, fields }) => {
      counts.add('late_answers');
      const messageId = canonicalId(String(fields.message_id ?? ''), settings.submitId);
      if (status !== OK || messageId === null) return;
      unanswered.answered(hopId, recipient, messageId);
      if (isWhole) void reportTaken(hopId, messageId);
    };
    const sent = await outbox.send({ ...request, onLate }, segments, turn);
    if (sent.kind === 'reply') {
      counts.add(statusName(sent.pdu.status));
      if (meaningOf(sent.pdu.status).kind === 'throttled') pace.throttled();
    } else {
      counts.add(sent.kind === 'none' && sent.sent ? 'unanswered' : 'not_sent');
      if (sent.kind === 'none' && sent.sent) unanswered.add(hopId, recipient);
    }
    return sent;
  }

  /** So that nobody waits for a receipt, or sends again, what the SMSC says late that it has. */
  async function reportTaken(hopId: string, messageId: string): Promise<void> {
    try {
      await context.report({ by: { kind: 'hop', hopId }, messageId, status: 'sent', errorCode: null });
    } catch {
      // The reporter has logged it; the receipt will tell.
    }
  }

  return {
    name,
    type: smpp.type,
    channels: ['sms'],
    get window() {
      return window();
    },
    unanswered: settings.unanswered,
    answerWithin: settings.connection.responseTimeout,
    start() {
      for (const link of links) link.start();
    },
    async submit(message): Promise<SubmitResult> {
      const submits = submitsOf(message, settings, environment.now());
      if (!Array.isArray(submits)) return submits as SubmitResult;
      const { hopId, recipient } = message;
      const turn = outbox.turn();
      const sent = await Promise.all(
        (submits as readonly Submit[]).map((submit) => sendPart(submit, submits.length === 1, message, turn)),
      );
      const result = resultOf(sent, settings);
      // Its receipt would mean nobody: no hop has the id of a part whose others are without an answer.
      const last = result.kind === 'unanswered' ? resultOf(sent.slice(-1), settings) : null;
      if (last?.kind === 'accepted' && last.messageId !== null) {
        unanswered.answered(hopId, recipient, last.messageId);
      }
      // Back after the pause, unless the carrier said something better.
      if (result.kind !== 'unavailable' || result.retryAfter !== undefined) return result;
      const retryAfter = pace.delay(1);
      return retryAfter > 0 ? { ...result, retryAfter } : result;
    },
    status(): CarrierStatus {
      const states = senders.map(({ state }) => state);
      const up = links.filter(({ state }) => state === 'up').length;
      const isUp = states.includes('up');
      return {
        state: isUp ? 'up' : states.includes('connecting') ? 'connecting' : 'down',
        detail:
          up > 0 && up === links.length
            ? null
            : `${up} of ${links.length} binds${lastTrouble === null ? '' : `: ${lastTrouble}`}`,
        inFlight: senders.reduce((sum, { outstanding }) => sum + outstanding, 0),
        window: windowTotal,
        rate: pace.rate,
        counts: counts.all,
      };
    },
    /** Waits for the answers of what is in flight, unbinds and closes; what has no turn yet is given back. */
    async stop() {
      if (stopping) return;
      stopping = true;
      outbox.close();
      let isOver = false;
      await new Promise<void>((resolve) => {
        const timer = environment.after(STOP_WITHIN, resolve);
        const settled = deliveries.close();
        void Promise.all(links.map((link) => settled.then(() => link.stop()))).then(() => {
          timer.cancel();
          isOver = true;
          resolve();
        });
      });
      if (!isOver) for (const link of links) link.kill();
    },
  };
}
