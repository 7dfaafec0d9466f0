#!/bin/sh
# Sees to the programs that tests start: a SIP callee (sipp), a phone that records (baresip), a voice (flite), sox.
# Installs what is absent where it may; says what is missing where it may not. Under CI=true that is a failure.
set -u
missing=""
for pair in sipp:sip-tester baresip:baresip-core flite:flite sox:sox; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
        >/dev/null 2>&1 && exit 0
    why="apt-get could not install them"
else
    why="they can only be installed by apt-get as root"
fi
echo "Not installed:$missing ($why). Tests that need them can't run." >&2
[ "${CI:-}" != true ]
