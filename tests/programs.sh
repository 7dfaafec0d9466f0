#!/bin/sh
# Sees to the programs that tests start: a SIP callee (sipp), a phone that records (baresip), a voice (flite),
# certificates (openssl), a browser (chromium), a store of counters (redis-server); and to sox, which cuts and shows
# recordings.
# Installs what is absent where it may; says what is missing where it may not. Under CI=true that is a failure.
# `sh tests/programs.sh look` installs nothing.
set -u

missing() {
    for pair in sipp:sip-tester baresip:baresip-core flite:flite sox:sox openssl:openssl chromium:chromium \
        redis-server:redis-server; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf ' %s' "${pair##*:}"
    done
}

packages=$(missing)
[ -z "$packages" ] && exit 0
why="apt-get installs them as root: apt-get install$packages"
if [ "${1:-}" != look ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    said=$({ apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } 2>&1)
    packages=$(missing)
    [ -z "$packages" ] && exit 0
    why=$(printf '%s\n' "$said" | grep '^E:' | tail -n 1)
    why="apt-get says: ${why:-$(printf '%s\n' "$said" | tail -n 1)}"
fi
echo "Not installed:$packages ($why). Tests that need them can't run." >&2
[ "${CI:-}" != true ]
