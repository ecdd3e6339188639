import { CommanderError } from '@commander-js/extra-typings';
import { EXIT, HugError, usageError } from '../errors.ts';
import { createProgram } from './commands.ts';
import { createContext, openOutput, packageVersion, type World } from './context.ts';

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
    await result.running;
    exitStatus =
      result.program === undefined ? result.exitStatus : await world.runProgram(result.program);
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitStatus;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (isVersionAsked(error)) {
      world.stdout.write(`${packageVersion(world)}\n`);
      return EXIT.ok;
    }
    const end = argv.indexOf('--');
    // What follows is for the program that `run` starts.
    const own = end === -1 ? argv : argv.slice(0, end);
    const json = own.includes('--json');
    if (isHelpShown(error) && !json && !own.includes('help')) return EXIT.invalid;
    const { output } =
      started.context ?? openOutput({ ...program.opts(), ...(json ? { json } : {}) }, world);
    const hint = 'What is done is kept; run it again to go on.';
    const interruption = new HugError('EHUG_INTERRUPTED', 'interrupted', { hint });
    return output.error(world.signal.aborted ? interruption : asUsageError(error, own));
  }
}

/**
 * Whether Commander has found a `--version` that is no option of the command, or a range that is
 * missing. As an option of the program, it would take the one of `add --version RANGE` too.
 */
const isVersionAsked = (error: unknown): boolean =>
  error instanceof CommanderError &&
  ['commander.unknownOption', 'commander.optionMissingArgument'].includes(error.code) &&
  /'(?:-V|--version)\b/u.test(error.message);

/** Whether Commander has printed its help because no command is named. */
const isHelpShown = (error: unknown): boolean =>
  error instanceof CommanderError && error.code === 'commander.help';

/** Commander reports `help` of an unknown command as if no command were named. */
function missingCommand(argv: readonly string[]): string {
  const topic = argv.includes('help') ? argv[argv.indexOf('help') + 1] : undefined;
  return topic === undefined ? 'no command is named' : `unknown command '${topic}'`;
}

function asUsageError(error: unknown, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (isHelpShown(error)) return usageError(missingCommand(argv));
  const [message, suggestion] = error.message.replace(/^error: /u, '').split('\n');
  const hint = suggestion?.replace(/^\((?<sentence>.*)\)$/u, '$<sentence>');
  return usageError(message ?? 'wrong usage', hint);
}
