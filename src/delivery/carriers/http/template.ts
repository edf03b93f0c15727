import type { OutboundMessage } from '../../carrier.js';
import { SettingsError } from '../../settings-error.js';
import { secondsLeft, senderOf } from '../provider/message.js';

/** What placeholders stand for in one message. */
export interface Scope {
  readonly message: OutboundMessage;
  readonly from: string | undefined;
  readonly receiptUrl: string | null;
  /** UTC milliseconds. */
  readonly now: number;
}

type Value = string | number | null;
type Read = (scope: Scope) => Value;

/** Placeholders by name. */
const PLACEHOLDERS: Readonly<Record<string, Read>> = {
  recipient: ({ message }) => message.recipient,
  recipient_plus: ({ message }) => `+${message.recipient}`,
  text: ({ message }) => message.text,
  code: ({ message }) => message.code,
  sender: ({ message, from }) => senderOf(message, from),
  brand_name: ({ message }) => message.brandName,
  locale: ({ message }) => message.locale,
  hop_id: ({ message }) => message.hopId,
  attempt_uuid: ({ message }) => message.attempt,
  session_uuid: ({ message }) => message.session,
  expires_at: ({ message }) => new Date(message.expiresAt).toISOString(),
  expires_unix: ({ message }) => Math.floor(message.expiresAt / 1000),
  expires_in: ({ message, now }) => secondsLeft(message, now, 1, 86_400),
  receipt_url: ({ receiptUrl }) => receiptUrl,
};

/** What a caller or a template chooses: in a path it could be `..`. */
const FREE = new Set(['text', 'sender', 'brand_name', 'locale']);

interface Placeholder {
  readonly name: string;
  readonly read: Read;
  /** Of the configuration: it may hold what a header needs as it stands. */
  readonly fixed: string | null;
}

export type Part = string | Placeholder;

const MARK = /\{([a-z_]+(?:\.[A-Za-z0-9_-]{1,64})?)\}/g;

/**
 * Takes a template apart: `{name}` is a placeholder, everything else is literal. What a placeholder brings in is not
 * searched again.
 * @param values what `{values.name}` stands for
 * @throws SettingsError naming the key, for a placeholder that is not known
 */
export function parse(key: string, text: string, values: Readonly<Record<string, string>>): readonly Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(MARK)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push(placeholder(key, match[1]!, values));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

function placeholder(key: string, name: string, values: Readonly<Record<string, string>>): Placeholder {
  const [group = '', member] = name.split('.', 2);
  if (member === undefined && Object.hasOwn(PLACEHOLDERS, name)) {
    return { name, read: PLACEHOLDERS[name]!, fixed: null };
  }
  if (group === 'parameters' && member !== undefined) {
    const read = ({ message: { parameters } }: Scope) =>
      Object.hasOwn(parameters, member) ? (parameters[member] ?? null) : null;
    return { name, read, fixed: null };
  }
  if (group === 'values' && member !== undefined && Object.hasOwn(values, member)) {
    const fixed = values[member]!;
    return { name, read: () => fixed, fixed };
  }
  const known = [
    ...Object.keys(PLACEHOLDERS),
    'parameters.…',
    ...Object.keys(values).map((each) => `values.${each}`),
  ];
  throw new SettingsError(key, `{${name}} is no placeholder; expected one of ${known.join(', ')}`);
}

