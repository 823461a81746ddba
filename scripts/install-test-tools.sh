#!/usr/bin/env bash
# The end-to-end tests drive Chromium, whose webcam is a film that ffmpeg makes, and one has nginx in front of the
# server; one drives Firefox and WebKit, and is skipped where they are not. The files of deploy/ are checked by the
# programs that read them, and what the image holds is run by bwrap. Installs what is missing where that is possible
# (root on a Debian-like system), and otherwise says in one line what to install.
set -euo pipefail

missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing+=(chromium)
command -v ffmpeg >/dev/null || missing+=(ffmpeg)
# Debian has it where users do not look for programs.
command -v nginx >/dev/null || [[ -x /usr/sbin/nginx ]] || missing+=(nginx)
command -v caddy >/dev/null || missing+=(caddy)
command -v promtool >/dev/null || missing+=(prometheus)
command -v bwrap >/dev/null || missing+=(bubblewrap)
others=()
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || others+=(firefox-esr)
command -v WebKitWebDriver >/dev/null || others+=(webkit2gtk-driver)
command -v Xvfb >/dev/null || others+=(xvfb)

if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    ((${#missing[@]})) || exit 0
    echo "error: the tests need ${missing[*]}; please install (Debian: sudo apt-get install ${missing[*]})" >&2
    exit 1
fi

missing+=("${others[@]}")
((${#missing[@]})) || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends "${missing[@]}"
