import type {
  LocalAddress,
  LossListener,
  Peer,
  Receiver,
  Transport,
} from '#delivery/carriers/sip/transport/transport.js';
import type { Environment } from '#environment.js';
import { randomNumbers } from './virtual-time.js';

/** How a network treats datagrams; each a probability. */
export interface Faults {
  readonly lost?: number;
  readonly repeated?: number;
  /** Milliseconds that a datagram takes at most; what is sent later may arrive earlier. */
  readonly delay?: number;
}

/** A network of datagrams in memory, in virtual time: loses, repeats and reorders as it is told, repeatably from a seed. */
export class SipNetwork {
  readonly #receivers = new Map<string, Receiver>();
  readonly #losses = new Map<string, LossListener>();
  readonly #random: () => number;
  faults: Faults;
  /** Every datagram that was sent, lost ones included. */
  readonly sent: {
    readonly at: number;
    readonly from: string;
    readonly to: string;
    readonly text: string;
  }[] = [];

  constructor(
    private readonly environment: Environment,
    faults: Faults = {},
    seed = 1,
  ) {
    this.faults = faults;
    this.#random = randomNumbers(seed);
  }

  attach(address: string, port = 5060): Transport {
    const here = `${address}:${port}`;
    return {
      send: async (bytes, to) => {
        const text = Buffer.from(bytes).toString();
        this.sent.push({
          at: this.environment.monotonic(),
          from: here,
          to: `${to.address}:${to.port}`,
          text,
        });
        if (to.address === UNREACHABLE) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
        const from: Peer = { protocol: to.protocol, address, port };
        const copies = this.#happens(this.faults.repeated) ? 2 : 1;
        for (let copy = 0; copy < copies; copy++) {
          if (this.#happens(this.faults.lost)) continue;
          const delay = 1 + Math.floor(this.#chance() * (this.faults.delay ?? 0));
          this.environment.after(delay, () =>
            this.#receivers.get(`${to.address}:${to.port}`)?.(Buffer.from(text), from),
          );
        }
      },
      local: async (): Promise<LocalAddress> => ({ address, port }),
      source: async () => address,
      receive: (receiver) => {
        this.#receivers.set(here, receiver);
      },
      onLoss: (listener) => {
        this.#losses.set(here, listener);
      },
      close: async () => {
        this.#receivers.delete(here);
      },
    };
  }

  /** Breaks the connection between an address and a peer. */
  break(address: string, peer: Peer, port = 5060): void {
    const error = Object.assign(new Error('closed'), { code: 'ECONNRESET' });
    this.#losses.get(`${address}:${port}`)?.(peer, error);
  }

  #chance(): number {
    return this.#random() / 2 ** 32;
  }

  #happens(probability = 0): boolean {
    return this.#chance() < probability;
  }
}

/** An address to which sending fails at once. */
export const UNREACHABLE = '192.0.2.254';
