/** The part of the package (an Emscripten module) that is used here. */
declare module 'espeak-ng' {
  interface Program {
    readonly FS: { readFile(path: string): Uint8Array };
  }
  export default function synthesize(options: {
    readonly arguments: readonly string[];
    readonly print: (line: string) => void;
    readonly printErr: (line: string) => void;
  }): Promise<Program>;
}
