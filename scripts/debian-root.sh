#!/usr/bin/env bash
# Makes a root directory of packages of another Debian, beside the system's own:
#
#   scripts/debian-root.sh ROOT PACKAGE[,PACKAGE]... [RELEASE]      default: sid, the development version
#
# Does nothing when ROOT is there. Run commands in it with scripts/in-debian-root. Needs Debian, root
# and the package mirror that apt is configured for.
set -euo pipefail

root=$1
packages=$2
release=${3:-sid}
[[ -d $root ]] && exit 0

if [[ ! -e /etc/debian_version || $(id -u) -ne 0 ]]; then
  echo "debian-root: needs root on Debian, to make a root directory of packages in $root" >&2
  exit 1
fi

if ! command -v mmdebstrap >/dev/null; then
  apt-get update -qq || apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
fi

# Finished or not there at all: an interrupted run leaves only the folder beside it. What is mounted
# there meanwhile is so in a namespace of its own, and thus never left behind.
partial=$root.partial
rm -rf --one-file-system -- "$partial"
mkdir -p -- "$(dirname -- "$root")"
unshare --mount --propagation private -- \
  mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
  --include="$packages" "$release" "$partial"
mv -T -- "$partial" "$root"
