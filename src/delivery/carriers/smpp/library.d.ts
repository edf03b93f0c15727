/** What is used of the npm package `smpp`, which has no types: its tables of commands, field types and names. */
declare module 'smpp' {
  /** How a field is read and written. `size` is that of the value as it would be written. */
  export interface FieldType {
    read(buffer: Buffer, offset: number): unknown;
    write(value: unknown, buffer: Buffer, offset: number): void;
    size(value: unknown): number;
    readonly default: unknown;
  }

  export interface Command {
    readonly id: number;
    /** Its name, such as `submit_sm`. */
    readonly command: string;
    /** Mandatory fields in the order of the wire. */
    readonly params?: Readonly<Record<string, { readonly type: FieldType }>>;
  }

  export interface Library {
    readonly commands: Readonly<Record<string, Command>>;
    readonly commandsById: Readonly<Record<number, Command>>;
    /** Values of `command_status` by name. */
    readonly errors: Readonly<Record<string, number>>;
  }

  const library: Library;
  export default library;
}
