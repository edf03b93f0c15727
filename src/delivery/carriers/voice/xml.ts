import type { Words } from './document.js';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>';
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
/** What XML 1.0 cannot hold in any form, and halves of surrogate pairs. */
const UNFIT = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu;

/** Text as it may stand in an element or an attribute. */
export function escapeXml(text: string): string {
  return text.replace(UNFIT, ' ').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** An element; attributes that are undefined are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | boolean>>,
  ...children: readonly string[]
): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  const inside = children.join('');
  return inside === '' ? `<${name}${given.join('')}/>` : `<${name}${given.join('')}>${inside}</${name}>`;
}

/** A whole document, whose root both providers call `Response`. */
export function response(...children: readonly string[]): string {
  return HEAD + element('Response', {}, ...children);
}

/** Words with their pauses as SSML, which the voices of Amazon and Google read. */
export function ssml(words: readonly Words[]): string {
  return words
    .map((each) =>
      typeof each === 'string' ? escapeXml(each) : element('break', { time: `${each.pause}ms` }),
    )
    .join(' ');
}
