import fc from 'fast-check';
import { parse } from 'sdp-transform';
import { describe, expect, it } from 'vitest';
import { SUITES } from '#delivery/carriers/sip/media/sdes.js';
import {
  type Agreement,
  answerTo,
  type LocalMedia,
  readAnswer,
  writeOffer,
} from '#delivery/carriers/sip/media/sdp.js';

const KEY = 'inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR';
const local: LocalMedia = {
  address: '192.0.2.1',
  port: 20_000,
  sessionId: '1234',
  version: 1,
  codecs: ['PCMU', 'PCMA'],
  srtp: 'off',
  keys: new Map(SUITES.map((suite, index) => [suite, new Uint8Array(30).fill(index + 1)])),
  comfortNoise: false,
  eventType: 101,
};

/** A peer's description with the media lines given. */
function sdp(...lines: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0', ...lines, ''].join(
    '\r\n',
  );
}

function agreed(text: string, by: Partial<LocalMedia> = {}): Agreement {
  const result = readAnswer(text, { ...local, ...by });
  if ('refused' in result) throw new Error(result.refused);
  return result;
}

function refusal(text: string, by: Partial<LocalMedia> = {}): string {
  const result = readAnswer(text, { ...local, ...by });
  return 'refused' in result ? result.refused : 'taken';
}

function answerOf(text: string, by: Partial<LocalMedia> = {}): string | null {
  const result = answerTo(text, { ...local, ...by }, 'PCMU');
  return 'refused' in result ? null : result.answer(2);
}

const plain = sdp('m=audio 4000 RTP/AVP 8 0 96', 'a=rtpmap:96 telephone-event/8000');

describe('our offer', () => {
  it('has G.711 in our order, telephone events, 20 ms, and both directions', () => {
    const offer = parse(writeOffer({ ...local, codecs: ['PCMA', 'PCMU'], comfortNoise: true }));
    expect(offer.connection).toEqual({ version: 4, ip: '192.0.2.1' });
    expect(offer.media).toHaveLength(1);
    expect(offer.media[0]).toMatchObject({
      type: 'audio',
      port: 20_000,
      protocol: 'RTP/AVP',
      payloads: '8 0 13 101',
      ptime: 20,
      direction: 'sendrecv',
      fmtp: [{ payload: 101, config: '0-15' }],
    });
    expect(offer.media[0]!.crypto).toBeUndefined();
  });

  it('has keys for both suites with SRTP, and RTP/SAVP only where it is required', () => {
    const optional = parse(writeOffer({ ...local, srtp: 'optional' })).media[0]!;
    expect(optional.protocol).toBe('RTP/AVP');
    expect(optional.crypto?.map(({ suite }) => suite)).toEqual([...SUITES]);
    expect(parse(writeOffer({ ...local, srtp: 'required' })).media[0]!.protocol).toBe('RTP/SAVP');
  });

  it('is of IPv6 where the address is', () => {
    expect(writeOffer({ ...local, address: '2001:db8::1' })).toContain('c=IN IP6 2001:db8::1');
  });
});

