#!/usr/bin/env bash
# Makes sure that there are the shells with completions, a terminal without a screen (tmux) to look
# at what users see, and a checker of man pages: does nothing when there are, and installs Debian's
# packages when this is Debian and root. Elsewhere it says what to do, and fails only where CI is
# true, since the tests can go without.
set -euo pipefail

missing=()
for program in zsh fish tmux mandoc; do
  command -v "$program" >/dev/null || missing+=("$program")
done
((${#missing[@]})) || exit 0

install_missing() {
  [[ -e /etc/debian_version && $(id -u) -eq 0 ]] &&
    { apt-get update -qq || apt-get update -qq; } &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

if ! install_missing; then
  echo "setup-shells: there is no ${missing[*]}, and what needs it is left out; install it (on" \
    "Debian, as root: apt-get install ${missing[*]}) and run this again" >&2
  [[ ${CI:-} != true ]]
fi
