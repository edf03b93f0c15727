import type { CallbackTransport } from '#callbacks/transport.js';
import type { Dice } from './dice.js';
import type { NodeEnvironment } from './node-environment.js';

/** The customer's servers: slow, failing and away by chance. Keeps every callback that it answered with 2xx. */
export class SimulatedCustomer {
  readonly received: URLSearchParams[] = [];
  /** Of those, the ones that somebody had asked for again by hand: they keep no order. */
  readonly again = new Set<URLSearchParams>();
  downUntil = 0;
  calm = false;

  constructor(
    private readonly dice: Dice,
    private readonly isAskedFor: (params: URLSearchParams) => boolean,
  ) {}

  connect(environment: NodeEnvironment): CallbackTransport {
    return {
      send: (request) => {
        const gone = environment.now() < this.downUntil;
        if (gone || (!this.calm && this.dice.chance(0.15))) {
          return environment.arrives(5_000, () => ({ kind: 'none', reason: 'timed out' }));
        }
        const fails = !this.calm && this.dice.chance(0.2);
        return environment.arrives(this.dice.between(1, 300), () => {
          if (!fails) this.#keep(paramsOf(request));
          return { kind: 'status', status: fails ? 500 : 200 };
        });
      },
      close: async () => {},
    };
  }

  #keep(params: URLSearchParams): void {
    this.received.push(params);
    if (this.isAskedFor(params)) this.again.add(params);
  }
}

function paramsOf(request: { readonly url: string; readonly body: string | null }): URLSearchParams {
  return request.body === null ? new URL(request.url).searchParams : new URLSearchParams(request.body);
}

/** What a callback says, in one text, however it came: `BrandName` is not always sent. */
export function contentOf(params: URLSearchParams): string {
  return [...params.entries()].filter(([name]) => name !== 'BrandName').join('&');
}
