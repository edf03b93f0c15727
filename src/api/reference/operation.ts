import type { ErrorStatus } from '../errors.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the reference says of a route. A test fails for a route that has none. */
    operation?: Operation;
  }
}

/** A JSON Schema (2020-12), as OpenAPI 3.1 takes it. */
export type Schema = Readonly<Record<string, unknown>>;

/** The groups of the reference, in their order, and what they are. */
export const TAGS = {
  Sessions: 'One verification of one recipient: create sends a code, validate checks what a person typed.',
  Callbacks: 'What was sent to your URL, when, and how it was answered; and sending it again.',
  Applications: 'How one use case sends codes: its text, the length and life of its codes, its channels.',
  OptOuts: 'Recipients that want no SMS any more.',
  Subaccounts: 'Accounts of customers or products, managed by their main account.',
  Inbox: 'What the built-in carrier took, for development and tests.',
  Receipts: 'What carriers report. The counterpart is your gateway, not your program.',
  Server: 'Health, and this reference.',
} as const;

/**
 * What the OpenAPI document says of a route beyond the schemas that it validates and serializes with. It stands beside
 * the route, in its `config`, so that whoever changes one sees the other.
 */
export interface Operation {
  /** Unique; the `operationId`. */
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly description?: string;
  /** HTTP Basic when absent. */
  readonly security?: 'basic' | 'bearer' | 'none';
  readonly query?: Readonly<Record<string, Schema>>;
  readonly headers?: Readonly<Record<string, Schema>>;
  readonly body?: {
    /** For what is not validated by a schema of the route. */
    readonly schema?: Schema;
    /** What is required or excluded beyond the route's schema; replaces the schema's own keywords. */
    readonly rules?: Schema;
    /** Whether a request without body means an empty object that is accepted. */
    readonly optional?: boolean;
    readonly examples: Readonly<Record<string, unknown>>;
  };
  /** Answers other than errors; their schemas are those of the route. */
  readonly answers: Readonly<Record<number, Answered>>;
  /** When errors come, by status; statuses that any request may get need not be named. */
  readonly errors?: Readonly<Partial<Record<ErrorStatus, string>>>;
}

export interface Answered {
  readonly description: string;
  readonly example?: unknown;
  readonly headers?: Readonly<Record<string, Schema>>;
  /** `application/json` when absent. */
  readonly mediaType?: string;
}
