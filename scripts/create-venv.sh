#!/usr/bin/env bash
# Creates a virtual environment, or says in one line what is missing: create-venv.sh PYTHON FOLDER
set -euo pipefail

python=$1
folder=$2

fail() {
    echo "error: $1" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "$python not found; install Python 3.11 or newer"

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed, but $python is $("$python" --version 2>&1); try: make PYTHON=python3.12 …"

# Debian packs venv without ensurepip; the environment would then be made without pip.
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no working venv module; on Debian and Ubuntu: apt-get install python3-venv"

# A half-made environment would pass for a finished one at the next call.
trap 'rm -rf "$folder"' ERR INT TERM
"$python" -m venv --clear "$folder"
