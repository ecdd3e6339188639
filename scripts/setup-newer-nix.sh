#!/usr/bin/env bash
# Makes Debian roots with newer versions of Nix, beside the system's own:
#
#   .cache/nix-stable     that of Debian 13, 2.26
#   .cache/nix-current    that of Debian's development version, which users run today
#
# Does nothing when they are there; what it needs tells scripts/debian-root.sh. Two minutes and 800 MB.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/debian-root.sh .cache/nix-stable nix-bin,ca-certificates,git trixie
scripts/debian-root.sh .cache/nix-current nix-bin,ca-certificates,git
