
# Compares files of $out with their git blob ids. $blobsPath holds two lines for each: id and path.
while IFS= read -r id && IFS= read -r path; do
  found=$({
    printf 'blob %s\0' "$(stat -Lc %s -- "$path")"
    cat -- "$path"
  } | sha1sum)
  if [[ ${found%% *} != "$id" ]]; then
    printf 'nix-hug: git changes %q on its way out of the repository, by .gitattributes; lock it with nix-hug add\n' "$path" >&2
    exit 1
  fi
done <"$blobsPath"
