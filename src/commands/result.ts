/** What a command leaves for the terminal: the same facts as text and as JSON. */
export interface CommandResult {
  readonly text: string;
  readonly json: unknown;
  readonly exitStatus: number;
}
