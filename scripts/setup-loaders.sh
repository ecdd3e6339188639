#!/usr/bin/env bash
# Makes what the tests of the loaders run, loaders.test.ts, clients.test.ts, dependencies.test.ts and
# quants.test.ts of test/compat:
#
#   scripts/setup-loaders.sh
#
#   .cache/loaders-root      transformers and torch of Debian's development version: that of the
#                            Python index needs gigabytes of libraries for graphics cards on Linux
#   .cache/python/loaders    the newest of all others, from the Python index
#   .cache/python/loaders-*  clients of earlier years, one environment for each file of requirements
#   .cache/python/dependencies  the newest libraries that need torch, for the Python of loaders-root
#   .cache/llama-root        llama.cpp of Debian's development version
#   .cache/hf-hub            a client that uses the Rust library hf-hub, where cargo is at hand
#
# Does nothing when they are there; what it needs tell scripts/debian-root.sh and
# scripts/setup-python.sh. About ten minutes and 3.5 GB.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/setup-python.sh test/compat/requirements-loaders*.txt
scripts/debian-root.sh .cache/loaders-root python3-transformers,python3-torch
scripts/debian-root.sh .cache/llama-root llama.cpp

# A list of all of them, since pip would add torch of the Python index to what needs it. Copied last, so
# a folder whose copy is equal is complete.
requirements=test/compat/dependencies/requirements.txt
folder=.cache/python/dependencies
if ! cmp -s -- "$requirements" "$folder/requirements.txt"; then
  version=$(scripts/in-debian-root .cache/loaders-root \
    python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  rm -rf -- "$folder"
  .cache/python/loaders/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
    --only-binary=:all: --no-deps --python-version "$version" --target "$folder" --requirement "$requirements"
  cp -- "$requirements" "$folder/requirements.txt"
fi

# rustup has a `cargo` that needs a toolchain of the user.
if ! cargo --version >/dev/null 2>&1; then
  echo "setup-loaders: there is no cargo that runs, and the tests with hf-hub are left out" >&2
  exit
fi
cargo build --quiet --release --locked \
  --manifest-path test/compat/hf-hub/Cargo.toml --target-dir .cache/hf-hub