describe("the peer's answer", () => {
  it('settles codec, payload types, address and RTCP', () => {
    expect(agreed(plain)).toMatchObject({
      address: '198.51.100.7',
      port: 4000,
      rtcpAddress: '198.51.100.7',
      rtcpPort: 4001,
      codec: 'PCMA',
      payloadType: 8,
      events: 96,
      noise: null,
      frames: 1,
      sending: true,
      receiving: true,
      srtp: null,
    });
    expect(agreed(plain).eventsIn).toEqual([101, 96]);
  });

  it('may have its address at the stream, its RTCP elsewhere, and G.711 under a dynamic type', () => {
    const text = sdp(
      'm=audio 4000 RTP/AVP 97',
      'c=IN IP4 198.51.100.8',
      'a=rtpmap:97 pcmu/8000/1',
      'a=rtcp:5003 IN IP4 198.51.100.9',
    );
    expect(agreed(text)).toMatchObject({
      address: '198.51.100.8',
      rtcpAddress: '198.51.100.9',
      rtcpPort: 5003,
      codec: 'PCMU',
      payloadType: 97,
      events: null,
    });
  });

  it('may be of IPv6, to a call of IPv6', () => {
    const text = sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8:0:0::7');
    expect(agreed(text, { address: '2001:db8::1' }).address).toBe('2001:db8::7');
    expect(refusal(text)).toContain('IPv6');
  });

  it.each([
    ['sendonly', false, true],
    ['recvonly', true, false],
    ['inactive', false, false],
    ['sendrecv', true, true],
  ] as const)('%s: sending %s, receiving %s', (direction, sending, receiving) => {
    expect(agreed(sdp('m=audio 4000 RTP/AVP 0', `a=${direction}`))).toMatchObject({ sending, receiving });
    expect(agreed(sdp(`a=${direction}`, 'm=audio 4000 RTP/AVP 0'))).toMatchObject({ sending, receiving });
  });

  it('may wish for longer packets', () => {
    const frames = (...lines: string[]) => agreed(sdp('m=audio 4000 RTP/AVP 0', ...lines)).frames;
    expect(frames('a=ptime:40')).toBe(2);
    expect(frames('a=ptime:60')).toBe(3);
    expect(frames('a=ptime:60', 'a=maxptime:20')).toBe(1);
    expect(frames('a=ptime:30')).toBe(1);
    expect(frames('a=ptime:10')).toBe(1);
    expect(frames('a=ptime:9999')).toBe(3);
    expect(frames('a=ptime:1.2.3')).toBe(1);
  });

  it('settles comfort noise only where we offered it', () => {
    const text = sdp('m=audio 4000 RTP/AVP 0 13');
    expect(agreed(text).noise).toBeNull();
    expect(agreed(text, { comfortNoise: true }).noise).toBe(13);
  });

  it.each([
    ['nothing', '', 'no stream'],
    ['no stream', sdp(), 'no stream'],
    ['port 0', sdp('m=audio 0 RTP/AVP 0'), 'port 0'],
    ['a port beyond all', sdp('m=audio 70000 RTP/AVP 0'), '70000'],
    ['video', sdp('m=video 4000 RTP/AVP 0'), 'video'],
    ['another codec', sdp('m=audio 4000 RTP/AVP 18'), 'no codec in common'],
    ['G.711 at another rate', sdp('m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 PCMU/16000'), 'no codec in common'],
    ['a host name', sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4 media.example'), 'no IP address'],
    ['a multicast address', sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4 224.2.1.1/127'), 'multicast'],
    ['DTLS', sdp('m=audio 4000 UDP/TLS/RTP/SAVP 0'), 'UDP/TLS/RTP/SAVP'],
    ['SRTP that is off', sdp('m=audio 4000 RTP/SAVP 0', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${KEY}`), 'off'],
    ['no address', 'v=0\r\nm=audio 4000 RTP/AVP 0\r\n', 'without an address'],
    ['a novel', 'v=0\r\n'.repeat(5000), 'more than'],
  ])('is refused with %s', (_, text, words) => {
    expect(refusal(text)).toContain(words);
  });
});

describe('keys for SRTP (RFC 4568)', () => {
  const line = (rest: string) => sdp('m=audio 4000 RTP/SAVP 0', `a=crypto:${rest}`);
  const required = { srtp: 'required' } as const;

  it('are taken with either suite, a lifetime or none', () => {
    expect(agreed(line(`1 AES_CM_128_HMAC_SHA1_80 ${KEY}|2^20`), required).srtp).toEqual({
      suite: SUITES[0],
      sendKey: local.keys.get(SUITES[0]),
      receiveKey: Uint8Array.from(Buffer.from(KEY.slice(7), 'base64')),
    });
    expect(agreed(line(`2 AES_CM_128_HMAC_SHA1_32 ${KEY}`), required).srtp?.suite).toBe(SUITES[1]);
  });

  it.each([
    ['a suite that we do not know', `1 F8_128_HMAC_SHA1_80 ${KEY}`],
    ['a master key identifier', `1 AES_CM_128_HMAC_SHA1_80 ${KEY}|2^20|1:4`],
    ['several keys', `1 AES_CM_128_HMAC_SHA1_80 ${KEY};${KEY}`],
    ['a session parameter', `1 AES_CM_128_HMAC_SHA1_80 ${KEY} UNENCRYPTED_SRTP`],
    ['a key too short', '1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVm'],
  ])('are refused with %s', (_, rest) => {
    expect(refusal(line(rest), required)).toContain('key');
  });

  it('are never named in a refusal', () => {
    expect(refusal(line(`1 AES_CM_128_HMAC_SHA1_80 ${KEY}`))).not.toContain(KEY.slice(7, 20));
  });

  it('may be missing only where they are optional', () => {
    expect(agreed(plain, { srtp: 'optional' }).srtp).toBeNull();
    expect(refusal(plain, required)).toContain('SRTP is required');
  });
});

describe("our answer to the peer's offer", () => {
  it('keeps the codec and takes the types of the offer', () => {
    const answer = parse(answerOf(sdp('m=audio 4000 RTP/AVP 8 0 96', 'a=rtpmap:96 telephone-event/8000'))!);
    expect(answer.media[0]).toMatchObject({ port: 20_000, payloads: '0 96', direction: 'sendrecv' });
    expect(answer.origin.sessionVersion).toBe(2);
  });

  it.each([
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
  ])('answers %s with %s', (theirs, ours) => {
    expect(answerOf(sdp('m=audio 4000 RTP/AVP 0', `a=${theirs}`))).toContain(`a=${ours}\r\n`);
  });

  it('sends nothing to the unspecified address, the old way to hold', () => {
    const result = answerTo(sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0'), local, 'PCMU');
    expect(result).toMatchObject({ agreement: { sending: false } });
  });

  it('takes the first stream that it can, and refuses the others with port 0 in their order', () => {
    const answer = answerOf(
      sdp(
        'm=video 5000 RTP/AVP 31',
        'm=audio 4000 RTP/AVP 0',
        'm=audio 4002 RTP/AVP 0',
        'm=image 6000 udptl t38',
      ),
    )!;
    expect(parse(answer).media.map(({ type, port }) => [type, port])).toEqual([
      ['video', 0],
      ['audio', 20_000],
      ['audio', 0],
      ['image', 0],
    ]);
  });

  it('repeats tag and suite of the key line that it takes', () => {
    const offer = sdp(
      'm=audio 4000 RTP/SAVP 0',
      `a=crypto:1 AES_256_CM_HMAC_SHA1_80 ${KEY}`,
      `a=crypto:7 AES_CM_128_HMAC_SHA1_32 ${KEY}`,
    );
    const answer = parse(answerOf(offer, { srtp: 'optional' })!).media[0]!;
    expect(answer.protocol).toBe('RTP/SAVP');
    expect(answer.crypto).toMatchObject([{ id: 7, suite: 'AES_CM_128_HMAC_SHA1_32' }]);
  });

  it('is none where nothing of the offer can be done', () => {
    expect(answerOf(sdp('m=image 6000 udptl t38'))).toBeNull();
    expect(answerOf(sdp('m=audio 4000/2 RTP/AVP 0'))).toBeNull();
    expect(answerOf(sdp(...new Array(9).fill('m=audio 4000 RTP/AVP 0')))).toBeNull();
  });
});

describe('whatever a peer writes', () => {
  const tokens = fc.constantFrom(
    'm=audio',
    ' 4000',
    ' RTP/AVP',
    ' RTP/SAVP',
    ' 0',
    ' 8',
    ' 96',
    '\r\n',
    '\n',
    'c=IN IP4 ',
    '198.51.100.7',
    '::',
    '0.0.0.0',
    'a=rtpmap:96 telephone-event/8000',
    'a=rtcp:9 IN IP4 224.0.0.1',
    'a=ptime:',
    '20',
    '-1',
    '1e9',
    'a=sendonly',
    'a=fmtp:0 ',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 ',
    KEY,
    '\0',
    'm=',
    'a=',
    '/',
    '4294967296',
    'constructor',
    '__proto__',
    'a=rtpmap:0 __proto__/8000',
  );
  const text = fc.oneof(
    fc.array(tokens, { maxLength: 60 }).map((parts) => parts.join('')),
    fc.array(tokens, { maxLength: 40 }).map((parts) => sdp('m=audio 4000 RTP/AVP 0 8 96', ...parts)),
    fc.string({ maxLength: 400, unit: 'binary' }),
  );

  it('is refused, or agreed on within its bounds, and never an error', () => {
    fc.assert(
      fc.property(text, fc.constantFrom('off', 'optional', 'required'), (offered, srtp) => {
        const by = { ...local, srtp } as const;
        const agreement = readAnswer(offered, by);
        if (!('refused' in agreement)) {
          expect(agreement.port).toBeGreaterThan(0);
          expect(agreement.port).toBeLessThan(65_536);
          expect(agreement.rtcpPort).toBeLessThan(65_536);
          expect([1, 2, 3]).toContain(agreement.frames);
          if (srtp === 'off') expect(agreement.srtp).toBeNull();
          if (srtp === 'required') expect(agreement.srtp).not.toBeNull();
        }
        const answer = answerTo(offered, by, null);
        if (!('refused' in answer))
          expect(parse(answer.answer(3)).media.some(({ port }) => port === 20_000)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
