import { stripVTControlCharacters } from 'node:util';
import { HugError, messageOf } from '../errors.ts';
import { type CommandResult, errorJson } from '../output/result.ts';
import { type Style, styled } from '../output/text.ts';
import { escapeControls } from '../quote.ts';
import { hideSecrets } from '../secrets.ts';
import type { StandardStream } from './terminal.ts';

/** Where results go, and where everything else does. */
export interface Streams {
  readonly stdout: StandardStream;
  readonly stderr: { write(text: string): unknown };
}

/** How results and errors are written. */
export interface PrinterOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly debug?: boolean | undefined;
  /** Whether messages have colours. */
  readonly color: boolean;
  /** Whether results have colours. */
  readonly colorResults: boolean;
  /** Texts that must never be shown. */
  readonly secrets: ReadonlySet<string>;
}

/** Writes results to stdout, everything else to stderr, and secrets nowhere. */
export interface Printer {
  result(result: CommandResult): Promise<void>;
  /** Writes an error and returns the exit status it leads to. */
  error(error: unknown): number;
  warn(line: string): void;
  note(line: string): void;
}

/** @param options the secrets may grow while the output is in use */
export function createPrinter({ stdout, stderr }: Streams, options: PrinterOptions): Printer {
  const { json, quiet, debug, color, colorResults, secrets } = options;
  const clean = (text: string) => hideSecrets(text, secrets);
  const print = (text: string) => void stdout.write(`${clean(text)}\n`);
  /** Much of what is told comes from outside, and must not command the terminal. */
  const tell = (label: string, text: string) =>
    void stderr.write(`${label}${clean(text).split('\n').map(escapeControls).join('\n')}\n`);
  const paint = (style: Style, text: string) => (color ? styled(style, text) : text);

  const tellError = ({ code, message, hint, details }: HugError) => {
    tell(`${paint('red', 'error')} ${code}: `, message);
    for (const detail of details) tell('  ', detail);
    if (hint !== undefined) tell(`${paint('dim', 'hint')}: `, hint);
  };

  return {
    async result(result) {
      if (json === true) {
        const document = result.json;
        if (document !== undefined) print(JSON.stringify(document, null, 2));
      } else {
        const { text, errors = [], note, next } = result;
        const columns = stdout.isTTY === true && stdout.columns ? stdout.columns : undefined;
        const shown = typeof text === 'string' ? text : await text(columns);
        if (shown !== '') print(colorResults ? shown : stripVTControlCharacters(shown));
        for (const error of errors) tellError(error);
        if (note !== undefined && quiet !== true) tell('', note);
        if (next !== undefined && quiet !== true) tell(`${paint('dim', 'next')}: `, next);
      }
    },
    error(thrown) {
      const error = asHugError(thrown);
      if (json === true) print(JSON.stringify(errorJson(error), null, 2));
      else tellError(error);
      if (debug === true || error.code === 'EHUG_INTERNAL') tell('', stackOf(thrown));
      return error.exitStatus;
    },
    warn(line) {
      tell(`${paint('yellow', 'warning')}: `, line);
    },
    note(line) {
      if (quiet !== true) tell('', line);
    },
  };
}

function asHugError(thrown: unknown): HugError {
  if (thrown instanceof HugError) return thrown;
  return new HugError('EHUG_INTERNAL', `this is a defect of nix-hug: ${messageOf(thrown)}`, {
    hint: 'Please report it with the lines below.',
    cause: thrown,
  });
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? '' : `\ncaused by: ${stackOf(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${cause}`;
}
