import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Linux allows 2 MiB for all arguments and the environment, macOS half of that; in bytes. */
const MAX_BYTES = 256 * 1024;

/** Splits arguments into groups that fit a command line; no group is empty. */
export function* chunked(args: Iterable<string>): Generator<readonly string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const arg of args) {
    const size = Buffer.byteLength(arg) + 1;
    if (chunk.length > 0 && bytes + size > MAX_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(arg);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** Where and how long Nix tools run. */
export interface ToolWorld {
  /** Their environment; `PATH` is searched for them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts them. */
  readonly signal?: AbortSignal | undefined;
}

type Tool = 'nix-store' | 'nix-instantiate' | 'nix-build';

/** Arguments of a tool that evaluates, so that its expression may read every path, as by default. */
export const READS_ANY_FILE: readonly string[] = ['restrict-eval', 'pure-eval'].flatMap((name) => [
  '--option',
  name,
  'false',
]);

/** Lines of stderr that an error shows, the last ones. */
const MAX_LINES = 20;

/** Nix's advice for its own command line. */
const ADVICE = "(use '--show-trace'";

/**
 * Bytes of freed memory that a tool keeps (`MALLOC_TOP_PAD_` of the GNU C library, mallopt(3)).
 * Without it, adding many files spends a third of its time in giving memory back and asking again.
 */
const SPARE_MEMORY = 16 * 1024 * 1024;

const exec = promisify(execFile);

/**
 * Makes the function that runs a Nix tool with some arguments, which no shell reads, and a text for
 * its stdin. It returns what the tool prints on stdout.
 *
 * It throws `EHUG_NIX_MISSING`, and `EHUG_NIX` with the tool's stderr as details.
 */
export function createRunTool({ env, signal }: ToolWorld) {
  return async (tool: Tool, args: readonly string[], input = ''): Promise<string> => {
    try {
      const running = exec(tool, args, {
        env: { MALLOC_TOP_PAD_: String(SPARE_MEMORY), ...env },
        maxBuffer: Infinity,
        ...(signal === undefined ? {} : { signal }),
      });
      // A tool that ends without reading its input has already printed why.
      running.child.stdin?.on('error', () => undefined).end(input);
      return (await running).stdout;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw toolError(tool, args, error);
    }
  };
}

function toolError(tool: Tool, args: readonly string[], error: unknown): HugError {
  if (systemCodeOf(error) === 'ENOENT') {
    return new HugError('EHUG_NIX_MISSING', `${tool} is not on PATH`, {
      hint: 'Install Nix, https://nixos.org/download; nix-hug lock needs none.',
      cause: error,
    });
  }
  const operation = args.find((arg) => arg.startsWith('--')) ?? '';
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = stderr
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.includes(ADVICE))
    .slice(-MAX_LINES);
  return new HugError('EHUG_NIX', `${tool} ${operation} failed`, {
    details: lines.length === 0 ? [messageOf(error)] : lines,
    hint: 'Check that Nix works here; --debug shows the whole command.',
    cause: error,
  });
}
