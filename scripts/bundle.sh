#!/bin/sh
# Builds the command: dist/bin.cjs, all of it but the packages below in one file, and dist/launch.cjs,
# which starts it; its manual page, and the licences of the packages inside.
# Needs node and esbuild on PATH, and node_modules. `npm run build` and package.nix call it.
set -eu
cd "$(dirname "$0")/.."

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# The packages that are left out are what cosmiconfig parses with, which nothing here asks it to.
bundle() {
  esbuild --bundle --platform=node --target=node20.18 --log-level=warning \
    --alias:crypto=./scripts/lazy-crypto.cjs --external:import-fresh --external:js-yaml --external:parse-json --external:typescript "$@"
}

# CommonJS modules: each part of them runs when it is first imported, as a command needs it.
program() {
  bundle --outdir=dist --format=cjs --out-extension:.js=.cjs --define:import.meta.dirname=__dirname \
    --minify-whitespace --line-limit=200 --legal-comments=none "$@"
}

# Large packages, which few commands load, in files of their own: Node reads and parses the whole of a
# file before it runs any of it, 20 ms for each megabyte.
set -- undici send listr2 @lezer/python
entries= aliases=
for package; do
  file=${package##*/}
  entries="$entries $file=$package"
  aliases="$aliases --alias:$package=./$file.cjs --external:./$file.cjs"
done
# shellcheck disable=SC2086 # names of packages have no spaces
program $entries --metafile="$temporary/packages.json"
# shellcheck disable=SC2086
program src/bin.ts $aliases --metafile="$temporary/bin.json"
cp src/launch.cjs dist/launch.cjs
chmod +x dist/launch.cjs

# What CommonJS packages want of Node they `require`.
banner='import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);'
bundle scripts/write-licenses.ts scripts/write-man-page.ts \
  --outdir="$temporary" --format=esm --out-extension:.js=.mjs --banner:js="$banner"
node "$temporary/write-licenses.mjs" "$temporary"/*.json > dist/third-party-licenses.txt
node "$temporary/write-man-page.mjs" > dist/nix-hug.1
