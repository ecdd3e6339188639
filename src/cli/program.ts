import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { HugError, messageOf, systemCodeOf } from '../errors.ts';
import type { Env } from '../hf-home.ts';
import type { Program } from '../output/result.ts';
import { quote } from '../quote.ts';

/** How often a program that runs for long is told of; in ms. */
const INTERVAL_MS = 60 * 60 * 1_000;

/** A terminal sends these to the program as well as to nix-hug. */
const OF_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);

/** Signals that a program gets from nix-hug, beside those that also interrupt nix-hug itself. */
const MORE_SIGNALS = ['SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * Makes what runs a program in the place of nix-hug: with its standard streams and its terminal, in its
 * process group.
 *
 * @param env environment of the program, beside its own variables
 */
export function createProgramRunner(env: Env) {
  let child: ChildProcess | undefined;
  const isOnTerminal = () => [0, 1, 2].some((fd) => isatty(fd));

  /**
   * Passes a signal on to the program that runs.
   *
   * @returns `false` when none does
   */
  function forward(signal: NodeJS.Signals): boolean {
    if (child === undefined) return false;
    if (!OF_TERMINAL.has(signal) || !isOnTerminal()) child.kill(signal);
    return true;
  }

  /**
   * Runs a program to its end.
   *
   * @returns its exit status; 128 and the number of the signal that ended it, as shells have it
   * @throws HugError `EHUG_PROGRAM_NOT_FOUND`, `EHUG_PROGRAM`
   */
  const run = async ({ command, args, cwd, env: own, whileRunning }: Program): Promise<number> => {
    const timer = setInterval(() => void whileRunning(), INTERVAL_MS);
    try {
      // Before the program runs: a signal may come as soon as it says something.
      for (const signal of MORE_SIGNALS) process.on(signal, forward);
      child = spawn(command, args, { cwd, env: { ...env, ...own }, stdio: 'inherit' });
      const [code, signal] = await ended(child);
      return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    } catch (error) {
      throw programError(command, error);
    } finally {
      child = undefined;
      for (const signal of MORE_SIGNALS) process.off(signal, forward);
      clearInterval(timer);
    }
  };

  return { forward, run };
}

/** How a process ended; throws the error of the system when it did not start. */
const ended = (child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> =>
  new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => resolve([code, signal]));
    // A signal that it may not get is an error, too, as of a program that runs as another user.
    child.on('error', (error) => {
      if (child.pid === undefined) reject(error);
    });
  });

function programError(command: string, error: unknown): HugError {
  if (systemCodeOf(error) === 'ENOENT') {
    const hint = command.includes('/')
      ? 'Check the path, and the program that its first line names.'
      : 'Check its name, and PATH.';
    return new HugError('EHUG_PROGRAM_NOT_FOUND', `${quote(command)} was not found`, {
      hint,
      cause: error,
    });
  }
  const message = `${quote(command)} cannot be executed: ${messageOf(error)}`;
  const hint = 'Check that it is a program, and that you may execute it.';
  return new HugError('EHUG_PROGRAM', message, { hint, cause: error });
}
