# makeWrapper EXECUTABLE OUT [--add-flags FLAGS] [--set-default NAME VALUE]
makeWrapper() {
  local executable=$1 out=$2 flags='' settings=''
  shift 2
  while (($# > 0)); do
    case $1 in
      --add-flags)
        flags+=" $2"
        shift 2
        ;;
      --set-default)
        settings+="export $2=\${$2-$(printf '%q' "$3")}"$'\n'
        shift 3
        ;;
      *)
        echo "makeWrapper: the stand-in does not know $1" >&2
        return 1
        ;;
    esac
  done
  mkdir -p "$(dirname "$out")"
  printf '#! %s -e\n%sexec "%s"%s "$@"\n' "$(type -P bash)" "$settings" "$executable" "$flags" > "$out"
  chmod +x "$out"
}
