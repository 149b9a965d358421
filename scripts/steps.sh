# Sourced by the other scripts: where the project is, and how a step is told.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

if [ -t 2 ]; then bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' plain=$'\e[0m'; else bold='' dim='' red='' plain=''; fi

# step WORDS: what is going on now, with the time since the script began.
step() { printf '%s==>%s %s %s(%ss)%s\n' "$bold" "$plain" "$*" "$dim" "$SECONDS" "$plain" >&2; }

# fail WORDS: stops, in words.
fail() {
    printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2
    exit 1
}
