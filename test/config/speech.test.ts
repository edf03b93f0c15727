import { describe, expect, it } from 'vitest';
import { load, loadYaml, refusal } from './configuration.js';

describe('speech:', () => {
  it('is all built in by default', () => {
    expect(load({}).speech).toEqual({ recordings: null, command: null, commandSeconds: 20 });
    expect(loadYaml('speech:').speech).toEqual({ recordings: null, command: null, commandSeconds: 20 });
  });

  it('names a folder and a program, relative to the file', () => {
    const yaml = `speech: {recordings: prompts, command: [./say, "{text}", "-o{output}"], command_seconds: 5}`;
    expect(loadYaml(yaml).speech).toEqual({
      recordings: '/etc/countersign/prompts',
      command: ['/etc/countersign/say', '{text}', '-o{output}'],
      commandSeconds: 5,
    });
    expect(loadYaml('speech: {command: [say, "{output}"]}').speech.command).toEqual(['say', '{output}']);
    expect(loadYaml('speech: {recordings: /srv/prompts}').speech.recordings).toBe('/srv/prompts');
  });

  it.each([
    ['speech: yes', 'speech: expected a map of keys'],
    ['speech: {recording: x}', 'speech.recording: unknown key; the nearest known is recordings'],
    ['speech: {recordings: ""}', 'speech.recordings: expected the path of a folder'],
    ['speech: {recordings: [x]}', 'speech.recordings: expected the path of a folder'],
    ['speech: {command: "say {output}"}', 'speech.command: expected a list of a program and its arguments'],
    ['speech: {command: []}', 'speech.command: expected a list of a program and its arguments'],
    ['speech: {command: [say, 1]}', 'speech.command: expected a list of a program and its arguments'],
    ['speech: {command: [say, "{text}"]}', 'speech.command: expected {output}, the WAV file to write'],
    ['speech: {command: ["{output}"]}', 'speech.command: expected the program first'],
    ['speech: {command_seconds: 0}', 'speech.command_seconds: expected a whole number from 1 to 120'],
  ])('%s is refused', (yaml, why) => {
    expect(refusal(() => loadYaml(yaml))).toContain(why);
  });
});
