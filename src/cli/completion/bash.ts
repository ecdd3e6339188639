import { type Grammar, type OptionSyntax, projectFlags, type Value } from './grammar.ts';

/**
 * The completion script of bash, which needs nothing but bash. What comes from files is compared and
 * never expanded, unlike the words of `compgen -W`.
 */
export function bashScript(grammar: Grammar): string {
  const { options, rootOptions, commands } = grammar;
  const values = [
    ...options.flatMap((option) => valueCase(`*' `, option)),
    ...commands.flatMap(({ name, options: own }) =>
      own.flatMap((option) => valueCase(`'${name} `, option)),
    ),
  ];
  const ownFlags = commands.map(({ name, options: own }) => `${name}) echo '${flagsOf(own)}' ;;`);
  const operands = commands.flatMap(({ name, operands: all }) =>
    all.map(
      ({ value, variadic }, index) =>
        `'${name} '${variadic ? '*' : index}) echo '${kindOf(value)}' ;;`,
    ),
  );
  return `\
# Completions of nix-hug for bash. In ~/.bashrc: eval "$(nix-hug completion bash)"

_nix_hug() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command='' flag='' word kind IFS=$' \\t\\n'
  local -i i operands=0
  local -a project=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == = ]]; then
      continue
    elif [[ -n $flag ]]; then
      case $flag in
        ${projectFlags(grammar).join(' | ')}) project+=("$flag" "$(_nix_hug_unquoted "$word")") ;;
      esac
      flag=''
    elif [[ $word == -* ]]; then
      [[ -z $(_nix_hug_value "$command" "$word") ]] || flag=$word
    elif [[ -z $command ]]; then
      command=$word
    else
      operands+=1
    fi
  done
  [[ $cur != = ]] || cur=''

  if [[ -n $flag ]]; then
    kind=$(_nix_hug_value "$command" "$flag")
  elif [[ $cur == -* ]]; then
    kind="choice $(_nix_hug_flags "$command")"
  elif [[ -z $command ]]; then
    kind='choice ${commands.map(({ name }) => name).join(' ')}'
  else
    kind=$(_nix_hug_operand "$command" "$operands")
  fi
  case $kind in
    choice*) _nix_hug_offer "$cur" < <(printf '%s\\n' \${kind#choice}) ;;
    entry) _nix_hug_offer "$cur" < <(nix-hug "\${project[@]}" entry-names 2>/dev/null) ;;
    file) compopt -o default 2>/dev/null ;;
    folder) compopt -o dirnames 2>/dev/null ;;
  esac
}

# Offers the lines of standard input that begin with what is typed.
_nix_hug_offer() {
  local line
  while IFS= read -r line; do
    [[ $line != "$1"* ]] || COMPREPLY+=("$line")
  done
}

# A word as the program would get it; unlike eval this runs nothing.
_nix_hug_unquoted() {
  local word=$1
  case $word in
    \\'*\\') word=\${word:1:\${#word}-2} ;;
    \\"*\\") word=\${word:1:\${#word}-2} word=\${word//\\\\/} ;;
    *) word=\${word/#\\~\\//$HOME/} word=\${word//\\\\/} ;;
  esac
  printf '%s' "$word"
}

# What the value of an option is; nothing when it takes none.
_nix_hug_value() {
  case "$1 $2" in
    ${values.join('\n    ')}
  esac
}

_nix_hug_flags() {
  echo '${flagsOf(options)}'
  case $1 in
    '') echo '${flagsOf(rootOptions)}' ;;
    ${ownFlags.join('\n    ')}
  esac
}

# What an argument is, by the command and the number of arguments before it.
_nix_hug_operand() {
  case "$1 $2" in
    ${operands.join('\n    ')}
  esac
}

complete -F _nix_hug nix-hug
`;
}

/** @param scope beginning of a pattern for a command and a flag, with an open quote */
function valueCase(scope: string, { flags, value }: OptionSyntax): string[] {
  if (value === undefined) return [];
  const patterns = flags.map((flag) => `${scope}${flag}'`);
  return [`${patterns.join(' | ')}) echo '${kindOf(value)}' ;;`];
}

const kindOf = ({ kind, choices }: Value): string => [kind, ...choices].join(' ');

const flagsOf = (options: readonly OptionSyntax[]): string =>
  options.flatMap(({ flags }) => flags).join(' ');
