import type { CarrierContext, CarrierType } from '../../carrier.js';
import { SettingsError } from '../../settings-error.js';
import { type Connection, providerType } from '../provider/carrier.js';
import { receiptUrl } from '../provider/incoming.js';
import { basicAuthorization } from '../provider/message.js';
import { checkConnection } from '../webhook/check.js';
import { compileAnswers } from './answers.js';
import { compileIncoming } from './incoming.js';
import { type HttpSettings, httpSettings } from './settings.js';
import {
  compileForm,
  compileHeader,
  compileJson,
  compilePath,
  compileText,
  compileXml,
  type Part,
  parse,
  type Scope,
} from './template.js';

/** Any gateway with an HTTP API, described wholly in `countersign.yaml`. */
export const http: CarrierType<HttpSettings> = {
  ...providerType<HttpSettings>({
    type: 'http',
    title: 'the gateway',
    settings: httpSettings,
    baseUrl: (settings) => split(settings.url).origin,
    connect,
  }),
  check: async (settings) => {
    const { origin } = split(settings.url);
    connect(settings, '', null);
    return checkConnection(new URL(origin), settings.timeout_ms ?? 10_000);
  },
};

function split(url: string): { readonly origin: string; readonly rest: string } {
  const [origin = ''] = /^https?:\/\/[^/?]+/.exec(url) ?? [];
  if (!URL.canParse(origin)) throw new SettingsError('url', 'expected an absolute http or https URL');
  const rest = url.slice(origin.length);
  return { origin, rest: rest.startsWith('/') ? rest : `/${rest}` };
}

/** @param context null: only to find out whether the settings fit together */
function connect(settings: HttpSettings, _prefix: string, context: CarrierContext | null): Connection {
  const { method = 'POST', from } = settings;
  const path = compileUrl(settings);
  const headers = compileHeaders(settings);
  const body = compileBody(settings);
  const read = compileAnswers(settings.answer ?? {});
  const now = () => context?.environment.now() ?? 0;
  return {
    request(message) {
      const url = context && receiptUrl(context, message.hopId);
      const scope: Scope = { message, from, receiptUrl: url, now: now() };
      return { method, path: path(scope), headers: headers(scope), body: body?.render(scope) ?? null };
    },
    read: (answer, message) => read(answer, message, now()),
    incoming: compileIncoming(settings),
    asksForReceipts: false,
  };
}

function compileUrl({ url, query, values = {} }: HttpSettings): (scope: Scope) => string {
  const { rest } = split(url);
  const path = compilePath('url', parse('url', rest, values));
  if (query === undefined) return path;
  const parameters = compileForm(fields('query', query, values));
  const separator = rest.includes('?') ? '&' : '?';
  return (scope) => `${path(scope)}${separator}${parameters(scope)}`;
}

/** What the client, or the kind of body, decides. */
const NOT_OURS = new Set([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'expect',
]);

function compileHeaders(settings: HttpSettings): (scope: Scope) => Record<string, string> {
  const { headers = {}, values = {}, basic_auth: basic } = settings;
  const compiled = Object.entries(headers).map(([name, template]) => {
    const key = `headers.${name}`;
    if (NOT_OURS.has(name.toLowerCase())) {
      throw new SettingsError(key, `cannot be set; the content type is set with content_type`);
    }
    return [name, compileHeader(key, parse(key, template, values))] as const;
  });
  const fixed: Record<string, string> = {};
  if (basic) fixed.Authorization = basicAuthorization(basic.username, basic.password);
  const type = compileBody(settings)?.type;
  if (type !== undefined) fixed['Content-Type'] = type;
  return (scope) => {
    const all = { ...fixed };
    for (const [name, render] of compiled) all[name] = render(scope);
    return all;
  };
}

interface Body {
  readonly type: string;
  readonly render: (scope: Scope) => string;
}

/** The kinds of body: their usual content type, and what any other must contain, so that the escaping fits it. */
const KINDS = {
  json: { type: 'application/json', contains: 'json' },
  form: { type: 'application/x-www-form-urlencoded', contains: 'application/x-www-form-urlencoded' },
  xml: { type: 'application/xml; charset=utf-8', contains: 'xml' },
  text: { type: 'text/plain; charset=utf-8', contains: 'text/plain' },
} as const;

function compileBody(settings: HttpSettings): Body | null {
  const { values = {}, content_type: given, json, form, xml, text, method } = settings;
  const kinds = (['json', 'form', 'xml', 'text'] as const).filter((kind) => settings[kind] !== undefined);
  const [kind, other] = kinds;
  if (other !== undefined) throw new SettingsError(other, `expected one body only, but there is ${kind} too`);
  if (kind === undefined) return null;
  if (method === 'GET') throw new SettingsError(kind, 'a GET has no body; use query');
  const { type, contains } = KINDS[kind];
  if (given !== undefined && !given.toLowerCase().includes(contains)) {
    throw new SettingsError('content_type', `expected one for a body of ${kind}, with ${contains} in it`);
  }
  const render =
    form !== undefined
      ? compileForm(fields('form', form, values))
      : xml !== undefined
        ? compileXml('xml', parse('xml', xml, values))
        : text !== undefined
          ? compileText('text', parse('text', text, values))
          : compileJson('json', json, values);
  return { type: given ?? type, render };
}

function fields(
  key: string,
  templates: Readonly<Record<string, string | number | boolean>>,
  values: Readonly<Record<string, string>>,
): (readonly [string, readonly Part[]])[] {
  return Object.entries(templates).map(([name, template]) => [
    name,
    parse(`${key}.${name}`, String(template), values),
  ]);
}
