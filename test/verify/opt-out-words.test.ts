import { describe, expect, it } from 'vitest';
import { DEFAULT_TEMPLATES } from '#verify/messages/default-templates.js';
import { inboundKind, OPT_OUT_WORDS } from '#verify/opt-out-words.js';

describe('what a message from a recipient asks for', () => {
  it.each([
    ['STOP', 'stop'],
    ['stop', 'stop'],
    ['  Stop. ', 'stop'],
    ['"STOP!!"', 'stop'],
    ['STOP 🛑', 'stop'],
    ['stop\r\n', 'stop'],
    ['STOP ALL', 'stop'],
    ['StopAll', 'stop'],
    ['opt-out', 'stop'],
    ['ＳＴＯＰ', 'stop'],
    ['ARRET', 'stop'],
    ['Arrêt', 'stop'],
    ['ΔΙΑΚΟΠΗ', 'stop'],
    ['СТОП', 'stop'],
    ['İPTAL', 'stop'],
    ['çık', 'stop'],
    ['停止', 'stop'],
    ['배송', 'other'],
    ['수신거부', 'stop'],
    ['बंद करें', 'stop'],
    ['توقف', 'stop'],
    ['START', 'start'],
    ['unstop', 'start'],
    ['HELP', 'help'],
    ['Hilfe?', 'help'],
    ['info', 'help'],
  ])('%j: %s', (text, kind) => {
    expect(inboundKind(text)).toBe(kind);
  });

  it.each([
    '',
    ' ',
    '!!!',
    'yes',
    'please stop',
    "don't stop",
    'stop sending me that',
    '123456',
    'x'.repeat(1000),
  ])('%j: nothing that is known', (text) => {
    expect(inboundKind(text)).toBe('other');
  });

  it('is told in every language that messages are sent in', () => {
    const languages = new Set(Object.keys(DEFAULT_TEMPLATES).map((locale) => locale.split('-')[0]!));
    expect([...languages].filter((language) => !Object.hasOwn(OPT_OUT_WORDS, language))).toEqual([]);
  });

  it('is what the table says, for every word of it', () => {
    const wrong = Object.values(OPT_OUT_WORDS).flatMap((words) =>
      (['stop', 'start', 'help'] as const).flatMap((kind) =>
        (words[kind] ?? []).filter((word) => inboundKind(word.toUpperCase()) !== kind),
      ),
    );
    expect(wrong).toEqual([]);
  });
});
