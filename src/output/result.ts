import type { HugError } from '../errors.ts';
import type { Output } from './json-schema.ts';

/** A program that takes the place of the command. */
export interface Program {
  /** A path, or a name that is looked up in `PATH`. */
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory. */
  readonly cwd: string;
  /** Variables beside those of nix-hug itself. */
  readonly env: Readonly<Record<string, string>>;
  /** Called now and then while the program runs. */
  readonly whileRunning: () => Promise<void>;
}

/** What a command leaves for the terminal: the same facts as text and as JSON. */
export interface CommandResult<Json = unknown> {
  /** Text, or what lays it out for a terminal of that many columns; `undefined` for no terminal. */
  readonly text: string | ((columns: number | undefined) => string | Promise<string>);
  /** Read for `--json` alone, so it may be made when it is; `undefined` prints nothing. */
  readonly json: Json;
  readonly exitStatus: number;
  /** A message beside the result, such as what was left out. */
  readonly note?: string | undefined;
  /** What the user can do next, after a command that changed something. */
  readonly next?: string | undefined;
  /** Runs after the result was printed; the exit status is that of the program then. */
  readonly program?: Program | undefined;
  /** Ends when the command does, for one that goes on after its result is printed, as a server. */
  readonly running?: Promise<void>;
  /** What failed while other parts succeeded; the JSON says it in its own way. */
  readonly errors?: readonly HugError[];
}

/** An error as JSON. */
export function errorJson({ code, message, hint, details }: HugError): Output<'error'> {
  const problems = details.length === 0 ? {} : { details };
  return { error: { code, message, hint: hint ?? null, ...problems } };
}
