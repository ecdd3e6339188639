import {
  Argument,
  Command,
  Help,
  InvalidArgumentError,
  Option,
  type OptionValues,
} from '@commander-js/extra-typings';
import { FORMATS } from '../selection.ts';
import type { Streams } from './printer.ts';

export type Program = ReturnType<typeof createRoot>;

/** Options that every command knows. */
export type GlobalOptions = Partial<ReturnType<Program['opts']>>;

export const REPOSITORY =
  'a repository: org/name, hf:org/name, hf-datasets:org/name, an address on the Hub';

export const GROUP = '--group <name>';

/** For commands that take all entries without it. */
export const GROUP_OF_ALL =
  'take only the entries of this group, and those without groups; may be repeated';

/** An argument that takes names of entries; the shells complete them. */
export class EntryArgument<Usage extends string> extends Argument<Usage> {}

/** The program with its global options, without commands. */
export function createRoot({ stdout, stderr }: Streams) {
  const version = new Option('-V, --version', 'print the version');
  return new Command('nix-hug')
    .description('Lock Hugging Face models and datasets, build them with Nix, load them offline.')
    .option('-C, --cwd <dir>', 'work in this folder')
    .option(
      '--manifest <file>',
      'use this manifest instead of looking for hug.yaml; the lock of dev.yaml is dev.lock.json',
    )
    .option('--json', 'print one JSON document on stdout')
    .option('--offline', 'use no network')
    .option('-v, --verbose', 'without a terminal, show a line for each file, not for each entry')
    .option('--debug', 'show each request and the cause of an error')
    .option('-q, --quiet', 'show no progress and no messages; results, warnings and errors stay')
    .addOption(
      new Option('--color <when>', 'use colours: auto (on a terminal), always or never').choices([
        'auto',
        'always',
        'never',
      ] as const),
    )
    .option('--no-color', 'the same as --color never')
    .option(
      '--concurrency <n>',
      'downloads at once (8), and twice as many requests of the API (16)',
      positiveInteger,
    )
    .exitOverride()
    .configureHelp({
      showGlobalOptions: true,
      visibleOptions: (command) => {
        const options = new Help().visibleOptions(command);
        return command.parent === null ? [version, ...options] : options;
      },
    })
    .configureOutput({
      getOutHelpWidth: () => stdout.columns || 80,
      getOutHasColors: () => false,
      writeOut: (text) => void stdout.write(text),
      // Messages are ours to render; only the help that stands for a missing command passes.
      writeErr: (text) => void (text.startsWith('Usage:') ? stderr.write(text) : undefined),
    })
    .showSuggestionAfterError();
}

/** Adds the options that name one repository, its revision and its files, without a manifest. */
export function withRepositoryOptions<
  TArgs extends unknown[],
  TOptions extends OptionValues,
  TGlobal extends OptionValues,
>(command: Command<TArgs, TOptions, TGlobal>) {
  return command
    .option('--revision, --ref <ref>', 'branch, tag, refs/pr/N or commit; default main')
    .option('--include <glob>', 'keep these LFS files; may be repeated', collected)
    .option('--exclude <glob>', 'leave out these LFS files; may be repeated', collected)
    .option('--file <path>', 'take exactly this file; may be repeated', collected)
    .addOption(
      new Option('--format <format>', 'of the weight files, keep those of this format').choices(
        FORMATS,
      ),
    )
    .option('--variant <name>', 'of the weight files, keep this variant, such as fp16')
    .option('--quant <quant>', 'take this quant of a GGUF repository, such as Q4_K_M')
    .option('--model', 'the repository is a model')
    .option('--dataset', 'the repository is a dataset')
    .addOption(
      new Option('--repo-type <type>', 'model or dataset').choices(['model', 'dataset'] as const),
    );
}

/** Values of an option that may be repeated. */
export function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** @throws InvalidArgumentError unless it is a number from 1 to 999 */
function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,2}$/u.test(text)) throw new InvalidArgumentError('not a number from 1 to 999');
  return Number(text);
}
