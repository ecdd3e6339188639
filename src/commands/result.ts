import type { HugError } from '../errors.ts';

/** What a command leaves for the terminal: the same facts as text and as JSON. */
export interface CommandResult<Json = unknown> {
  /** Text, or what lays it out for a terminal of that many columns; `undefined` for no terminal. */
  readonly text: string | ((columns: number | undefined) => string | Promise<string>);
  /** Read for `--json` alone, so it may be made when it is. */
  readonly json: Json;
  readonly exitStatus: number;
  /** What failed while other parts succeeded; the JSON says it in its own way. */
  readonly errors?: readonly HugError[];
}