/** Percent-encodes everything but RFC 3986's unreserved characters. */
function percentEncoded(value: Value): string {
  return encodeURIComponent(String(value ?? '').toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

type Rendered<Result> = (scope: Scope) => Result;

function joined(parts: readonly Part[], encode: (value: Value) => string): Rendered<string> {
  return (scope) => {
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : encode(part.read(scope));
    return text;
  };
}

/**
 * A URL's path and query: every value percent-encoded.
 * @throws SettingsError for a value in the path that could be a dot segment, and for literals that are none of a URL
 */
export function compilePath(key: string, parts: readonly Part[]): Rendered<string> {
  let inQuery = false;
  for (const part of parts) {
    if (typeof part === 'string') {
      if (!/^[\x21-\x7e]*$/.test(part) || part.includes('#')) {
        throw new SettingsError(
          key,
          `expected printable ASCII without spaces and #; percent-encode the rest`,
        );
      }
      inQuery ||= part.includes('?');
    } else if (!inQuery && FREE.has(part.name)) {
      throw new SettingsError(key, `{${part.name}} may be in the query or the body, not in the path`);
    }
  }
  return joined(parts, percentEncoded);
}

/**
 * A header's value: values of the configuration as they are, those of messages percent-encoded.
 * @throws SettingsError for a literal or fixed value that cannot be in a header
 */
export function compileHeader(key: string, parts: readonly Part[]): Rendered<string> {
  for (const part of parts) {
    const literal = typeof part === 'string' ? part : part.fixed;
    if (literal !== null && !/^[\x20-\x7e]*$/.test(literal)) {
      throw new SettingsError(key, `expected printable ASCII`);
    }
  }
  return joined(
    parts.map((part) => (typeof part === 'string' ? part : (part.fixed ?? part))),
    percentEncoded,
  );
}

/** A value that is one placeholder only: absent when that has nothing, a number where it is one. */
function compileWhole(parts: readonly Part[]): Rendered<Value> {
  const [first] = parts;
  if (parts.length === 1 && typeof first === 'object') return first.read;
  return joined(parts, (value) => String(value ?? ''));
}

/** `application/x-www-form-urlencoded`, in the order of the configuration. */
export function compileForm(
  fields: readonly (readonly [name: string, parts: readonly Part[]])[],
): Rendered<string> {
  const compiled = fields.map(([name, parts]) => [name, compileWhole(parts)] as const);
  return (scope) => {
    const parameters = new URLSearchParams();
    for (const [name, render] of compiled) {
      const value = render(scope);
      if (value !== null) parameters.append(name, String(value));
    }
    return parameters.toString();
  };
}

/** JSON, of whatever shape: placeholders in strings only, so that no value is ever more than one string or number. */
export function compileJson(
  key: string,
  template: unknown,
  values: Readonly<Record<string, string>>,
): Rendered<string> {
  const render = compileNode(key, template, values);
  return (scope) => JSON.stringify(render(scope) ?? null);
}

function compileNode(
  key: string,
  node: unknown,
  values: Readonly<Record<string, string>>,
): Rendered<unknown> {
  if (typeof node === 'string') {
    const render = compileWhole(parse(key, node, values));
    return (scope) => render(scope) ?? undefined;
  }
  if (Array.isArray(node)) {
    const items = node.map((item, index) => compileNode(`${key}.${index}`, item, values));
    return (scope) => items.map((item) => item(scope));
  }
  if (typeof node === 'object' && node !== null) {
    const members = Object.entries(node).map(
      ([name, member]) => [name, compileNode(`${key}.${name}`, member, values)] as const,
    );
    return (scope) => Object.fromEntries(members.map(([name, member]) => [name, member(scope)]));
  }
  return () => node;
}

const XML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
/** What XML 1.0 §2.2 has no place for. */
const NO_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/**
 * XML, with placeholders in content and in quoted attributes only.
 * @throws SettingsError for a placeholder elsewhere, and for CDATA and comments, in which nothing can be escaped
 */
export function compileXml(key: string, parts: readonly Part[]): Rendered<string> {
  let place: 'content' | 'tag' | '"' | "'" = 'content';
  for (const part of parts) {
    if (typeof part !== 'string') {
      if (place !== 'tag') continue;
      throw new SettingsError(
        key,
        `{${part.name}} may be in an element's content or in a quoted attribute only`,
      );
    }
    if (/&[^;]*$/.test(part)) throw new SettingsError(key, `expected a semicolon after &`);
    if (/<!|<\?(?!xml )/.test(part))
      throw new SettingsError(key, `expected no CDATA, comments and instructions`);
    for (const character of part) {
      if (place === 'content') place = character === '<' ? 'tag' : 'content';
      else if (place !== 'tag') place = character === place ? 'tag' : place;
      else if (character === '>') place = 'content';
      else if (character === '"' || character === "'") place = character;
    }
  }
  return joined(parts, (value) =>
    String(value ?? '')
      .replace(NO_XML, '\ufffd')
      .replace(/[&<>"']/g, (character) => XML_ESCAPES[character]!),
  );
}

/**
 * Plain text, which has no way of escaping: one placeholder alone, or none.
 * @throws SettingsError for anything else
 */
export function compileText(key: string, parts: readonly Part[]): Rendered<string> {
  if (parts.length !== 1) {
    throw new SettingsError(
      key,
      `expected one placeholder and nothing else, such as "{text}"; or use json, form or xml`,
    );
  }
  return joined(parts, (value) => String(value ?? '').toWellFormed());
}
