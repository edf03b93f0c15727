/** What one run of the load generator does. Each connection sends its next request when the answer came. */
export interface LoadPlan {
  readonly port: number;
  readonly connections: number;
  /** Seconds of sending; a plan that names its requests one by one may end earlier. */
  readonly seconds: number;
  readonly requests: Requests;
  /** Sent at even steps, so many a second over all connections; absent: as fast as answers come. */
  readonly perSecond?: number;
}

export type Requests =
  /** Creates for recipients that no earlier plan had, numbered from `first`. */
  | {
      readonly kind: 'create';
      readonly path: string;
      readonly authorization: string;
      readonly first: number;
      /** Other fields of the body. */
      readonly fields: Readonly<Record<string, string>>;
      /** Stop after so many. */
      readonly limit?: number;
    }
  /** One right validation of each session. */
  | {
      readonly kind: 'validate';
      readonly path: string;
      readonly authorization: string;
      readonly sessions: readonly string[];
      readonly otp: string;
    };

export interface LoadResult {
  /** Requests sent and answered as they should be (202 to a create, 200 to a validation). */
  readonly right: number;
  /** Any other answer, by status. */
  readonly wrong: Readonly<Record<string, number>>;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** When the first request left, milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds from request to answer. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Share of one core that the generator itself took. */
  readonly cpu: number;
  /** What the creates started. */
  readonly sessions: readonly string[];
  /** Of a plan with `perSecond`: when each recipient's create was answered, milliseconds since 1970 with fractions. */
  readonly answers: readonly (readonly [recipient: string, at: number])[];
}
