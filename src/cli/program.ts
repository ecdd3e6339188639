import {
  Command,
  CommanderError,
  InvalidArgumentError,
  Option,
  type OptionValues,
} from '@commander-js/extra-typings';
import { EXIT, HugError } from '../errors.ts';
import {
  createContext,
  type GlobalOptions,
  openOutput,
  packageVersion,
  type World,
} from './context.ts';
import type { CommandResult } from '../commands/result.ts';
import { repositoryAmong } from './target.ts';

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
    started.context.output.result(result);
    exitStatus = result.exitStatus;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitStatus;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (isWithoutCommand(error)) return EXIT.invalid;
    const { output } = started.context ?? openOutput({ json: argv.includes('--json') }, world);
    return output.error(world.signal.aborted ? interruption() : asUsageError(error));
  }
}

type Run = (context: ReturnType<typeof createContext>) => Promise<CommandResult>;
type Execute = (options: GlobalOptions, run: Run) => Promise<void>;

/** For the help of arguments. */
const REPOSITORY =
  'a repository: org/name, hf:org/name, hf-datasets:org/name, an address on the Hub';

/** The command table. Commands load their code when they run. */
function createProgram(world: World, execute: Execute) {
  const program = new Command('nix-hug')
    .description('Lock Hugging Face models and datasets, build them with Nix, load them offline.')
    .version(packageVersion())
    .option('-C, --cwd <dir>', 'work in this folder')
    .option('--manifest <file>', 'use this manifest instead of looking for hug.yaml')
    .option('--json', 'print one JSON document on stdout')
    .option('--offline', 'use no network')
    .option('--debug', 'show each request and the cause of an error')
    .option('--quiet', 'show errors and warnings only')
    .option('--no-color', 'use no colours')
    .option(
      '--concurrency <n>',
      'downloads at once, and half as many as API requests',
      positiveInteger,
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      // Messages are ours to render; only the help that stands for a missing command passes.
      writeErr: (text) => void (text.startsWith('Usage:') ? world.stderr.write(text) : undefined),
    })
    .showSuggestionAfterError();

  program
    .command('lock')
    .description('make hug.lock.json match hug.yaml; unchanged entries keep their commit')
    .option('--check', 'write nothing, use no network; exit 3 when the lock is not current')
    .option('--dry-run', 'show what would change, write nothing')
    .action((options, command) =>
      execute(command.optsWithGlobals(), async (context) => {
        const { run } = await import('../commands/lock.ts');
        return run(options, context);
      }),
    );

  withRemoteOptions(
    program
      .command('fetch')
      .description(
        'bring files into the Nix store: those of the lock, or a model that no manifest names',
      )
      .argument('[targets...]', `entries of the lock (all when none is named), or ${REPOSITORY}`)
      .option(
        '--gc-root <dir>',
        'keep what is fetched from the garbage collector by links in this folder',
      )
      .option('--dry-run', 'show what is missing, or the Nix expression for a repository'),
  ).action((targets, options, command) =>
    execute(command.optsWithGlobals(), async (context) => {
      const { ref, model, dataset, repoType, include, exclude, file } = options;
      const foreign = [ref, model, dataset, repoType, include, exclude, file];
      const url = repositoryAmong(targets, foreign);
      if (url === undefined) {
        const { run } = await import('../commands/fetch.ts');
        return run(targets, options, context);
      }
      const { run } = await import('../commands/fetch-url.ts');
      return run(url, options, context);
    }),
  );

  withRemoteOptions(
    program
      .command('ls')
      .description('list the entries of the lock, or the files of one or of a repository')
      .argument('[target]', `an entry of the lock, or ${REPOSITORY}`),
  ).action((target, options, command) =>
    execute(command.optsWithGlobals(), async (context) => {
      const { ref, model, dataset, repoType, include, exclude, file } = options;
      const foreign = [ref, model, dataset, repoType];
      const selection = target === undefined ? [include, exclude, file] : [];
      const targets = target === undefined ? [] : [target];
      const url = repositoryAmong(targets, [...foreign, ...selection]);
      if (url === undefined) {
        const { run } = await import('../commands/ls.ts');
        return run(target, options, context);
      }
      const { run } = await import('../commands/ls-url.ts');
      return run(url, options, context);
    }),
  );
  return program;
}

/** Adds what says which repository, revision and files are meant, without a manifest. */
function withRemoteOptions<
  TArgs extends unknown[],
  TOptions extends OptionValues,
  TGlobal extends OptionValues,
>(command: Command<TArgs, TOptions, TGlobal>) {
  return command
    .option('--revision, --ref <ref>', 'branch, tag, refs/pr/N or commit; default main')
    .option('--include <glob>', 'keep these LFS files; may be repeated', collected)
    .option('--exclude <glob>', 'leave out these LFS files; may be repeated', collected)
    .option('--file <path>', 'take exactly this file; may be repeated', collected)
    .option('--model', 'the repository is a model')
    .option('--dataset', 'the repository is a dataset')
    .addOption(
      new Option('--repo-type <type>', 'model or dataset').choices(['model', 'dataset'] as const),
    );
}

/** Values of an option that may be repeated. */
function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,2}$/u.test(text)) throw new InvalidArgumentError('not a number from 1 to 999');
  return Number(text);
}

/** Commander has shown its help then. */
const isWithoutCommand = (error: unknown): boolean =>
  error instanceof CommanderError && error.code === 'commander.help';

function interruption(): HugError {
  return new HugError('EHUG_INTERRUPTED', 'interrupted', {
    hint: 'What is done is kept; run it again to go on.',
  });
}

function asUsageError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  const [message, suggestion] = error.message.replace(/^error: /u, '').split('\n');
  return new HugError('EHUG_USAGE', message ?? 'wrong usage', {
    hint: suggestion ?? 'See nix-hug --help.',
  });
}
