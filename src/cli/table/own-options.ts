import type { Program } from './root.ts';

/**
 * Lets a command have an option of the name of a global one, as `add --version RANGE` does.
 * Commander hands global options to the program wherever they stand; this holds back those that
 * follow such a command and have a value. Without a value they stay global.
 */
export function keepOwnOptions(program: Program): void {
  const parse = program.parseOptions.bind(program);
  program.parseOptions = (argv) => {
    const { own, rest } = splitOwn(program, argv);
    const { operands, unknown } = parse(rest);
    return { operands, unknown: [...own, ...unknown] };
  };
}

function splitOwn(program: Program, argv: readonly string[]): { own: string[]; rest: string[] } {
  const at = commandAt(program, argv);
  const command = program.commands.find((candidate) => candidate.name() === argv[at]);
  const names = namesOf(command?.options).filter((name) => namesOf(program.options).includes(name));
  const own: string[] = [];
  const rest = argv.slice(0, at + 1);
  for (let index = at + 1; index < argv.length; index += 1) {
    const arg = argv[index] ?? '';
    if (arg === '--') return { own, rest: [...rest, ...argv.slice(index)] };
    const value = argv[index + 1];
    if (names.includes(arg) && value !== undefined) {
      own.push(arg, value);
      index += 1;
    } else {
      (names.some((name) => arg.startsWith(`${name}=`)) ? own : rest).push(arg);
    }
  }
  return { own, rest };
}

/** Where the name of the command stands: at the first argument that no global option takes. */
function commandAt(program: Program, argv: readonly string[]): number {
  const takesValue = (arg: string) =>
    program.options.some(({ long, short, required }) => required && [long, short].includes(arg));
  return argv.findIndex((arg, index) => !arg.startsWith('-') && !takesValue(argv[index - 1] ?? ''));
}

function namesOf(options: readonly { readonly long?: string | undefined }[] = []): string[] {
  return options.flatMap(({ long }) => long ?? []);
}
