import { isErrorOf, UNEXPLAINED } from '../../../verify/channel-errors.js';
import type { CarrierReport, InboundMessage } from '../../carrier.js';
import { SettingsError } from '../../settings-error.js';
import { readMessageId } from '../message-id.js';
import { parseJson, textOf } from '../provider/answers.js';
import { formOf, type Incoming, type IncomingRules, reportedBy, type Told } from '../provider/incoming.js';
import { basicAuthorization } from '../provider/message.js';
import { header, hmac, isSame } from '../provider/signatures.js';
import { compileCost } from './answers.js';
import { compilePointer } from './pointer.js';
import type { AuthenticationSettings, HttpSettings, InboundSettings, ReceiptSettings } from './settings.js';

/**
 * What a gateway sends, as it is configured; undefined when it sends nothing.
 * @throws SettingsError when nothing says how to tell that it was the gateway
 */
export function compileIncoming(settings: HttpSettings): IncomingRules | undefined {
  const { receipts, inbound, authentication, thanks } = settings;
  if (!receipts && !inbound) return undefined;
  if (!authentication) {
    throw new SettingsError(
      'authentication',
      'expected with receipts and inbound: one of bearer, basic, header, query, hmac',
    );
  }
  const sources = [receipts, inbound].filter((source) => source !== undefined);
  if (authentication.hmac && sources.some((source) => isQuery(source))) {
    throw new SettingsError(
      'authentication.hmac',
      'signs the body, but a GET has none; use header, query, bearer or basic',
    );
  }
  const readReceipts = receipts && compileReceipts(receipts);
  const readInbound = inbound && compileInbound(inbound);
  return {
    methods: [...new Set(sources.map((source) => source.method ?? 'POST'))],
    verify: compileAuthentication(authentication),
    read: (incoming) => (incoming.path === 'inbound' ? readInbound : readReceipts)?.(incoming) ?? null,
    thanks: thanks === undefined ? undefined : { type: 'text/plain; charset=utf-8', body: thanks },
    unbelieved: authentication.bearer
      ? { status: 401, challenge: 'Bearer' }
      : authentication.basic
        ? { status: 401, challenge: 'Basic realm="Countersign", charset="UTF-8"' }
        : { status: 403 },
  };
}

type Source = Pick<ReceiptSettings, 'method' | 'format' | 'list'>;

function isQuery({ method, format }: Source): boolean {
  return method === 'GET' || format === 'query';
}

/** The documents of a request: one, or those of its list. Null: it is not in its format. */
function compileSource(source: Source): (incoming: Incoming) => readonly unknown[] | null {
  const list = source.list === undefined ? null : compilePointer(source.list);
  return (incoming) => {
    const document = documentOf(incoming, source);
    if (document === null) return null;
    const found = list === null ? [document] : list(document);
    return Array.isArray(found) ? found : null;
  };
}

function documentOf(incoming: Incoming, source: Source): unknown {
  if (isQuery(source)) return Object.fromEntries(incoming.query);
  if (source.format === 'form') return Object.fromEntries(formOf(incoming));
  return parseJson(incoming.body.toString('utf8'));
}

function compileReceipts(settings: ReceiptSettings): (incoming: Incoming) => Told | null {
  const documents = compileSource(settings);
  const idOf = settings.message_id === undefined ? () => null : compilePointer(settings.message_id);
  const hopOf = settings.hop_id === undefined ? () => null : compilePointer(settings.hop_id);
  const statusOf = compilePointer(settings.status);
  const statuses = new Map(Object.entries(settings.statuses));
  const codeOf = settings.error === undefined ? () => null : compilePointer(settings.error);
  const errors = new Map(Object.entries(settings.errors ?? {}));
  for (const code of errors.values()) {
    if (!isErrorOf('sms', code)) {
      throw new SettingsError('receipts.errors', 'expected channel error codes of SMS as values');
    }
  }
  const readCost = compileCost(settings.cost);

  const read = (document: unknown, hopId: string | null): CarrierReport | 'ignored' | null => {
    const given = textOf(statusOf(document));
    if (given === null) return null;
    const status = statuses.get(given) ?? 'ignore';
    if (status === 'ignore') return 'ignored';
    const by = reportedBy(hopId ?? textOf(hopOf(document)), readMessageId(idOf(document)));
    if (by === null) return null;
    const failed = status === 'undelivered' || status === 'failed';
    const errorCode = failed ? (errors.get(textOf(codeOf(document)) ?? '') ?? UNEXPLAINED.sms) : null;
    const cost = readCost(document);
    return { by, status, errorCode, ...(cost && { cost }) };
  };
  return (incoming) => {
    const found = documents(incoming)?.map((document) => read(document, incoming.hopId));
    if (!found || found.includes(null)) return null;
    return { reports: found.filter((report) => report !== null && report !== 'ignored') };
  };
}

function compileInbound(settings: InboundSettings): (incoming: Incoming) => Told | null {
  const documents = compileSource(settings);
  const [fromOf, toOf, wordsOf] = [settings.from, settings.to, settings.text].map(compilePointer);
  const read = (document: unknown): InboundMessage | null => {
    const [from, to, text] = [fromOf, toOf, wordsOf].map((find) => textOf(find?.(document)));
    return from == null || to == null || text == null ? null : { from, to, text };
  };
  return (incoming) => {
    const messages = documents(incoming)?.map(read);
    if (!messages || messages.includes(null)) return null;
    return { messages: messages.filter((message) => message !== null) };
  };
}

/** All that is configured must be right. */
function compileAuthentication(settings: AuthenticationSettings): (incoming: Incoming) => string | null {
  const { bearer, basic, header: named, query, hmac: signed } = settings;
  const authorization = basic && basicAuthorization(basic.username, basic.password);
  const secretName = named?.name.toLowerCase();
  const signatureName = signed?.header.toLowerCase();
  return ({ headers, query: parameters, body }) => {
    const given = header(headers, 'authorization') ?? '';
    if (bearer !== undefined) {
      const [, token] = /^bearer +(.+)$/i.exec(given) ?? [];
      if (!isSame(token ?? '', bearer)) return "authorization: expected this carrier's bearer secret";
    }
    if (authorization !== undefined && !isSame(given, authorization)) {
      return "authorization: expected this carrier's user name and password";
    }
    if (named && secretName && !isSame(header(headers, secretName) ?? '', named.value)) {
      return `${secretName}: expected this carrier's secret`;
    }
    if (query && !isSame(parameters.get(query.name) ?? '', query.value)) {
      return `${query.name}: expected this carrier's secret`;
    }
    if (signed && signatureName) {
      const { secret, algorithm = 'sha256', encoding = 'hex', prefix = '' } = signed;
      const expected = `${prefix}${hmac(algorithm, secret, encoding, body)}`;
      if (!isSame(header(headers, signatureName) ?? '', expected)) {
        return `${signatureName}: is not that of this body under authentication.hmac.secret`;
      }
    }
    return null;
  };
}
