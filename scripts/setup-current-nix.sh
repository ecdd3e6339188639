#!/usr/bin/env bash
# Makes a Debian root with the Nix that users run today, beside the system's own:
#
#   scripts/setup-current-nix.sh [ROOT]        default .cache/nix-current
#
# Does nothing when ROOT is there; what it needs tells scripts/debian-root.sh. About a minute and
# 400 MB.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/debian-root.sh "${1:-.cache/nix-current}" nix-bin,ca-certificates,git
