#!/usr/bin/env bash
# Writes link/start.order: the functions that short runs call, by the names the linker knows them by, so that it puts them
# beside each other (ARCHITECTURE.md, "What does a start cost?").
#
#   link/order.sh [PROGRAM]            # asks valgrind which functions run, and writes the file; build again after it
#   link/order.sh --check [PROGRAM]    # tells how many of the names in the file are still there
#
# PROGRAM is wrun with its symbols; without it, one is built.
# Names hold a hash of the compiler's version and of each crate's, so the file is to be written again when these change; names
# that are gone do no harm but leave their functions where they fall. Needs valgrind.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

order=link/start.order
host=$(rustc -vV | sed -n 's/^host: //p')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

check=no
if [[ ${1:-} == --check ]]; then check=yes; shift; fi
wrun=${1:-}
if [[ -z $wrun ]]; then
  cargo rustc --release --locked --bin wrun -- -C strip=none
  target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
  wrun=$folder/wrun
  cp "$target/$host/release/wrun" "$wrun"
fi

# Functions by address: name, place.
nm --defined-only "$wrun" | awk '$2 ~ /^[tTwWi]$/ && !seen[$3]++ { print $3, $1 }' | sort >"$folder/all"

if [[ $check == yes ]]; then
  sort -u "$order" | join - "$folder/all" | wc -l | xargs printf '%s of '
  wc -l <"$order" | xargs printf '%s names are there\n'
  exit
fi

export WRUN_CACHE_DIR=$folder/cache HOME=$folder XDG_CACHE_HOME=$folder
runs=0
trace() { # ARGUMENT...: notes the functions of a run
  runs=$((runs + 1))
  valgrind --quiet --tool=callgrind --demangle=no --callgrind-out-file="$folder/trace" "$wrun" "$@" >/dev/null 2>&1 </dev/null || true
  grep -aoE '^c?fn=\([0-9]+\) .*' "$folder/trace" | sed -E "s/^[^ ]* //; s/'[0-9]+\$//" | sort -u | join - "$folder/all" \
    | awk -v run="$runs" '{ print run, $2, $1 }' >>"$folder/called"
}

fill() { # ARGUMENT...: the same run before, so that the cache has its code; for the processor that valgrind shows it
  valgrind --quiet --tool=none "$wrun" "$@" >/dev/null 2>&1 </dev/null || true
}

add=fixtures/add.wasm program=fixtures/c/greet.wasm
fill "$add" add 5 3
trace "$add" add 5 3
trace --version
for engine in wasmtime wasmer; do
  for run in "-r $engine $add add 5 3" "-r $engine $program -- -"; do
    # shellcheck disable=SC2086 # the words are the arguments
    fill $run
    # shellcheck disable=SC2086
    trace $run
  done
done
trace "$add" add 5 3 --metrics --pretty
trace --no-cache "$add" add 5 3

# Valgrind's processor lacks the widest instructions, and so the functions that use them are never seen in it.
grep -E '^(blake3_\w+_avx512|__(mem|str)\w+_(evex|avx512)\w*) ' "$folder/all" | awk '{ print 1, $2, $1 }' >>"$folder/called"

sort -k1,1n -k2,2 "$folder/called" | awk '!seen[$3]++ { print $3 }' >"$order"
wc -l "$order"
