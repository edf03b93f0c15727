import { isErrorOf, UNEXPLAINED } from '../../../verify/channel-errors.js';
import type { OutboundMessage, SubmitResult } from '../../carrier.js';
import type { Answer } from '../../http-client.js';
import { SettingsError } from '../../settings-error.js';
import { readMessageId } from '../message-id.js';
import { parseJson, readFailure, readRetryAfter, textOf } from '../provider/answers.js';
import { costOf } from '../provider/incoming.js';
import { compilePointer } from './pointer.js';
import type { AnswerSettings } from './settings.js';

type Rule = NonNullable<AnswerSettings['rules']>[number];

/**
 * What answers mean: the first rule that fits decides. Without one, 2xx is accepted if no rule says what accepted is, and
 * everything else goes by its HTTP status.
 * @throws SettingsError for an error code that no channel has
 */
export function compileAnswers(
  settings: AnswerSettings,
): (answer: Answer, message: OutboundMessage, now: number) => SubmitResult {
  const { format = 'json', message_id: idAt, message_id_after: after, rules = [] } = settings;
  const matchers = rules.map(compileRule);
  const saysAccepted = rules.some((rule) => rule.is === 'accepted');
  const findId = compilePointer(idAt ?? '');
  const readCost = compileCost(settings.cost);

  const accepted = (document: unknown): SubmitResult => {
    const value = idAt === undefined && after === undefined ? null : findId(document);
    const cost = readCost(document);
    return { kind: 'accepted', messageId: readMessageId(cut(value, after)), ...(cost && { cost }) };
  };

  return (answer, message, now) => {
    const document = parse(answer.body, format);
    const found = matchers.find((matches) => matches.fits(answer.status, document));
    const success = answer.status >= 200 && answer.status < 300;
    if (!found) {
      if (success && !saysAccepted) return accepted(document);
      if (!success) return readFailure(answer, null, undefined, message, now);
      const errorCode = UNEXPLAINED[message.channel];
      const reason = `HTTP ${answer.status}, and no rule says what the body means`;
      return { kind: 'unavailable', errorCode, reason, down: false };
    }
    const { is, error_code, down = false, reason: words } = found.rule;
    if (is === 'accepted') return accepted(document);
    const errorCode = error_code ?? UNEXPLAINED[message.channel];
    const reason = `HTTP ${answer.status}${words === undefined ? '' : `: ${words}`}`;
    return is === 'refused'
      ? { kind: 'refused', errorCode, reason }
      : { kind: 'unavailable', errorCode, reason, down, ...readRetryAfter(answer, now) };
  };
}

function compileRule(rule: Rule) {
  const { status, at, equals, begins, error_code } = rule;
  if (error_code !== undefined && !isErrorOf('sms', error_code)) {
    throw new SettingsError('answer.rules', 'expected an error_code that is a channel error code of SMS');
  }
  const find = compilePointer(at ?? '');
  const expected =
    equals === undefined ? null : new Set((Array.isArray(equals) ? equals : [equals]).map(String));
  const family = typeof status === 'string' ? Number(status[0]) : null;
  const fits = (code: number, document: unknown): boolean => {
    if (status !== undefined && (family === null ? code !== status : Math.floor(code / 100) !== family)) {
      return false;
    }
    if (at === undefined && expected === null && begins === undefined) return true;
    const value = find(document);
    if (expected === null && begins === undefined) return value !== undefined && value !== null;
    const text = typeof value === 'boolean' ? String(value) : textOf(value);
    if (text === null) return false;
    return (expected === null || expected.has(text)) && (begins === undefined || text.startsWith(begins));
  };
  return { rule, fits };
}

/** The text as a document for pointers; undefined when it is none of its format. */
function parse(body: string | null, format: 'json' | 'form' | 'text'): unknown {
  if (body === null) return undefined;
  switch (format) {
    case 'json':
      return parseJson(body) ?? undefined;
    case 'form':
      return Object.fromEntries(new URLSearchParams(body.trim()));
    case 'text':
      return body.trim();
  }
}

/** What follows `after`, up to white space; all of it without an `after`. */
function cut(value: unknown, after: string | undefined): unknown {
  if (after === undefined || typeof value !== 'string') return value;
  const start = value.indexOf(after);
  if (start < 0) return null;
  return value
    .slice(start + after.length, start + after.length + 256)
    .trimStart()
    .split(/\s/, 1)[0];
}

/** Currency: three letters, or a pointer. */
export function compileCost(cost: AnswerSettings['cost']) {
  if (!cost) return () => undefined;
  const amount = compilePointer(cost.amount);
  const { currency } = cost;
  const find = currency.startsWith('/') ? compilePointer(currency) : () => currency;
  return (document: unknown) => costOf(amount(document), find(document));
}
