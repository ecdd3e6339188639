#!/usr/bin/env bash
# Makes sure that there is a Nix: does nothing when there is one, and installs Debian's package when
# this is Debian and root. Elsewhere it says what to do, and fails only where CI is true, since the
# tests can go without.
set -euo pipefail

install_nix() {
  [[ -e /etc/debian_version && $(id -u) -eq 0 ]] &&
    { apt-get update -qq || apt-get update -qq; } &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nix-bin >/dev/null
}

if ! command -v nix-build >/dev/null && ! install_nix; then
  echo "setup-nix: there is no Nix, and what needs it is left out; install it (on Debian, as root:" \
    "apt-get install nix-bin) and run this again" >&2
  [[ ${CI:-} != true ]]
fi
