import {
  type CommandSyntax,
  type Grammar,
  type OptionSyntax,
  projectFlags,
  type Value,
} from './grammar.ts';

/** The completion script of fish. */
export function fishScript(grammar: Grammar): string {
  const { options, rootOptions, commands } = grammar;
  const specs = [...options, ...rootOptions].map(
    ({ flags, value }) => flagSpec(flags) + (value ? '=' : ''),
  );
  const project = options.filter(({ flags }) =>
    flags.some((flag) => projectFlags(grammar).includes(flag)),
  );
  const projectSpecs = project.map(({ flags }) => `${flagSpec(flags)}=`);
  const forwarded = project.map(({ flags }) => {
    const long = flags.at(-1) ?? '';
    const variable = `_flag_${long.replace(/^--/u, '').replaceAll('-', '_')}`;
    return `set -q ${variable}; and set -a project ${long} (string replace -r '^~/' "$HOME/" -- $${variable}[-1])`;
  });
  return `\
# Completions of nix-hug for fish. In config.fish: nix-hug completion fish | source

# Whether that is the command before the cursor; '' when there is none.
function __nix_hug_command_is
    set -l wanted $argv[1]
    set -l words (commandline -opc)
    argparse --stop-nonopt ${specs.join(' ')} -- $words[2..-1] 2>/dev/null
    test "$argv[1]" = "$wanted"
end

# Names of entries, of the project that the options before the cursor name.
function __nix_hug_entries
    type -q nix-hug; or return
    set -l words (commandline -opc)
    argparse --ignore-unknown ${projectSpecs.join(' ')} -- $words[2..-1] 2>/dev/null
    set -l project
    ${forwarded.join('\n    ')}
    nix-hug $project entry-names 2>/dev/null
end

complete -c nix-hug -f
${options.map((option) => optionLine('complete -c nix-hug', option)).join('\n')}
${rootOptions.map((option) => optionLine(when(''), option)).join('\n')}

${commands.map(({ name, description }) => `${when('')} -a ${name} -d ${quoted(description)}`).join('\n')}

${commands.flatMap(commandLines).join('\n')}
`;
}

/** The beginning of a rule that holds after a command; `''` is none yet. */
const when = (command: string): string =>
  `complete -c nix-hug -n ${quoted(`__nix_hug_command_is '${command}'`)}`;

function commandLines({ name, options, operands }: CommandSyntax): string[] {
  const start = when(name);
  return [
    ...options.map((option) => optionLine(start, option)),
    ...operands.flatMap(({ value }) => {
      const offer = offerOf(value);
      return offer === '' ? [] : `${start} ${offer}`;
    }),
  ];
}

function optionLine(start: string, { flags, description, value }: OptionSyntax): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const parameter =
    value === undefined ? [] : [value.kind === 'file' ? '-r' : '-x', offerOf(value)];
  return [start, ...names, ...parameter, '-d', quoted(description)].filter(Boolean).join(' ');
}

function offerOf({ kind, choices }: Value): string {
  const offers: Readonly<Record<Value['kind'], string>> = {
    entry: `-a '(__nix_hug_entries)'`,
    choice: `-a ${quoted(choices.join(' '))}`,
    file: '-F',
    folder: `-a '(__fish_complete_directories)'`,
    other: '',
  };
  return offers[kind];
}

/** How `argparse` writes the names of an option: `C/cwd`. */
const flagSpec = (flags: readonly string[]): string =>
  flags.map((flag) => flag.replace(/^-+/u, '')).join('/');

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/gu, String.raw`\$&`)}'`;
