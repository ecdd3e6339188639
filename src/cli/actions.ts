import type { CommandResult } from '../output/result.ts';
import type { Context } from './context.ts';
import type { GlobalOptions, Program } from './options.ts';

/** Runs what a command does, and takes care of its result. */
export type Execute = (
  options: GlobalOptions,
  run: (context: Context) => Promise<CommandResult>,
) => Promise<void>;

/** Makes the actions of commands. */
export type Actions = ReturnType<typeof createActions>;

export function createActions(program: Program, execute: Execute) {
  /** The action of a command, which gets the context before its arguments and options. */
  const runs =
    <Args extends unknown[]>(run: (context: Context, ...args: Args) => Promise<CommandResult>) =>
    (...args: Args): Promise<void> =>
      execute(program.opts(), (context) => run(context, ...args));

  /** The action of a command whose module is loaded when it runs. */
  const loads = <Args extends unknown[]>(
    load: () => Promise<{ run: (context: Context, ...args: Args) => Promise<CommandResult> }>,
  ) => runs<Args>(async (context, ...args) => (await load()).run(context, ...args));

  return { runs, loads };
}
