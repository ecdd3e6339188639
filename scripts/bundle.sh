#!/bin/sh
# Builds the command: dist/bin.cjs, all of it in one file, and dist/launch.cjs, which starts it; its
# manual page, and the licences of the packages inside.
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

# A CommonJS module: each part of it runs when it is first imported, as a command needs it.
bundle src/bin.ts --outfile=dist/bin.cjs --format=cjs --define:import.meta.dirname=__dirname \
  --minify-whitespace --line-limit=200 --legal-comments=none --metafile="$temporary/bin.json"
cp src/launch.cjs dist/launch.cjs
chmod +x dist/launch.cjs

# What CommonJS packages want of Node they `require`.
banner='import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);'
bundle scripts/write-licenses.ts scripts/write-man-page.ts \
  --outdir="$temporary" --format=esm --out-extension:.js=.mjs --banner:js="$banner"
node "$temporary/write-licenses.mjs" "$temporary/bin.json" > dist/third-party-licenses.txt
node "$temporary/write-man-page.mjs" > dist/nix-hug.1
