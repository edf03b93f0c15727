import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodePdu } from '#delivery/carriers/smpp/pdu.js';
import { readSettings } from '#delivery/carriers/smpp/settings.js';
import { type Submit, submitsOf } from '#delivery/carriers/smpp/submit.js';
import { NOW } from '../../../support/rows.js';
import { message } from '../support.js';

const isThere = ['tshark', 'text2pcap'].every((tool) => spawnSync(tool, ['--version']).status === 0);
const FIELDS = ['smpp.sequence_number', 'smpp.message_text', '_ws.malformed'];

/** What tshark reads in PDUs, one row of `FIELDS` each. */
function dissect(pdus: readonly Buffer[]): (string | undefined)[][] {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-tshark-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const [dump, capture] = [join(directory, 'pdus.txt'), join(directory, 'pdus.pcap')];
  writeFileSync(dump, pdus.map((pdu) => `000000 ${pdu.toString('hex').replace(/../g, '$& ')}\n\n`).join(''));
  execFileSync('text2pcap', ['-q', '-T', '40000,2775', dump, capture], { stdio: 'ignore' });
  const options = ['-r', capture, '-d', 'tcp.port==2775,smpp', '-o', 'smpp.decode_sms_over_smpp:TRUE'];
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const output = execFileSync('tshark', [...options, '-T', 'json', ...fields], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const packets = JSON.parse(output) as { _source: { layers: Record<string, string[]> } }[];
  return packets.map(({ _source: { layers } }) => FIELDS.map((field) => layers[field]?.[0]));
}

describe.skipIf(!isThere)('tshark', () => {
  it.each(['udh-8', 'udh-16', 'sar', 'payload'] as const)(
    'reads the parts of a long message by %s as they are meant',
    (way) => {
      const settings = readSettings({
        host: 'h',
        system_id: 's',
        password: 'p',
        sender: 'Acme',
        long_messages: way,
        parameters: { entity_id: { tag: 0x1400, value: '1101' } },
      });
      const text = 'Ваш код подтверждения 73519264. '.repeat(6);
      const submits = submitsOf(message({ text }), settings, NOW) as readonly Submit[];
      const pdus = submits.map(({ request }, index) =>
        encodePdu('submit_sm', { sequence: index + 1, ...request }),
      );
      const rows = dissect(pdus);
      expect(rows).toHaveLength(submits.length);
      expect(rows.map(([sequence]) => Number(sequence))).toEqual(submits.map((_, index) => index + 1));
      expect(rows.map(([, part]) => part).join('')).toBe(text);
      expect(rows.every((row) => row[2] === undefined)).toBe(true);
    },
  );

  it('would tell of a PDU that is malformed', () => {
    const frame = encodePdu('submit_sm', { sequence: 1, fields: { short_message: Buffer.from('code') } });
    const cut = Buffer.concat([Buffer.of(0, 0, 0, frame.length - 3), frame.subarray(4, -3)]);
    expect(dissect([frame]).map((row) => row[2])).toEqual([undefined]);
    expect(dissect([cut])[0]![2]).toBeDefined();
  });
});
