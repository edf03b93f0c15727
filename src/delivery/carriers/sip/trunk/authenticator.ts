import type { Environment } from '../../../../environment.js';
import { answerChallenge, type Challenge, type Credentials, chooseChallenges } from '../message/digest.js';
import { headersOf, type SipRequest, type SipResponse } from '../message/message.js';
import { token } from '../transaction/layer.js';

/** How often one request may be sent again for a challenge: an old nonce, a stale one, a second realm. */
const MAX_TRIES = 3;
/** Realms whose challenges are remembered. */
const MAX_REALMS = 8;

const KINDS = {
  401: { challenge: 'www-authenticate', answer: 'authorization' },
  407: { challenge: 'proxy-authenticate', answer: 'proxy-authorization' },
} as const;

interface Known {
  readonly challenge: Challenge;
  readonly header: 'authorization' | 'proxy-authorization';
  /** How often its nonce was used. */
  uses: number;
}

/** How a rejected request was judged. */
export type Judgement =
  /** It may be sent again, signed anew. */
  | 'again'
  /** There are no credentials, or no challenge that can be answered. */
  | 'unanswerable'
  /** The credentials were used and refused. */
  | 'refused';

/**
 * Answers digest challenges (RFC 3261 §22, RFC 7616) of one trunk. A nonce is used until it is refused, so that only
 * the first request costs a round trip.
 */
export function createAuthenticator(credentials: Credentials | null, environment: Environment) {
  const known = new Map<string, Known>();

  return {
    /** A request with an answer to each challenge that is known, in place of earlier ones. */
    sign(request: SipRequest): SipRequest {
      if (!credentials || known.size === 0) return request;
      const others = request.headers.filter(
        ({ name }) => name !== 'authorization' && name !== 'proxy-authorization',
      );
      const answers = [...known.values()].map((one) => ({
        name: one.header,
        value: answerChallenge(one.challenge, credentials, request, ++one.uses, token(environment, 8)),
      }));
      return { ...request, headers: [...others, ...answers] };
    },

    /**
     * Learns from a 401 or 407.
     * @param tries how often this request has been sent before for a challenge
     */
    learn(request: SipRequest, response: SipResponse, tries: number): Judgement {
      const kind = KINDS[response.status as 401 | 407];
      const challenges = kind ? chooseChallenges(headersOf(response, kind.challenge)) : [];
      if (!credentials || challenges.length === 0) return 'unanswerable';
      // What was signed with a nonce of before may have been refused for its age, whether or not that is said.
      const answered = challenges.filter(({ realm }) => {
        const one = known.get(`${kind.answer}|${realm}`);
        return (
          one !== undefined &&
          headersOf(request, kind.answer).some((value) => value.includes(one.challenge.nonce))
        );
      });
      const fresh = tries > 0 && answered.some(({ stale }) => !stale);
      if (tries >= MAX_TRIES || fresh) {
        for (const { realm } of challenges) known.delete(`${kind.answer}|${realm}`);
        return 'refused';
      }
      for (const challenge of challenges) {
        const key = `${kind.answer}|${challenge.realm}`;
        const before = known.get(key);
        known.delete(key);
        // The one that was learnt longest ago gives way.
        for (const oldest of known.keys()) if (known.size >= MAX_REALMS) known.delete(oldest);
        // Some give several requests one nonce: its uses go on, lest the second looks like a repeat of the first.
        const uses = before?.challenge.nonce === challenge.nonce ? before.uses : 0;
        known.set(key, { challenge, header: kind.answer, uses });
      }
      return 'again';
    },
  };
}

export type Authenticator = ReturnType<typeof createAuthenticator>;
