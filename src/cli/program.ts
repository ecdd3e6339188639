import { CommanderError } from '@commander-js/extra-typings';
import { usageError } from '../errors.ts';
import { EXIT, HugError } from '../errors.ts';
import { createContext, openOutput, type World } from './context.ts';
import { addCompletionCommands } from './table/completion.ts';
import { addFileCommands } from './table/files.ts';
import { addManifestCommands } from './table/manifest.ts';
import { keepOwnOptions } from './table/own-options.ts';
import { createRoot, type Execute, type Program } from './table/root.ts';

/**
 * Runs nix-hug.
 *
 * @param argv arguments after the program's name
 * @param world everything outside of the process
 * @returns the exit status; nothing in here ends the process
 */
export async function main(argv: readonly string[], world: World): Promise<number> {
  const started: { context?: ReturnType<typeof createContext> } = {};
  let exitStatus: number = EXIT.ok;
  const program = createProgram(world, async (options, run) => {
    started.context = createContext(options, world);
    const result = await run(started.context);
    await started.context.output.result(result);
    exitStatus = result.exitStatus;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitStatus;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const json = argv.includes('--json');
    if (isWithoutCommand(error) && !json && !argv.includes('help')) return EXIT.invalid;
    const { output } = started.context ?? openOutput({ json }, world);
    return output.error(world.signal.aborted ? interruption() : asUsageError(error, argv));
  }
}

/**
 * The command table. Commands load their code when they run.
 *
 * @param execute what is done with the command that is called
 */
export function createProgram(world: World, execute: Execute): Program {
  const program = createRoot(world);
  addManifestCommands(program, execute);
  addFileCommands(program, execute);
  addCompletionCommands(program, execute);
  keepOwnOptions(program);
  return program;
}

/** Commander has shown its help then. */
const isWithoutCommand = (error: unknown): boolean =>
  error instanceof CommanderError && error.code === 'commander.help';

function interruption(): HugError {
  return new HugError('EHUG_INTERRUPTED', 'interrupted', {
    hint: 'What is done is kept; run it again to go on.',
  });
}

/** `help` of a command that there is not looks to Commander like none at all. */
function missingCommand(argv: readonly string[]): string {
  const topic = argv.includes('help') ? argv[argv.indexOf('help') + 1] : undefined;
  return topic === undefined ? 'no command is named' : `unknown command '${topic}'`;
}

function asUsageError(error: unknown, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (isWithoutCommand(error)) return usageError(missingCommand(argv));
  const [message, suggestion] = error.message.replace(/^error: /u, '').split('\n');
  const hint = suggestion?.replace(/^\((?<sentence>.*)\)$/u, '$<sentence>');
  return usageError(message ?? 'wrong usage', hint);
}
