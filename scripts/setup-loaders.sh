#!/usr/bin/env bash
# Makes what the tests of the loaders run, test/compat/loaders.test.ts:
#
#   scripts/setup-loaders.sh
#
#   .cache/loaders-root      transformers and torch of Debian's development version: that of the
#                            Python index needs gigabytes of libraries for graphics cards on Linux
#   .cache/python/loaders    the newest of all others, from the Python index
#
# Does nothing when they are there; what it needs tell scripts/debian-root.sh and
# scripts/setup-python.sh. About five minutes and 2.3 GB.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/setup-python.sh test/compat/requirements-loaders.txt
scripts/debian-root.sh .cache/loaders-root python3-transformers,python3-torch
