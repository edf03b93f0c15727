import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileForm,
  compileHeader,
  compileJson,
  compilePath,
  compileXml,
  parse,
} from '#delivery/carriers/http/template.js';
import { message } from '../support.js';

/** Anything that a template, a brand, a caller's sender or a route may hold, with what breaks out of things. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'"\'\\<>&;{}[]()=?#/%+,:. \r\n\t\0\ud800\udc00ü✓aZ0') }),
  fc.constantFrom(
    '..',
    '"}',
    '</a>',
    ']]>',
    '&amp;',
    '$' + '{X}',
    '{code}',
    '%2e%2e',
    '\r\nX: y',
    '"><b c="',
  ),
);

const scopes = fc
  .record({ text: hostile, sender: hostile, brandName: hostile, extra: hostile })
  .map((given) => ({
    message: message({
      text: given.text,
      sender: given.sender,
      brandName: given.brandName,
      parameters: { extra: given.extra },
    }),
    from: undefined,
    receiptUrl: null,
    now: 0,
  }));

/** As every encoding must do with what is no text. */
function clean(text: string): string {
  return text.toWellFormed();
}

function always(check: (scope: typeof scopes extends fc.Arbitrary<infer Scope> ? Scope : never) => void) {
  fc.assert(fc.property(scopes, check), { numRuns: 1_000 });
}

describe('no value escapes', () => {
  it('its place in JSON', () => {
    const template = { a: '{text}', b: ['x{sender}y', { c: '{brand_name}' }], d: 1, e: '{parameters.extra}' };
    const render = compileJson('json', template, {});
    always((scope) => {
      const { text, sender, brandName, parameters } = scope.message;
      expect(JSON.parse(render(scope))).toEqual({
        a: text,
        b: [`x${sender}y`, { c: brandName }],
        d: 1,
        e: parameters.extra,
      });
    });
  });

  it('its place in a form', () => {
    const names = ['text', 'sender', 'brand_name'] as const;
    const render = compileForm(names.map((name) => [name, parse('form', `<{${name}}>`, {})] as const));
    always((scope) => {
      const { text, sender, brandName } = scope.message;
      const body = render(scope);
      expect(body).toMatch(/^[A-Za-z0-9%&=+*._-]+$/);
      expect([...new URLSearchParams(body)]).toEqual([
        ['text', `<${clean(text)}>`],
        ['sender', `<${clean(sender!)}>`],
        ['brand_name', `<${clean(brandName)}>`],
      ]);
    });
  });

  it('its segment of a path, or its parameter of a query', () => {
    const render = compilePath('url', parse('url', '/a/{parameters.extra}!/b?t={text}&s={sender}&x', {}));
    always((scope) => {
      const { text, sender, parameters } = scope.message;
      const path = render(scope);
      expect(path).toMatch(/^\/a\/[A-Za-z0-9%._~-]*!\/b\?t=[A-Za-z0-9%._~-]*&s=[A-Za-z0-9%._~-]*&x$/);
      const [, segment = '', t = '', s = ''] = /^\/a\/(.*)!\/b\?t=(.*)&s=(.*)&x$/.exec(path) ?? [];
      expect([segment, t, s].map(decodeURIComponent)).toEqual(
        [parameters.extra, text, sender].map((x) => clean(x!)),
      );
    });
  });

  it('its header', () => {
    const render = compileHeader('headers.A', parse('headers.A', 'k="{text}", {sender}', {}));
    always((scope) => {
      const value = render(scope);
      expect(value).toMatch(/^k="[A-Za-z0-9%._~-]*", [A-Za-z0-9%._~-]*$/);
      const [, text = '', sender = ''] = /^k="(.*)", (.*)$/.exec(value) ?? [];
      expect([text, sender].map(decodeURIComponent)).toEqual(
        [scope.message.text, scope.message.sender!].map(clean),
      );
    });
  });

  it('its element or attribute in XML', () => {
    const render = compileXml('xml', parse('xml', `<m a="{sender}" b='{brand_name}'>x{text}y</m>`, {}));
    const unescaped = (text: string) =>
      text.replace(
        /&(amp|lt|gt|quot|apos);/g,
        (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" })[name]!,
      );
    // XML 1.0 §2.2.
    const isStorable = (code: number) =>
      [0x9, 0xa, 0xd].includes(code) || (code >= 0x20 && code !== 0xfffe && code !== 0xffff);
    const storable = (text: string) =>
      [...clean(text)].map((one) => (isStorable(one.codePointAt(0)!) ? one : '\ufffd')).join('');
    always((scope) => {
      const [, a, b, text] = /^<m a="([^"<>]*)" b='([^'<>]*)'>x([^<>]*)y<\/m>$/.exec(render(scope)) ?? [];
      for (const part of [a, b, text]) expect(part).not.toMatch(/&(?!(amp|lt|gt|quot|apos);)/);
      expect([a!, b!, text!].map(unescaped)).toEqual(
        [scope.message.sender!, scope.message.brandName, scope.message.text].map(storable),
      );
    });
  });
});

describe('a text is taken apart', () => {
  it('with literals as they are', () => {
    const odd = '{ {} {1} {Text} {a-b} } {{ "{" $';
    expect(parse('x', odd, {})).toEqual([odd]);
  });

  it('in a time that grows with its length only', () => {
    for (const unit of ['{', '{a', '{values.', '&', '<']) {
      const text = unit.repeat(60_000 / unit.length);
      expect(parse('x', text, {})).toEqual([text]);
    }
  });
});
