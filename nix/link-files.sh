# Fills $out with links. $linksPath holds two lines for each: the target, and the path in $out.
set -euo pipefail

mkdir "$out"
cd "$out"
while IFS= read -r target && IFS= read -r path; do
  if [[ $path == */* && ! -d ${path%/*} ]]; then
    mkdir -p -- "${path%/*}"
  fi
  ln -sT -- "$target" "$path"
done <"$linksPath"
