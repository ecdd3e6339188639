import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { createProgram } from '../../src/cli/commands.ts';
import { EXAMPLES } from '../../src/cli/examples.ts';

/** A command as the help shows it. */
export interface DocumentedCommand {
  readonly name: string;
  /** `nix-hug fetch [options] [targets...]`. */
  readonly usage: string;
  readonly description: string;
  readonly operands: readonly Term[];
  readonly options: readonly Term[];
  /** Heading of the group that the help shows it in. */
  readonly group: string;
  /** Calls, and what each does. */
  readonly examples: readonly (readonly [call: string, does: string])[];
}

/** An argument or option, and what it does. */
export interface Term {
  readonly term: string;
  readonly description: string;
}

/** The whole program, whose commands do nothing. */
export const createIdleProgram = (): CommandUnknownOpts =>
  createProgram(
    {
      packageFolder: process.cwd(),
      cwd: '/',
      env: {},
      home: '/',
      stdout: process.stdout,
      stderr: process.stderr,
      signal: new AbortController().signal,
      runProgram: () => Promise.reject(new Error('no program runs here')),
    },
    async () => undefined,
  );

/** The program whose table this is. */
export const program = createIdleProgram();

/** The options of every command. */
export const globalOptions: readonly Term[] = optionsOf(program);

/** The commands that the help lists, in its order. */
export const commands: readonly DocumentedCommand[] = program
  .createHelp()
  .visibleCommands(program)
  .filter((command) => command.name() !== 'help')
  .map((command) => {
    const help = command.createHelp();
    return {
      name: command.name(),
      usage: help.commandUsage(command),
      description: help.commandDescription(command),
      operands: help.visibleArguments(command).map((argument) => ({
        term: help.argumentTerm(argument),
        description: help.argumentDescription(argument),
      })),
      options: optionsOf(command).filter(({ term }) => !term.includes('--help')),
      group: command.helpGroup().replace(/:$/u, ''),
      examples: EXAMPLES[command.name()] ?? [],
    };
  });

function optionsOf(command: CommandUnknownOpts): Term[] {
  const help = command.createHelp();
  return help.visibleOptions(command).map((option) => ({
    term: help.optionTerm(option),
    description: help.optionDescription(option),
  }));
}
