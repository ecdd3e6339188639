#!/bin/sh
# Builds the command: dist/bin.cjs, all of it but undici in one file, with what V8 compiles of it;
# dist/launch.cjs, which starts it; its manual page, and the licences of the packages inside.
# Needs node and esbuild on PATH, and node_modules. `npm run build` and package.nix call it.
set -eu
cd "$(dirname "$0")/.."

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
rm -f dist/bin.cjs.cache

# The packages that are left out are what cosmiconfig parses with, which nothing here asks it to.
bundle() {
  esbuild --bundle --platform=node --target=node20.18 --log-level=warning \
    --external:import-fresh --external:js-yaml --external:parse-json --external:typescript "$@"
}

# Without comments a program is ASCII, which V8 keeps in half of the memory.
program() {
  bundle --outdir=dist --format=cjs --out-extension:.js=.cjs --define:import.meta.dirname=__dirname \
    --minify-whitespace --line-limit=200 --legal-comments=none "$@"
}

# Half of all the code is undici's. What makes no request does not read it.
program undici=undici --metafile="$temporary/undici.json"
program src/launch.ts --metafile="$temporary/launch.json"
program src/bin.ts --metafile="$temporary/command.json" --alias:undici=./undici.cjs --external:./undici.cjs \
  --banner:js='(function (module, exports, require, __dirname) {' --footer:js='})'
chmod +x dist/launch.cjs

# What CommonJS packages want of Node they `require`.
banner='import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);'
bundle scripts/write-licenses.ts scripts/write-man-page.ts scripts/write-code-cache.ts \
  --outdir="$temporary" --format=esm --out-extension:.js=.mjs --banner:js="$banner"
node "$temporary/write-licenses.mjs" "$temporary"/*.json > dist/third-party-licenses.txt
node "$temporary/write-man-page.mjs" > dist/nix-hug.1

# With a seed V8 writes the same bytes, but for one build in a hundred or so.
env -i PATH="$PATH" HOME="$temporary" \
  node --random-seed=1 "$temporary/write-code-cache.mjs" dist/bin.cjs examples/many-models > /dev/null
