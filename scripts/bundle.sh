#!/bin/sh
# Builds the command: dist/bin.js with all that it needs, its manual page, and the licences of the
# packages inside. Few files make a quick start: to load the YAML parser alone, Node reads 80.
# Needs node and esbuild on PATH, and node_modules. `npm run build` and package.nix call it.
set -eu
cd "$(dirname "$0")/.."

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# What CommonJS packages want of Node they `require`.
banner='import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);'

# The packages that are left out are what cosmiconfig parses with, which nothing here asks it to.
bundle() {
  esbuild --bundle --platform=node --target=node20.18 --format=esm --log-level=warning \
    --external:import-fresh --external:js-yaml --external:parse-json --external:typescript \
    --banner:js="$banner" "$@"
}

bundle src/bin.ts --splitting --outdir=dist --chunk-names='chunks/[name]-[hash]' \
  --metafile="$temporary/inputs.json"
chmod +x dist/bin.js

bundle scripts/write-licenses.ts scripts/write-man-page.ts --outdir="$temporary" \
  --out-extension:.js=.mjs
node "$temporary/write-licenses.mjs" "$temporary/inputs.json" > dist/third-party-licenses.txt
node "$temporary/write-man-page.mjs" > dist/nix-hug.1
