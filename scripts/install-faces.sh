#!/usr/bin/env bash
# Puts the face detector's model files where the server finds them: from the npm package in web/node_modules,
# each only if it is the published file. install-faces.sh FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1
package=web/node_modules/@mediapipe/face_detection
sums=$PWD/server/detection/SHA256SUMS

fail() {
    echo "error: $1" >&2
    exit 1
}

[[ -d $package ]] || fail "$package is not there; run scripts/install-web.sh first"

# macOS has no sha256sum.
check=(sha256sum)
command -v sha256sum >/dev/null || check=(shasum -a 256)
(cd "$package" && "${check[@]}" --check "$sums" >/dev/null 2>&1) ||
    fail "the model files in $package are not those of server/detection/SHA256SUMS"

mkdir -p "$folder"
while read -r _ name; do
    # By way of another name, so that a server that starts meanwhile finds no half of a file. Files of the
    # package may be unreadable for others than their owner.
    install -m 644 "$package/$name" "$folder/$name.part"
    mv "$folder/$name.part" "$folder/$name"
done <"$sums"
