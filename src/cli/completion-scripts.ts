/** The shells that have a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

// The scripts ask `nix-hug complete` what may follow: see `completionLines`. They evaluate nothing that
// the user has typed, and nothing of what they read.

const bash = `
# Completions of nix-hug for bash. In ~/.bashrc: eval "$(nix-hug completion bash)"

_nix_hug() {
  local line word=\${COMP_WORDS[COMP_CWORD]}
  [[ $word != = ]] || word=''
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null ;;
      :folders) compopt -o dirnames 2>/dev/null ;;
      "$word"*) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(nix-hug complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _nix_hug nix-hug
`;

const zsh = `
#compdef nix-hug
# Completions of nix-hug for zsh. In ~/.zshrc, after compinit: eval "$(nix-hug completion zsh)"

_nix-hug() {
  local line
  local -a offers
  for line in "\${(@f)$(nix-hug complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :*) [[ $PREFIX != --*=* ]] || compset -P '*=' ;|
      :files) _files ;;
      :folders) _files -/ ;;
      ?*) offers+=("\${\${line//:/\\\\:}/$'\\t'/:}") ;;
    esac
  done
  (( ! $#offers )) || _describe nix-hug offers
}

if [[ $funcstack[1] == _nix-hug ]]; then
  _nix-hug "$@"
else
  compdef _nix-hug nix-hug
fi
`;

const fish = `
# Completions of nix-hug for fish. In config.fish: nix-hug completion fish | source

function __nix_hug_complete
    type -q nix-hug; or return
    set -l words (commandline -opc) (commandline -ct)
    set -l typed (string replace -r '^--[^=]+=' '' -- $words[-1])
    for line in (nix-hug complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case :files
                # As for a command that nothing is known of.
                complete -C "nix-hug-path $typed"
            case :folders
                __fish_complete_directories $typed
            case '*'
                echo $line
        end
    end
end

complete -c nix-hug -f -a '(__nix_hug_complete)'
`;

const SCRIPTS = { bash, zsh, fish };

/** The completion script of a shell. */
export const completionScript = (shell: (typeof SHELLS)[number]): string => SCRIPTS[shell].trim();
