import type { HugError } from '../errors.ts';

/** What a command leaves for the terminal: the same facts as text and as JSON. */
export interface CommandResult<Json = unknown> {
  readonly text: string;
  readonly json: Json;
  readonly exitStatus: number;
  /** What failed while other parts succeeded; the JSON says it in its own way. */
  readonly errors?: readonly HugError[];
}
