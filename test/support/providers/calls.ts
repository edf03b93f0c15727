import type { Push, Received, Reply } from './server.js';
import { type Element, parseXml } from './xml.js';

/** What a request to call asked for. */
export interface PlacedCall {
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  readonly answerUrl: string;
  readonly statusUrl: string;
  readonly ringSeconds: number;
  readonly machineDetection: boolean;
}

/** What a document has the call do. */
export type Said =
  | { readonly do: 'say'; readonly voice: string; readonly language: string; readonly text: string }
  | {
      readonly do: 'ask';
      readonly url: string;
      readonly seconds: number;
      readonly voice: string;
      readonly language: string;
      readonly text: string;
    }
  | { readonly do: 'redirect'; readonly url: string }
  | { readonly do: 'hang-up' };

/** What the provider heard of the callee. */
export interface Heard {
  readonly key?: string;
  readonly machine?: boolean;
}

/** How a call ended, in the contract's words, and what a provider tells about it. */
export interface CallEnd {
  readonly status: 'completed' | 'busy' | 'no-answer' | 'failed' | 'canceled';
  readonly seconds?: number;
  /** The provider's own code of the reason. */
  readonly code?: string;
}

/** A stand-in for a provider's voice API, made after its public documentation and sharing no code with the carrier. */
export interface CallStub {
  readonly type: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Checks a request as the provider does, and answers it as the provider does. */
  answer(request: Received): Reply;
  /** What a request to call asked for; null for any other request. */
  placed(request: Received): PlacedCall | null;
  /** The call that a request ends; null for any other request. */
  ended(request: Received): string | null;
  /** Asks what an answered call does. */
  fetch(call: PlacedCall, url: string, heard?: Heard): Push;
  /** Asks what follows, as a document had it redirected; `left`: of a callee who has hung up. */
  redirect(call: PlacedCall, url: string, left?: boolean): Push;
  /** Tells how a call goes, at the address that it was given. */
  tell(call: PlacedCall, what: 'ringing' | CallEnd): Push;
  /** Reads a document as the provider does; throws for what it does not know. */
  read(document: string): readonly Said[];
  /** Cost of a call that the provider tells. */
  readonly cost: { readonly amount: string; readonly currency: string } | null;
  /** How it says that the recipient cannot be called, or the account may not. */
  readonly errors: readonly (readonly [name: string, reply: Reply, result: object])[];
  /** Codes of calls that failed, and the channel error code that each stands for. */
  readonly failures: readonly (readonly [code: string, status: string, errorCode: number])[];
  /** A code of a failure that another carrier would not meet. */
  readonly carriersFault: string;
}

/** The words of an element that speaks, without its pauses, which must be SSML that a voice knows. */
export function wordsOf(element: Element): string {
  return element.children
    .map((child) => {
      if (typeof child === 'string') return child;
      const { name, attributes, children } = child;
      const isBreak = name === 'break' && /^\d{1,5}ms$/.test(attributes.time ?? '') && children.length === 0;
      if (!isBreak) throw new Error(`<${name}> is no SSML that is known`);
      return '';
    })
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
}

export function elementsOf(document: string): readonly Element[] {
  const root = parseXml(document);
  if (root.name !== 'Response') throw new Error(`<${root.name}> is no answer`);
  return root.children.map((child) => {
    if (typeof child === 'string') throw new Error(`text between elements: ${child}`);
    return child;
  });
}

/** The address of a redirect. */
export function redirectOf(element: Element): Extract<Said, { do: 'redirect' }> {
  expectOnly(element, ['method']);
  const [url, ...rest] = element.children;
  const { method = 'POST' } = element.attributes;
  if (method !== 'POST' || typeof url !== 'string' || !URL.canParse(url) || rest.length > 0) {
    throw new Error('a Redirect to no address');
  }
  return { do: 'redirect', url };
}

/** Throws when an element has attributes that the provider does not document. */
export function expectOnly({ name, attributes }: Element, known: readonly string[]): void {
  for (const key of Object.keys(attributes)) {
    if (!known.includes(key)) throw new Error(`<${name}> has no attribute ${key}`);
  }
}
