#!/usr/bin/env bash
# Resolves the newest versions that pyproject.toml allows and records them in constraints.txt.
#
# PyTorch is left open within its minor version, and the CUDA libraries that it brings are left out: which of
# them exist depends on the machine and on the build of PyTorch that pip finds there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
scripts/create-venv.sh "${1:-python3}" "$venv/venv"
"$venv/venv/bin/pip" install --disable-pip-version-check --editable '.[dev,docs]'

{
    echo "# The versions that make installs. Written by scripts/update-constraints.sh; do not edit."
    "$venv/venv/bin/pip" freeze --all --exclude-editable |
        grep --extended-regexp --invert-match '^(pip|triton|cuda-[^=]*|nvidia-[^=]*)==' |
        sed --regexp-extended 's/^torch==([0-9]+\.[0-9]+)\..*/torch==\1.*/'
} >"$venv/constraints.txt"
cp "$venv/constraints.txt" constraints.txt
