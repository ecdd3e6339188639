import path from 'node:path';
import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { entryNames } from '../project/entries.ts';
import type { Context } from './context.ts';
import { EntryArgument, type Program } from './options.ts';

/** What tells a completion script to complete a path itself, by the placeholder of the path. */
const PATHS: Readonly<Record<string, readonly string[]>> = { file: [':files'], dir: [':folders'] };

/** The words before the one that is completed. */
interface Line {
  readonly command: CommandUnknownOpts | undefined;
  /** How many arguments follow the command, options aside. */
  readonly operands: number;
  /** The option whose value is completed. */
  readonly option: Option | undefined;
  /** Values of the global options, by long flag. */
  readonly globals: ReadonlyMap<string, string>;
}

/**
 * Lists what the last word may become: each word on a line, with a tab and its description where it has
 * one. The shell picks those that begin with what the user has typed. `:files` or `:folders` alone
 * leaves the word to the shell.
 *
 * @param words after `nix-hug`, up to the cursor, quoted as the user typed them; bash splits
 *   `--option=value` into three
 */
export function completionLines(
  program: Program,
  words: readonly string[],
  context: Pick<Context, 'cwd' | 'endpoint' | 'home'>,
): readonly string[] {
  const last = words.at(-1) ?? '';
  const { flag, value } = splitOption(last);
  const before = [...words.slice(0, -1), ...(value === undefined ? [] : [flag])];
  const line = readLine(
    program,
    before.filter((word) => word !== '='),
    context.home,
  );
  if (line === undefined) return [];
  const { command, operands, option, globals } = line;
  if (option !== undefined) {
    const lines = valueLines(placeholderOf(option) ?? '', option.argChoices);
    if (value === undefined) return lines;
    return lines.map((each) => (each.startsWith(':') ? each : `${flag}=${each}`));
  }
  if (last.startsWith('-')) return optionLines(program, command);
  if (command === undefined) return commandLines(program);
  const all = command.registeredArguments;
  const argument = all[operands] ?? all.findLast(({ variadic }) => variadic);
  if (argument === undefined) return [];
  return argument instanceof EntryArgument
    ? entryNames({
        endpoint: context.endpoint,
        cwd: path.resolve(context.cwd, globals.get('--cwd') ?? '.'),
        manifest: globals.get('--manifest'),
      })
    : valueLines(argument.name(), argument.argChoices);
}

/** @returns `undefined` after a command that does not exist */
function readLine(program: Program, words: readonly string[], home: string): Line | undefined {
  const globals = new Map<string, string>();
  let command: CommandUnknownOpts | undefined;
  let operands = 0;
  let option: Option | undefined;
  for (const word of words) {
    if (option !== undefined) {
      globals.set(option.long ?? '', unquoted(word, home));
      option = undefined;
    } else if (word.startsWith('-')) {
      const { flag, value } = splitOption(word);
      const found = [...(command?.options ?? []), ...program.options].find((each) =>
        isNamed(each, flag),
      );
      if (found === undefined || placeholderOf(found) === undefined) continue;
      if (value === undefined) option = found;
      else globals.set(found.long ?? '', unquoted(value, home));
    } else if (command === undefined) {
      command = program.commands.find((each) => each.name() === word);
      if (command === undefined) return undefined;
    } else {
      operands += 1;
    }
  }
  return { command, operands, option, globals };
}

const isNamed = ({ short, long }: Option, flag: string): boolean => flag === short || flag === long;

/** `--option=value` in two; other words have no value. */
function splitOption(word: string): { flag: string; value: string | undefined } {
  const { flag = word, value } = /^(?<flag>--[^=]+)=(?<value>.*)$/su.exec(word)?.groups ?? {};
  return { flag, value };
}

/** A word as the shell passes it to the program, but that only `~/` is expanded, and nothing run. */
function unquoted(word: string, home: string): string {
  const QUOTED = /\\(?<one>.)|'(?<exact>[^']*)'?|"(?<text>(?:\\.|[^"\\])*)"?/gsu;
  return word
    .replace(/^~\//u, () => `${home}/`)
    .replace(QUOTED, (_match, one?: string, exact?: string, text?: string) => {
      return one ?? exact ?? (text ?? '').replace(/\\(?=["$`\\])/gu, '');
    });
}

/** The name in `--cwd <dir>`; `undefined` for an option without a value. */
const placeholderOf = ({ flags }: Option): string | undefined =>
  /[<[](?<name>[^\]>]+)[\]>]$/u.exec(flags)?.groups?.['name'];

const valueLines = (
  placeholder: string,
  choices: readonly string[] | undefined,
): readonly string[] => choices ?? PATHS[placeholder] ?? [];

function commandLines(program: Program): string[] {
  const help = program.createHelp();
  return help
    .visibleCommands(program)
    .map((command) => `${command.name()}\t${help.subcommandDescription(command)}`);
}

/** The options of a command and of the program, each under all of its names. */
function optionLines(program: Program, command: CommandUnknownOpts | undefined): string[] {
  const help = program.createHelp();
  const own = command === undefined ? [] : help.visibleOptions(command);
  const ofAll = help
    .visibleOptions(program)
    .filter(({ long }) => command === undefined || (long !== '--version' && long !== '--help'));
  return [...ofAll, ...own].flatMap(({ short, long, description }) =>
    [short, long].flatMap((name) => (name === undefined ? [] : [`${name}\t${description}`])),
  );
}
