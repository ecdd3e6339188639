import type { Argument, CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { EntryArgument } from '../table/options.ts';

/** What can be typed after `nix-hug`, as the completion scripts need it. */
export interface Grammar {
  /** Options that stand before a command, and after it too. */
  readonly options: readonly OptionSyntax[];
  /** Options that stand before a command only, since one has another of that name: `--version`. */
  readonly rootOptions: readonly OptionSyntax[];
  readonly commands: readonly CommandSyntax[];
}

/** A command, without the options of every command. */
export interface CommandSyntax {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionSyntax[];
  readonly operands: readonly Operand[];
}

/** An option under all of its names. */
export interface OptionSyntax {
  /** `['-C', '--cwd']`, short ones first. */
  readonly flags: readonly string[];
  readonly description: string;
  /** `undefined` when it takes none. */
  readonly value: Value | undefined;
}

/** An argument that is no option. */
interface Operand {
  readonly value: Value;
  /** Whether it stands for all that follow. */
  readonly variadic: boolean;
}

/** What a shell may offer for a value. */
export interface Value {
  /** Name of the placeholder, such as `dir`. */
  readonly name: string;
  readonly kind: 'entry' | 'choice' | 'file' | 'folder' | 'other';
  /** All possible values of a `choice`, else none. */
  readonly choices: readonly string[];
}

/** Placeholders that stand for a path on this machine. */
const PATHS: Readonly<Record<string, Value['kind']>> = { file: 'file', dir: 'folder' };

/** Reads the command table; what the help does not show is left out. */
export function grammarOf(program: CommandUnknownOpts): Grammar {
  const help = program.createHelp();
  const optionsOf = (command: CommandUnknownOpts) => help.visibleOptions(command).map(optionSyntax);
  const commands = help.visibleCommands(program).map((command) => ({
    name: command.name(),
    description: help.subcommandDescription(command),
    options: optionsOf(command).filter(({ flags }) => !flags.includes('--help')),
    operands: help.visibleArguments(command).map(operand),
  }));
  const taken = new Set(commands.flatMap(({ options }) => options.flatMap(({ flags }) => flags)));
  const isTaken = ({ flags }: OptionSyntax) => flags.some((flag) => taken.has(flag));
  const all = optionsOf(program);
  return {
    options: all.filter((option) => !isTaken(option)),
    rootOptions: all.filter(isTaken),
    commands,
  };
}

/** The options that say which project is meant: those that name a file or a folder for every command. */
export function projectFlags({ options }: Grammar): readonly string[] {
  return options.flatMap(({ flags, value }) =>
    value?.kind === 'file' || value?.kind === 'folder' ? flags : [],
  );
}

function optionSyntax({ short, long, flags, description, argChoices }: Option): OptionSyntax {
  const placeholder = /[<[](?<name>[^\]>]+)[\]>]$/u.exec(flags)?.groups?.['name'];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    value: placeholder === undefined ? undefined : valueOf(placeholder, argChoices),
  };
}

function operand(argument: Argument): Operand {
  const name = argument.name();
  return {
    value:
      argument instanceof EntryArgument
        ? { name, kind: 'entry', choices: [] }
        : valueOf(name, argument.argChoices),
    variadic: argument.variadic,
  };
}

function valueOf(name: string, choices: readonly string[] | undefined): Value {
  return choices === undefined
    ? { name, kind: PATHS[name] ?? 'other', choices: [] }
    : { name, kind: 'choice', choices };
}
