import { Command } from '@commander-js/extra-typings';
import type { CommandResult } from '../../output/result.ts';
import { type Context, type GlobalOptions, packageVersion, type World } from '../context.ts';
import { positiveInteger } from './options.ts';

export type Program = ReturnType<typeof createRoot>;

/** Runs what a command does, and takes care of its result. */
export type Execute = (
  options: GlobalOptions,
  run: (context: Context) => Promise<CommandResult>,
) => Promise<void>;

/** The program with its global options, without commands. */
export function createRoot(world: World) {
  return new Command('nix-hug')
    .description('Lock Hugging Face models and datasets, build them with Nix, load them offline.')
    .version(packageVersion(world))
    .option('-C, --cwd <dir>', 'work in this folder')
    .option('--manifest <file>', 'use this manifest instead of looking for hug.yaml')
    .option('--json', 'print one JSON document on stdout')
    .option('--offline', 'use no network')
    .option('--debug', 'show each request and the cause of an error')
    .option('--quiet', 'show errors and warnings only')
    .option('--no-color', 'use no colours')
    .option(
      '--concurrency <n>',
      'downloads at once (8), and twice as many requests of the API (16)',
      positiveInteger,
    )
    .exitOverride()
    .configureOutput({
      getOutHelpWidth: () => world.stdout.columns ?? 80,
      getOutHasColors: () => false,
      writeOut: (text) => void world.stdout.write(text),
      // Messages are ours to render; only the help that stands for a missing command passes.
      writeErr: (text) => void (text.startsWith('Usage:') ? world.stderr.write(text) : undefined),
    })
    .showSuggestionAfterError();
}
