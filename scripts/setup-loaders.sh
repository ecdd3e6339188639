#!/usr/bin/env bash
# Makes what the tests of the loaders run, test/compat/loaders.test.ts and clients.test.ts:
#
#   scripts/setup-loaders.sh
#
#   .cache/loaders-root      transformers and torch of Debian's development version: that of the
#                            Python index needs gigabytes of libraries for graphics cards on Linux
#   .cache/python/loaders    the newest of all others, from the Python index
#   .cache/python/loaders-*  clients of earlier years, one environment for each file of requirements
#   .cache/llama-root        llama.cpp of Debian's development version
#   .cache/hf-hub            a client that uses the Rust library hf-hub, where cargo is at hand
#
# Does nothing when they are there; what it needs tell scripts/debian-root.sh and
# scripts/setup-python.sh. About nine minutes and 3 GB.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/setup-python.sh test/compat/requirements-loaders*.txt
scripts/debian-root.sh .cache/loaders-root python3-transformers,python3-torch
scripts/debian-root.sh .cache/llama-root llama.cpp

# rustup has a `cargo` that needs a toolchain of the user.
if ! cargo --version >/dev/null 2>&1; then
  echo "setup-loaders: there is no cargo that runs, and the tests with hf-hub are left out" >&2
  exit
fi
cargo build --quiet --release --locked \
  --manifest-path test/compat/hf-hub/Cargo.toml --target-dir .cache/hf-hub
