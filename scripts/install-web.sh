#!/usr/bin/env bash
# Installs exactly what web/package-lock.json says, or says in one line what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../web"

fail() {
    echo "error: $1" >&2
    exit 1
}

for command in node npm; do
    command -v "$command" >/dev/null || fail "$command not found; install Node.js 20.19 or newer, which brings npm"
done

node --eval 'const [major, minor] = process.versions.node.split(".").map(Number);
             process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
    fail "Node.js 20.19 or newer is needed, but this is $(node --version)"

# npm 10, which comes with Node 20 and 22, leaves out the native binaries that Vite 8 needs. npm 11 is taken
# for this one command; nothing is installed globally.
npm=(npm)
version=$(npm --version)
((${version%%.*} >= 11)) || npm=(npx --yes npm@11)

"${npm[@]}" ci --no-audit --no-fund
