import {
  type CommandSyntax,
  type Grammar,
  type OptionSyntax,
  projectFlags,
  type Value,
} from './grammar.ts';

/** The completion script of zsh: for a folder of `fpath`, under the name `_nix-hug`, or for `eval`. */
export function zshScript(grammar: Grammar): string {
  const { options, rootOptions, commands } = grammar;
  const first = [...rootOptions.flatMap(optionSpecs), `'1: :->command'`, `'*:: :->operand'`];
  const described = commands.map(({ name, description }) =>
    quoted(`${name}:${description.replaceAll(/[\\:]/gu, String.raw`\$&`)}`),
  );
  const flags = projectFlags(grammar);
  const attached = flags.map((flag) => (flag.startsWith('--') ? `${flag}=*` : `${flag}?*`));
  return `\
#compdef nix-hug
# Completions of nix-hug for zsh. In ~/.zshrc, after compinit: eval "$(nix-hug completion zsh)"

_nix-hug() {
  local curcontext=$curcontext context state state_descr line
  typeset -A opt_args
  local -a before=("\${(@)words[2,CURRENT-1]}")
  local -a commands=(
    ${described.join('\n    ')}
  )
  local -a global=(
    ${options.flatMap(optionSpecs).join('\n    ')}
  )

  _arguments -C -A '-*' "$global[@]" ${first.join(' ')} && return
  case $state in
    command) _describe -t commands command commands ;;
    operand)
      case $words[1] in
        ${commands.flatMap(commandCase).join('\n        ')}
      esac
      ;;
  esac
}

# Names of entries, of the project that the options before the cursor name.
_nix-hug-entries() {
  local -a project names expl
  local -i i
  for ((i = 1; i <= $#before; i++)); do
    case $before[i] in
      ${flags.join(' | ')}) project+=("$before[i]" "\${(Q)before[i+1]/#\\~\\//$HOME/}") ;;
      ${attached.join(' | ')}) project+=("\${(Q)before[i]}") ;;
    esac
  done
  names=(\${(f)"$(nix-hug "$project[@]" entry-names 2>/dev/null)"})
  _wanted entries expl entry compadd -a names
}

if [[ $funcstack[1] == _nix-hug ]]; then
  _nix-hug "$@"
else
  compdef _nix-hug nix-hug
fi
`;
}

function commandCase({ name, options, operands }: CommandSyntax): string[] {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...operands.map(({ value, variadic }, index) =>
      quoted(`${variadic ? '*' : index + 1}:${valueSpec(value)}`),
    ),
  ];
  return [
    `${name})`,
    `  _arguments ${['"$global[@]"', ...specs].join(' \\\n            ')}`,
    '  ;;',
  ];
}

/** One specification of `_arguments` for each name of an option. A value may be given repeatedly. */
function optionSpecs({ flags, description, value }: OptionSyntax): string[] {
  const explanation = `[${description.replaceAll(/[\\[\]:]/gu, String.raw`\$&`)}]`;
  if (value === undefined) {
    const others = flags.length > 1 ? `(${flags.join(' ')})` : '';
    return flags.map((flag) => quoted(`${others}${flag}${explanation}`));
  }
  return flags.map((flag) =>
    quoted(`*${flag}${flag.startsWith('--') ? '=' : '+'}${explanation}:${valueSpec(value)}`),
  );
}

function valueSpec({ name, kind, choices }: Value): string {
  const actions: Readonly<Record<Value['kind'], string>> = {
    entry: '_nix-hug-entries',
    choice: `(${choices.join(' ')})`,
    file: '_files',
    folder: '_files -/',
    // No message: beside one, zsh would list an option and not insert it.
    other: '( )',
  };
  return `${name}:${actions[kind]}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
