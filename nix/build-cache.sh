# Makes a Hugging Face cache in $out. $planPath holds one record a line, with fields between tabs:
#
#   snapshot  MODEL  PATH                  link to a model
#   tree      PATH                         begins the list of the files of a commit
#   file      NAME  SIZE  BLOB [SHA-256]   a file of that list: name as JSON, LFS digest in base64
#   end                                    ends that list
#   absent    FOLDER  NAMES                files that a commit does not have, between spaces
#   folder    PATH                         empty folder
#   ref       COMMIT  PATH                 what a branch or tag points to
#   alias     FOLDER  PATH                 link to a repository in the same cache
set -euo pipefail

# The cache has digests in hex. Only LFS files have a fifth field.
cut -s -f5 "$planPath" | base64 -d | od -An -v -tx1 -w32 | tr -d ' ' >digests
exec 3<digests

mkdir "$out"
cd "$out"

parent() {
  [[ -d ${1%/*} ]] || mkdir -p -- "${1%/*}"
}

while IFS=$'\t' read -r record a b c d; do
  case $record in
    snapshot)
      parent "$b"
      ln -sT -- "$a" "$b"
      ;;
    tree)
      parent "$a"
      exec 4>"$a"
      printf '{"format_version":1,"files":{' >&4
      separator=
      ;;
    file)
      printf '%s\n%s:{"size":%s,"blob_id":"%s"' "$separator" "$a" "$b" "$c" >&4
      if [[ -n $d ]]; then
        read -r sha256 <&3
        printf ',"lfs_sha256":"%s","lfs_size":%s' "$sha256" "$b" >&4
      fi
      printf '}' >&4
      separator=','
      ;;
    end)
      printf '\n}}\n' >&4
      ;;
    absent)
      mkdir -p -- "$a"
      for name in $b; do
        : >"$a/$name"
      done
      ;;
    folder)
      mkdir -p -- "$a"
      ;;
    ref)
      parent "$b"
      printf '%s' "$a" >"$b"
      ;;
    alias)
      # An id that differs in case alone is there already where case does not count.
      [[ -e $b ]] || ln -sT -- "$a" "$b"
      ;;
  esac
done <"$planPath"
