// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of templates have this form
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segmentsOf } from '#verify/messages/encoding.js';
import { fitsRetriever, type Renderable, renderText } from '#verify/messages/render.js';
import { defaultTemplate } from '#verify/messages/template.js';

const HASH = 'FA+9qCX9VSu';

function message(changes: Partial<Renderable> = {}): Renderable {
  const template = defaultTemplate('en').named;
  return { channel: 'sms', template, brandName: 'Acme', appHash: '', domain: '', ...changes };
}

const render = (changes: Partial<Renderable>) => renderText(message(changes), '042137');

describe('the text of a message', () => {
  it('names brand and code', () => {
    expect(render({})).toBe('Your Acme verification code is 042137.');
  });

  it.each([
    ['Your ${brand_name} code is ${code}.', 'Your code is 042137.'],
    ['${brand_name}: ${code} is your code', '042137 is your code'],
    ['[${brand_name}] ${code}', '042137'],
    ['(${brand_name}) ${code}', '042137'],
    ['${code} is your code, ${brand_name}.', '042137 is your code.'],
    ['Your code is ${code}. ${brand_name}', 'Your code is 042137.'],
    ['Your code for ${brand_name} is ${code}', 'Your code for is 042137'],
    ['${brand_name}\n${code}', '\n042137'],
  ])('without a brand leaves no gap in %j', (template, text) => {
    expect(render({ template, brandName: '' })).toBe(text);
    expect(render({ template, brandName: ' \n' })).toBe(text);
  });

  it('puts the code wherever the template asks, any number of times', () => {
    expect(render({ template: '${code} - ${code}' })).toBe('042137 - 042137');
  });

  it('takes a brand literally: neither a placeholder nor a replacement pattern in it means anything', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('${code}', '$&', '$1', "$'", '$$')),
        (brandName) => {
          fc.pre(brandName.trim() !== '');
          expect(render({ brandName, channel: 'voice' })).toBe(
            `Your ${brandName.trim()} verification code is 042137.`,
          );
        },
      ),
    );
  });

  it('keeps a brand on its line', () => {
    expect(render({ brandName: 'Acme\r\n@evil.example #1\u2028' })).toBe(
      'Your Acme @evil.example #1 verification code is 042137.',
    );
  });

  it('of an SMS is its GSM-7 equivalent where typography alone would cost a segment', () => {
    const template = `\${brand_name}’s code is \${code} — don’t share it${'!'.repeat(60)}`;
    const text = render({ template });
    expect(text).toMatch(/^Acme's code is 042137 - don't share it!/);
    expect(segmentsOf(text)).toMatchObject({ encoding: 'gsm-7', count: 1 });
    expect(render({ template, channel: 'voice' })).toContain('Acme’s code is 042137 — don’t');
  });
});

describe('the last line of an SMS', () => {
  it('is the app hash', () => {
    expect(render({ appHash: HASH })).toBe(`Your Acme verification code is 042137.\n${HASH}`);
  });

  it('is the domain with the code', () => {
    expect(render({ domain: 'login.acme.example' })).toBe(
      'Your Acme verification code is 042137.\n@login.acme.example #042137',
    );
  });

  it('is the app hash where both are set', () => {
    expect(render({ appHash: HASH, domain: 'acme.example' }).split('\n').slice(1)).toEqual([HASH]);
  });

  it('is untouched by the direction of the text', () => {
    const template = defaultTemplate('ar').named;
    expect(render({ template, domain: 'acme.example' }).split('\n')[1]).toBe('@acme.example #042137');
  });

  it('is none that a call speaks', () => {
    expect(render({ channel: 'voice', appHash: HASH })).not.toContain('\n');
    expect(render({ channel: 'voice', domain: 'acme.example' })).not.toContain('\n');
  });
});

describe('a right-to-left message', () => {
  const template = defaultTemplate('he').named;

  it.each(['Acme', 'Acme Corp', 'Acme 2 Go', 'Zoë', 'אקמי'])('has the brand %j as it is', (brandName) => {
    expect(render({ template, brandName })).toBe(`קוד האימות שלך עבור ${brandName} הוא 042137.`);
  });

  it.each(['Acme!', '1-A', '(Acme)', '3M+', 'C++', 'Acme ישראל Go'])(
    'isolates the brand %j, which it would reorder',
    (brandName) => {
      expect(render({ template, brandName })).toBe(
        `קוד האימות שלך עבור \u2068${brandName}\u2069 הוא 042137.`,
      );
    },
  );

  it('isolates nothing where the text runs from left to right', () => {
    expect(render({ brandName: 'Acme!' })).toBe('Your Acme! verification code is 042137.');
  });
});

describe('the bound of the SMS Retriever', () => {
  const fits = (padding: string, changes: Partial<Renderable> = {}) =>
    fitsRetriever(message({ template: `${padding}\${code}`, appHash: HASH, ...changes }), 6);

  it('is 140 bytes, hash and line break included', () => {
    expect(fits('x'.repeat(140 - 18))).toBe(true);
    expect(fits('x'.repeat(140 - 17))).toBe(false);
  });

  it('counts UTF-8', () => {
    expect(fits('я'.repeat(61))).toBe(true);
    expect(fits('я'.repeat(62))).toBe(false);
  });

  it('counts what is sent, not what the template says', () => {
    expect(fits('’'.repeat(122))).toBe(true);
  });

  it('is for an SMS with an app hash alone', () => {
    expect(fits('x'.repeat(200), { appHash: '' })).toBe(true);
    expect(fits('x'.repeat(200), { channel: 'voice' })).toBe(true);
  });
});
