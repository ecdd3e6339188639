#!/usr/bin/env bash
# Makes one virtual environment per version of the official client that the tests run, or per file
# of requirements that is given:
#
#   scripts/setup-python.sh [FILE]...        test/python/requirements-NAME.txt -> .cache/python/NAME
#
# Does nothing when they are there. Needs Python 3.10 or newer with venv, which it installs on
# Debian as root, and the package index that pip is configured for; half a minute and 150 MB. Without
# such a Python it says what to do, and fails only where CI is true, since the tests can go without.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# Prints the first Python that can make virtual environments, or fails.
find_python() {
  local candidate
  for candidate in /usr/bin/python3 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

install_python() {
  [[ -e /etc/debian_version && $(id -u) -eq 0 ]] || return
  apt-get update -qq || apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}

[[ $# -gt 0 ]] || set -- test/python/requirements-*.txt
for requirements in "$@"; do
  name=${requirements##*/requirements-}
  venv=.cache/python/${name%.txt}
  # Copied last, so an environment whose copy is equal is complete and of the wanted version.
  stamp=$venv/requirements.txt
  cmp -s -- "$requirements" "$stamp" && continue

  if ! python=$(find_python || { install_python && find_python; }); then
    echo "setup-python: there is no Python 3.10 or newer with its venv module, and what needs it is" \
      "left out; install it (on Debian 12 or newer, as root: apt-get install python3-venv) and run this again" >&2
    [[ ${CI:-} != true ]]
    exit
  fi
  "$python" -m venv --clear "$venv"
  # The pip script of an environment does not work in a folder with a space; the module does.
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
  cp -- "$requirements" "$stamp"
done
