import alawmulaw from 'alawmulaw';

/** A piece of speech, 8 kHz with one channel. G.711 is made when first asked for, then kept. */
export interface Clip {
  readonly samples: Int16Array;
  /** Milliseconds. */
  readonly duration: number;
  /** G.711 µ-law (RTP's PCMU), one byte a sample. */
  readonly pcmu: Uint8Array;
  /** G.711 A-law (RTP's PCMA), one byte a sample. */
  readonly pcma: Uint8Array;
}

/** What is played: speech, or a pause of so many milliseconds. */
export type Piece = Clip | { readonly silence: number };

export function createClip(samples: Int16Array): Clip {
  let pcmu: Uint8Array | null = null;
  let pcma: Uint8Array | null = null;
  return {
    samples,
    duration: samples.length / 8,
    get pcmu() {
      pcmu ??= alawmulaw.mulaw.encode(samples);
      return pcmu;
    },
    get pcma() {
      pcma ??= alawmulaw.alaw.encode(samples);
      return pcma;
    },
  };
}

/** All pieces as one row of samples, silence included. */
export function joined(pieces: readonly Piece[]): Int16Array {
  const parts = pieces.map((piece) =>
    'silence' in piece ? new Int16Array(piece.silence * 8) : piece.samples,
  );
  const result = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
