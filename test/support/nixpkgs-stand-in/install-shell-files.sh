# installManPage FILE, whose name ends with the section
installManPage() {
  install -Dm644 "$1" "$out/share/man/man${1##*.}/$(basename "$1")"
}

# installShellCompletion --cmd NAME [--bash PIPE] [--zsh PIPE] [--fish PIPE]
installShellCompletion() {
  local name=$2 file
  [[ $1 == --cmd ]]
  shift 2
  while (($# > 0)); do
    case $1 in
      --bash) file=bash-completion/completions/$name.bash ;;
      --zsh) file=zsh/site-functions/_$name ;;
      --fish) file=fish/vendor_completions.d/$name.fish ;;
      *)
        echo "installShellCompletion: the stand-in does not know $1" >&2
        return 1
        ;;
    esac
    file=$out/share/$file
    mkdir -p "$(dirname "$file")"
    cat "$2" > "$file"
    [[ -s $file ]]
    shift 2
  done
}
