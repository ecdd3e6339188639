import {
  Argument,
  type Command,
  InvalidArgumentError,
  Option,
  type OptionValues,
} from '@commander-js/extra-typings';

/** For the help of arguments. */
export const REPOSITORY =
  'a repository: org/name, hf:org/name, hf-datasets:org/name, an address on the Hub';

/** An argument that takes names of entries; the completion scripts offer them. */
export class EntryArgument<Usage extends string> extends Argument<Usage> {}

/** Adds what says which repository, revision and files are meant, without a manifest. */
export function withRemoteOptions<
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

/** @throws InvalidArgumentError unless it is a number from 1 to 999 */
export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,2}$/u.test(text)) throw new InvalidArgumentError('not a number from 1 to 999');
  return Number(text);
}
