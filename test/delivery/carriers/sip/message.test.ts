import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerChallenge, chooseChallenges, parseChallenge } from '#delivery/carriers/sip/message/digest.js';
import { headerOf, listOf, sequenceOf } from '#delivery/carriers/sip/message/message.js';
import { parseMessage } from '#delivery/carriers/sip/message/parse.js';
import { parseAddress, parseUri } from '#delivery/carriers/sip/message/uri.js';
import { parseVia } from '#delivery/carriers/sip/message/via.js';
import { fields, request, writeMessage } from '#delivery/carriers/sip/message/write.js';
import { createFraming } from '#delivery/carriers/sip/transport/framing.js';

const HEAD = [
  'INVITE sip:bob@example.net SIP/2.0',
  'v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport',
  'f: "A \\" <b>" <sip:alice@example.net>;tag=1',
  't: sip:bob@example.net',
  'i: call@192.0.2.1',
  'CSeq: 7   INVITE',
  'm: <sip:alice@192.0.2.1>, "x, y" <sip:second@192.0.2.1>',
];
const text = (lines: readonly string[], body = '') => Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);

describe('the parser', () => {
  it('reads compact names, folded lines, lists and quoted commas', () => {
    const parsed = parseMessage(text([...HEAD, 'Subject: one', '\ttwo', 'l: 3'], 'abcdef'));
    if (!parsed.ok) throw new Error(parsed.why);
    const { message } = parsed;
    expect(message).toMatchObject({
      kind: 'request',
      method: 'INVITE',
      uri: 'sip:bob@example.net',
      body: 'abc',
    });
    expect(headerOf(message, 'subject')).toBe('one two');
    expect(sequenceOf(message)).toEqual({ number: 7, method: 'INVITE' });
    expect(listOf(message, 'contact')).toEqual(['<sip:alice@192.0.2.1>', '"x, y" <sip:second@192.0.2.1>']);
  });

  it.each([
    ['a body cut short', text([...HEAD, 'Content-Length: 9'], 'abc')],
    ['two lengths', text([...HEAD, 'Content-Length: 3', 'l: 0'], 'abc')],
    ['a negative length', text([...HEAD, 'Content-Length: -1'], 'abc')],
    ['no end', Buffer.from(HEAD.join('\r\n'))],
    ['no Via', text(HEAD.filter((line) => !line.startsWith('v:')))],
    ['a CSeq of another method', text(HEAD.map((line) => line.replace('7   INVITE', '7 BYE')))],
    ['a header field without a name', text([...HEAD, ': x'])],
    ['a stray line end', text([...HEAD, 'X: a\nEvil: b'])],
    ['too many header fields', text([...HEAD, ...Array.from({ length: 300 }, () => 'X: y')])],
    ['a line that is too long', text([...HEAD, `X: ${'y'.repeat(9_000)}`])],
    ['a datagram that is too long', Buffer.alloc(70_000, 65)],
    ['a status out of range', text(['SIP/2.0 700 X', ...HEAD.slice(1)])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['nothing', Buffer.alloc(0)],
  ])('refuses %s', (_, bytes) => {
    expect(parseMessage(bytes).ok).toBe(false);
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        parseMessage(bytes);
        createFraming()(Buffer.from(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws on a message with damage, and what it reads it can write', () => {
    const original = text([...HEAD, 'Content-Length: 5'], 'hello');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(original.length),
        (damages, end) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of damages) bytes[at] = value;
          const parsed = parseMessage(bytes.subarray(0, end));
          if (parsed.ok) expect(parseMessage(writeMessage(parsed.message)).ok).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('takes a time that grows no faster than the text', () => {
    const hostile = ['"', '<', '\\', ';', ',', ' ', '=', ';a="', '\t', '@', ':', '['];
    for (const piece of hostile) {
      const long = piece.repeat(60_000 / piece.length);
      const started = process.cpuUsage();
      for (const line of [
        `Contact: ${long}`,
        `From: ${long}`,
        `Via: ${long}`,
        `WWW-Authenticate: Digest ${long}`,
      ]) {
        parseMessage(text([...HEAD, line]));
      }
      const bounded = long.slice(0, 8_000);
      for (const read of [parseUri, parseAddress, parseVia, parseChallenge]) {
        read(bounded);
        read(`sip:${bounded}`);
        read(`<sip:a@b>${bounded}`);
        read(`SIP/2.0/UDP a${bounded}`);
        read(`Digest ${bounded}`);
      }
      // Of the processor, whatever else the machine does. A second is a thousand times what it takes: this fails for what
      // grows with the square.
      const { user, system } = process.cpuUsage(started);
      expect((user + system) / 1_000).toBeLessThan(1_000);
    }
  });
});

describe('the writer', () => {
  it('lets no value begin another header field', () => {
    const bytes = writeMessage(request('OPTIONS', 'sip:a@b', fields({ subject: 'x\r\nEvil: yes' })));
    expect(bytes.toString()).toBe(
      'OPTIONS sip:a@b SIP/2.0\r\nSubject: x Evil: yes\r\nContent-Length: 0\r\n\r\n',
    );
  });
});

describe('URIs and addresses', () => {
  it.each([
    ['sip:bob@example.net', { user: 'bob', host: 'example.net', port: null, secure: false }],
    [
      'sips:+14155550123:pw@[2001:db8::1]:5071;transport=tcp',
      { user: '+14155550123', host: '2001:db8::1', port: 5071, secure: true },
    ],
    ['SIP:EXAMPLE.net;lr', { user: '', host: 'example.net' }],
  ])('%s is read', (uri, expected) => {
    expect(parseUri(uri)).toMatchObject(expected);
  });

  it.each([
    '',
    'tel:+1415',
    'sip:',
    'sip:a b@c',
    'sip:a@b:0',
    'sip:a@b:70000',
    'sip:a@[zz]',
    'sip:a@b\r\nX: y',
  ])('%j is none', (uri) => {
    expect(parseUri(uri)).toBeNull();
  });

  it('a tag outside of the brackets is the address’s, one inside the URI’s', () => {
    expect(parseAddress('"a;tag=x" <sip:b@c;tag=y>;tag=z')?.parameters.get('tag')).toBe('z');
    expect(parseAddress('sip:b@c;tag=y')).toMatchObject({ uri: 'sip:b@c' });
    expect(parseAddress('sip:b@c;tag=y')?.parameters.get('tag')).toBe('y');
  });
});

describe('digests', () => {
  const credentials = { username: 'Mufasa', password: 'Circle of Life' };
  const asked = { method: 'GET', uri: '/dir/index.html', body: '' };
  const challenge = (algorithm: string) =>
    parseChallenge(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
    )!;
  const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

  // RFC 7616 §3.9.1.
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('with %s are those of RFC 7616', (algorithm, response) => {
    const answer = answerChallenge(
      challenge(algorithm),
      { ...credentials, password: 'Circle of Life' },
      asked,
      1,
      cnonce,
    );
    expect(answer).toContain(`response="${response}"`);
    expect(answer).toContain('qop=auth, nc=00000001');
  });

  it('of RFC 2617 without qop are answered as RFC 2069 has them', () => {
    const old = parseChallenge(
      'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
    )!;
    // MD5(MD5(A1):nonce:MD5(A2)) with A1, A2 of RFC 2617 §3.5.
    expect(answerChallenge(old, { username: 'Mufasa', password: 'Circle Of Life' }, asked, 1, 'x')).toContain(
      'response="670fd8c2df070c60b045671b8b24ff02"',
    );
  });

  it('take the strongest challenge of each realm, and none that they do not know', () => {
    const chosen = chooseChallenges([
      'Digest realm="a", nonce="1", algorithm=MD5',
      'Digest realm="a", nonce="2", algorithm=SHA-256',
      'Digest realm="a", nonce="3", algorithm=SHA-3',
      'Digest realm="b", nonce="4"',
      'Basic realm="c"',
    ]);
    expect(chosen.map(({ nonce }) => nonce)).toEqual(['2', '4']);
  });

  it('escape what would end a quoted text', () => {
    const odd = answerChallenge(challenge('MD5'), { username: 'a"b\\c', password: 'x' }, asked, 1, cnonce);
    expect(odd).toContain('username="a\\"b\\\\c"');
  });
});

describe('a stream', () => {
  const message = text([...HEAD, 'Content-Length: 5'], 'hello');

  it('is cut into its messages, however it arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const stream = Buffer.concat([message, Buffer.from('\r\n\r\n'), message, message]);
        const framing = createFraming();
        const kinds: string[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          for (const frame of framing(stream.subarray(at, at + size)) ?? []) {
            kinds.push(frame.kind === 'message' ? frame.bytes.toString() : frame.kind);
          }
          at += size;
        }
        expect(kinds).toEqual([message.toString(), 'ping', message.toString(), message.toString()]);
      }),
    );
  });

  it.each([
    ['a length that is none', text([...HEAD, 'Content-Length: x'], 'hello')],
    ['a body that is too long', text([...HEAD, 'Content-Length: 90000'])],
    ['a head that never ends', Buffer.alloc(40_000, 65)],
    ['another protocol', Buffer.from('GET / HTTP/1.1\nHost: x\r\n\r\n')],
  ])('is given up at %s', (_, bytes) => {
    expect(createFraming()(bytes)).toBeNull();
  });
});
