import { describe, expect, it } from 'vitest';
import { TEXT } from '../support.js';
import { fieldsOf, openRig } from './support.js';

describe('a submit', () => {
  it('is one submit_sm with addresses, text, validity and a request for a receipt', async () => {
    const rig = await openRig({ sender: 'Acme', service_type: 'OTP', protocol_id: 64, priority: 1 });
    expect(await rig.submit()).toEqual({ kind: 'accepted', messageId: 'm1' });
    expect(fieldsOf(rig)).toMatchObject([
      {
        service_type: 'OTP',
        source_addr_ton: 5,
        source_addr_npi: 0,
        source_addr: 'Acme',
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: '14155550123',
        esm_class: 0,
        protocol_id: 64,
        priority_flag: 1,
        registered_delivery: 1,
        data_coding: 0,
        short_message: { message: TEXT },
      },
    ]);
  });
});
