#!/usr/bin/env bash
# Makes a Debian root with the Nix that users run today, beside the system's own:
#
#   scripts/setup-current-nix.sh [ROOT]        default .cache/nix-current
#
# Does nothing when ROOT is there. Run commands in it with scripts/nix-current. Needs Debian, root
# and the package mirror that apt is configured for; about a minute and 400 MB.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

root=${1:-.cache/nix-current}
[[ -d $root ]] && exit 0

if [[ ! -e /etc/debian_version || $(id -u) -ne 0 ]]; then
  echo "setup-current-nix: needs root on Debian, to make a root directory of packages" >&2
  exit 1
fi

if ! command -v mmdebstrap >/dev/null; then
  apt-get update -qq || apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
fi

# Finished or not there at all: an interrupted run leaves only the folder beside it.
partial=$root.partial
rm -rf --one-file-system -- "$partial"
mkdir -p -- "$(dirname -- "$root")"
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
  --include=nix-bin,ca-certificates,git sid "$partial"
mv -T -- "$partial" "$root"
