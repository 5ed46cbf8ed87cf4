# Functions of `run` and `capture`: they start the programs, talk to them, and end them. Sourced, with `set -euo pipefail`.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
logs=$(mktemp -d)
dubbo2=2.7.23
dubbo3=3.3.6

trap '' PIPE # a consumer that has died is one that does not answer

declare -A pids=()    # programs that run, by name
declare -A asking=()  # file descriptors to the consumers' standard input, by name
declare -A telling=() # and from their standard output

# installed COMMAND PACKAGE: has Debian install what is missing. Where that can't be done, there is nothing to run.
installed() {
  if ! command -v "$1" >/dev/null; then
    echo "installing $2, as there is no $1"
    if ! { apt-get -qq update && apt-get -qq install --yes --no-install-recommends "$2"; } >/dev/null; then
      echo "skipped: there is no $1, and $2 can't be installed"
      exit 0
    fi
  fi
}

# Has what the scripts themselves and the Java programs need.
install_tools() {
  installed python3 python3
  installed curl curl
  installed javac openjdk-17-jdk-headless
  installed mvn maven
}

# Compiles the Java programs against both editions. The first time Maven fetches what they need.
build_java() {
  local profile
  for profile in dubbo2 dubbo3; do
    timeout 600 mvn --batch-mode --quiet -Dstyle.color=never --file "$here/java/pom.xml" -P "$profile" process-classes
  done
}

# background NAME COMMAND...: runs it beside us, with what it says in $logs/NAME; it ends with us.
background() {
  local name=$1
  shift
  rm -f "$logs/$name" # what an earlier one of this name said
  "$@" >"$logs/$name" 2>"$logs/$name.errors" </dev/null &
  pids[$name]=$!
}

# address_of NAME [N]: waits for the program to tell where it listens: the first place, or the Nth.
address_of() {
  local tries=200
  until grep -oE '127\.0\.0\.1:[1-9][0-9]*' "$logs/$1" 2>/dev/null | sed -n "${2:-1}p" | grep .; do
    if ! ((tries--)) || ! kill -0 "${pids[$1]}" 2>/dev/null; then
      echo "$1 does not listen:" >&2
      tail -n 20 "$logs/$1"* >&2
      return 1
    fi
    sleep 0.1
  done
}

# end NAME [SIGNAL]: ends a program, waits for it, and returns its exit code. A program that does not end is killed.
end() {
  local pid=${pids[$1]} tries=150 code=0
  unset "pids[$1]"
  kill "-${2:-TERM}" "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && ((tries--)); do
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || code=$?
  return "$code"
}

# A port that is free now.
free_port() {
  python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# provider NAME EDITION OPTION...: a Java provider on a free port, or the one of `port=`, whose tag is its name.
provider() {
  background "$1" "$here/java/kitchen" "$2" provider --tag "$1" --port "${port:-$(free_port)}" "${@:3}"
}

# consumer NAME EDITION: a Java consumer that waits to be asked.
consumer() {
  local in out
  mkfifo "$logs/$1.in" "$logs/$1.out"
  "$here/java/kitchen" "$2" consumer --cases - \
    <"$logs/$1.in" >"$logs/$1.out" 2>"$logs/$1.errors" &
  pids[$1]=$!
  exec {in}>"$logs/$1.in" {out}<"$logs/$1.out"
  asking[$1]=$in
  telling[$1]=$out
}

# await NAME [SECONDS]: what a consumer answers, up to the line that ends it.
await() {
  local line end=$((SECONDS + ${2:-60}))
  while IFS= read -r -t $((end > SECONDS ? end - SECONDS : 1)) line <&"${telling[$1]}"; do
    case $line in
      ready | done) return ;;
      'done '*) printf '%s\n' "${line#done }" && return ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
  echo "FAILED: no answer from $1"
}

# begin NAME WORD...: asks a consumer; `await` has the answer.
begin() {
  printf '%s\n' "${*:2}" >&"${asking[$1]}"
}

# ask NAME WORD...: asks a consumer and tells its answer.
ask() {
  begin "$@"
  await "$1"
}

# Ends what still runs: only what was started here.
end_all() {
  local name
  for name in "${!pids[@]}"; do
    # One that was stopped has to go on, to end.
    kill -CONT "${pids[$name]}" 2>/dev/null || true
    kill -TERM "${pids[$name]}" 2>/dev/null || true
  done
  for name in "${!pids[@]}"; do
    end "$name" || true
  done
}
