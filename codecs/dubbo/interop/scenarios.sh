# What `run` does: each scenario is a function, and tells lines `ok WHAT`, `FAILED WHAT: why` or `skipped WHAT: why`.
# shellcheck shell=bash

# In this order; a minus in a name is an underscore in its function's.
# shellcheck disable=SC2034 # `run` has the loop
scenarios=(java2-to-java2 java2-to-java3 java3-to-java2 java3-to-java3 fastjson2 fastjson unread go-peers no-route refused
  route-timeout routes changes mirrored narrow hung heartbeats keepalive half-open restart drain
  provider-drain)

cases=strings,numbers,pojo,list,map,enum,bytes,date,exception-declared,exception-runtime,exception-generic,null,void
cases+=,oneway,async,large,attachments,concurrent,unknown-method,unknown-service

# expect WHAT PATTERN ANSWER [MILLISECONDS]: the answer has to look like that, and may have taken so long.
expect() {
  local took
  took=$(sed -n 's/^[a-z]* \([0-9]*\) ms:.*/\1/p' <<<"$3")
  if ! grep -qE -- "$2" <<<"$3"; then
    echo "FAILED $1: $3"
  elif [[ -n ${4:-} ]] && ((${took:-999999} > $4)); then
    echo "FAILED $1: took longer than $4 ms: $3"
  else
    echo "ok $1"
  fi
}

# holds WHAT A OPERATOR B: two numbers compare like that.
holds() {
  if ((${2:-0} $3 $4)); then echo "ok $1"; else echo "FAILED $1: $2 $3 $4 does not hold"; fi
}

# What a single call has to answer.
value() {
  echo "ms: value $1\$"
}

# All cases, each way round.
java2_to_java2() {
  ask c2 "$cases" "url=$(listener two)"
}

java2_to_java3() {
  ask c2 "$cases" "url=$(listener three)"
}

java3_to_java2() {
  ask c3 "$cases" "url=$(listener two)"
}

java3_to_java3() {
  local before
  before=$(metric downstream_connections_total 'listener="three"')
  ask c3 "$cases" "url=$(listener three)"
  holds "all on one connection" "$(metric downstream_connections_total 'listener="three"')" == $((before + 1))
}

fastjson2() {
  ask c3 "$cases" "url=$(listener three)" serialization=fastjson2
}

# Dubbo's fastjson itself makes null of NaN, and no exception of an exception, so these cases are left out.
fastjson() {
  ask c2 "$(sed 's/numbers,//; s/exception-[a-z]*,//g' <<<"$cases")" "url=$(listener two)" serialization=fastjson
}

# dubbo-go on either side, and on both.
go_peers() {
  local which
  [[ -n $go ]] || { echo "skipped go-peers: its programs are not built"; return; }
  for which in two three go; do
    timeout 60 "$here/target/kitchen-go" consumer --cases all --url "$(listener "$which")" 2>"$logs/consumer-go.errors" |
      sed "s/ / go to $which /" || echo "FAILED go to $which"
  done
  for which in c2 c3; do
    ask "$which" "$cases" "url=$(listener go)" | sed "s/ / $which to go /"
  done
}

# Serializations of which the proxy reads the header only.
unread() {
  local serialization
  for serialization in kryo java nativejava; do
    ask c2 "$cases" "url=$(listener two)" "serialization=$serialization" | sed "s/ / $serialization /"
  done
}

# What a consumer speaks with a provider of its own edition.
speaks() {
  if [[ $1 == c3 ]]; then echo hessian2 fastjson2; else echo hessian2 fastjson; fi
}

# The consumer has ten seconds; the proxy's answer has to be an exception at once, and to say why.
no_route() {
  local who how at
  at=$(listener nowhere)
  for who in c2 c3; do
    for how in $(speaks "$who"); do
      expect "$who $how" 'error NETWORK .*no route matches' "$(ask "$who" echo "url=$at" "serialization=$how")" 1000
      expect "$who $how one way" "$(value sent)" "$(ask "$who" note "url=$at" "serialization=$how" key=lost)" 1000
      expect "$who $how afterwards" 'no route matches' "$(ask "$who" echo "url=$at" "serialization=$how")" 1000
    done
  done
}

refused() {
  local who how at
  at=$(listener refused)
  for who in c2 c3; do
    for how in $(speaks "$who"); do
      expect "$who $how" 'error NETWORK .*refused' "$(ask "$who" echo "url=$at" "serialization=$how")" 1000
      expect "$who $how one way" "$(value sent)" "$(ask "$who" note "url=$at" "serialization=$how" key=lost)" 1000
    done
  done
}

route_timeout() {
  local who how at
  for who in c2 c3; do
    at=url=$(listener "hasty-$([[ $who == c2 ]] && echo two || echo three)")
    for how in $(speaks "$who"); do
      expect "$who $how" 'error TIMEOUT .*TimeoutException' "$(ask "$who" sleep for=2000 "$at" "serialization=$how")" 1000
      expect "$who $how afterwards" "$(value echo)" "$(ask "$who" echo "$at" "serialization=$how")" 1000
    done
  done
}

# Two providers behind one listener; what a call says decides which one gets it.
routes() {
  local who at key
  at=url=$(listener choices)
  for who in c2 c3; do
    expect "$who otherwise" "$(value two)" "$(ask "$who" whoami "$at")"
    expect "$who version" "$(value three)" "$(ask "$who" whoami "$at" version=2.0.0)"
    expect "$who group" "$(value three)" "$(ask "$who" whoami "$at" group=green)"
    expect "$who attachment" "$(value three)" "$(ask "$who" whoami "$at" tag=canary)"
    expect "$who another attachment" "$(value two)" "$(ask "$who" whoami "$at" tag=other)"
    expect "$who interface" "$(value three)" "$(ask "$who" pantry "$at")"
    key=key-$who
    ask "$who" note "$at" "key=$key" >/dev/null
    expect "$who method" "$(value 1)" "$(noted "$who" three "$key")"
    expect "$who method, and nowhere else" "$(value 0)" "$(ask "$who" noted "url=$(address_of two)" "key=$key")"
  done
  expect "c3 version, fastjson2" "$(value three)" "$(ask c3 whoami "$at" version=2.0.0 serialization=fastjson2)"
  expect "c3 attachment, fastjson2" "$(value three)" "$(ask c3 whoami "$at" tag=canary serialization=fastjson2)"
}

# noted CONSUMER PROVIDER KEY: how often a one-way call has arrived, as soon as it has.
noted() {
  local answer tries=50
  until answer=$(ask "$1" noted "url=$(address_of "$2")" "key=$3") && [[ $answer != *'value 0' ]]; do
    ((tries--)) || break
    sleep 0.1
  done
  echo "$answer"
}

# A route sets an attachment of requests, and one of responses.
changes() {
  local who where at
  for who in c2 c3; do
    for where in two three; do
      at=url=$(listener "changes-$where")
      expect "$who $where request" "$(value 'from the proxy')" "$(ask "$who" attachment name=tag "$at")"
      expect "$who $where instead" "$(value 'from the proxy')" "$(ask "$who" attachment name=tag tag=mine "$at")"
      expect "$who $where response" "$(value 'größe 😀')" "$(ask "$who" answered name=served-by "$at")"
      expect "$who $where own answer" "$(value 'from the proxy')" "$(ask "$who" answered name=answer-tag "$at")"
      ask "$who" "${cases/attachments,/}" "$at" | sed "s/ / $who $where /"
    done
  done
}

# Another provider gets a copy of every call, and nobody hears of it.
mirrored() {
  local who at key
  at=url=$(listener mirrored)
  for who in c2 c3; do
    key=copied-to-$who
    ask "$who" note "$at" "key=$key" >/dev/null
    expect "$who the call" "$(value 1)" "$(noted "$who" two "$key")"
    expect "$who its copy" "$(value 1)" "$(noted "$who" three "$key")"
    expect "$who the answer" "$(value two)" "$(ask "$who" whoami "$at")"
    ask "$who" "$cases" "$at" | sed "s/ / $who /"
  done
  holds "copies" "$(metric upstream_mirrored_total 'cluster="three"')" '>=' 40
  holds "their answers" "$(metric upstream_mirror_equal_total 'cluster="three"')" '>=' 30
}

# A cluster that takes one call at a time refuses the second, at once.
narrow() {
  local at
  at=url=$(listener narrow)
  expect before "$(value echo)" "$(ask c3 echo "$at")"
  begin c2 sleep for=2000 "$at"
  sleep 0.5
  expect "one too many" 'error [A-Z_]+ .*requests are in flight' "$(ask c3 echo "$at")" 1000
  expect "the first one" 'ms: value' "$(await c2)"
  expect "when there is room" "$(value echo)" "$(ask c3 echo "$at")"
}

# One of two providers hangs: calls are tried again with the other, and pings find out which it is.
hung() {
  local who tries
  for who in c2 c3; do
    expect "$who before" "$(value '(two|three)')" "$(ask "$who" whoami "url=$(listener retried)")"
  done
  holds "both are healthy" "$(metric upstream_endpoints_healthy 'cluster="checked"')" == 2
  kill -STOP "${pids[two]}"
  for who in c2 c2 c3 c3; do
    expect "$who tries again" "$(value three)" "$(ask "$who" whoami "url=$(listener retried)")" 1500
  done
  holds "further tries" "$(metric upstream_retries_total 'cluster="pair"')" '>=' 1
  tries=50
  until (($(metric upstream_endpoints_unhealthy 'cluster="checked"') == 1 || --tries == 0)); do sleep 0.1; done
  for who in c2 c2 c3 c3; do
    expect "$who is not sent there" "$(value three)" "$(ask "$who" whoami "url=$(listener checked)")" 500
  done
  kill -CONT "${pids[two]}"
  until (($(metric upstream_endpoints_healthy 'cluster="checked"') == 2 || --tries < -50)); do sleep 0.1; done
  holds "healthy again" "$(metric upstream_endpoints_healthy 'cluster="checked"')" == 2
}

# Consumers that say nothing but heartbeats keep their connections.
heartbeats() {
  local who at before pings
  at=$(listener two)
  ask c2 forget >/dev/null
  ask c3 forget >/dev/null
  for who in c2 c3; do
    expect "$who before" "$(value echo)" "$(ask "$who" echo "url=$at" heartbeat=1000)"
  done
  before=$(metric downstream_connections_total 'listener="two"')
  pings=$(metric downstream_pings_total 'listener="two"')
  sleep 5
  for who in c2 c3; do
    expect "$who after" "$(value echo)" "$(ask "$who" echo "url=$at" heartbeat=1000)" 1000
  done
  holds "heartbeats" $(($(metric downstream_pings_total 'listener="two"') - pings)) '>=' 6
  holds "no further connection" "$(metric downstream_connections_total 'listener="two"')" == "$before"
}

# A provider closes connections that say nothing for three seconds. With heartbeats of the proxy there is no such.
keepalive() {
  local which
  for which in kept-two kept-three closed; do
    expect "$which before" "$(value echo)" "$(ask c3 echo "url=$(listener "$which")")"
  done
  sleep 5
  for which in kept-two kept-three closed; do
    expect "$which after" "$(value echo)" "$(ask c3 echo "url=$(listener "$which")")" 1000
  done
  for which in kept-two kept-three; do
    holds "$which is one connection" "$(metric upstream_connections_total "cluster=\"$which\"")" == 1
  done
  holds "closed is another one" "$(metric upstream_connections_total 'cluster="closed"')" == 2
}

# A provider that hangs, with its connection open: heartbeats tell, long before the consumer gives up.
half_open() {
  local which at
  for which in two three; do
    at=url=$(listener "kept-$which")
    expect "$which before" "$(value echo)" "$(ask c3 echo "$at")"
    kill -STOP "${pids[beating-$which]}"
    expect "$which hangs" 'error NETWORK' "$(ask c3 echo "$at" timeout=14000)" 6000
    kill -CONT "${pids[beating-$which]}"
    expect "$which goes on" "$(value echo)" "$(ask c3 echo "$at")"
  done
}

# A provider ends and comes back; consumers go on.
restart() {
  local which edition at who
  for which in two three; do
    edition=2.7
    [[ $which == two ]] || edition=3
    at=url=$(listener "$which")
    local port
    port=$(address_of "$which")
    port=${port#*:}
    for who in c2 c3; do
      expect "$which $who before" "$(value "$which")" "$(ask "$who" whoami "$at")"
    done
    end "$which" || true
    for who in c2 c3; do
      expect "$which $who without it" 'error NETWORK' "$(ask "$who" whoami "$at")" 1000
    done
    port=$port provider "$which" "$edition" --more yes
    address_of "$which" >/dev/null
    for who in c2 c3; do
      expect "$which $who again" "$(value "$which")" "$(ask "$who" whoami "$at")" 5000
    done
  done
}

# One of two proxies is told to end under load: no call fails.
drain() {
  local who urls code
  for who in a b; do
    background "proxy-$who" "$metaproto" proxy --protocol dubbo --listen 127.0.0.1:0 --upstream "$(address_of three)"
  done
  urls=$(drained_address a),$(drained_address b)
  for who in c2 c3; do
    expect "$who no event before" "$(value 0)" "$(ask "$who" readonly)"
    begin "$who" steady "url=$urls" threads=8 for=4000
  done
  sleep 1.5
  code=0
  end proxy-a || code=$?
  holds "exit code" "$code" == 0
  for who in c2 c3; do
    expect "$who" "$(value '[0-9]+ calls')" "$(await "$who")"
    expect "$who READONLY" "$(value '[1-9][0-9]*')" "$(ask "$who" readonly)"
    ask "$who" forget >/dev/null
  done
  end proxy-b || true
}

# A provider ends under load, and another is there.
provider_drain() {
  local who edition code
  for edition in 2.7 3; do
    provider "ending-$edition" "$edition"
    background proxy-pair "$metaproto" proxy --protocol dubbo --listen 127.0.0.1:0 \
      --upstream "$(address_of "ending-$edition")" --upstream "$(address_of three)"
    for who in c2 c3; do
      begin "$who" steady "url=$(drained_address pair)" threads=8 for=5000
    done
    sleep 1.5
    code=0
    end "ending-$edition" || code=$?
    for who in c2 c3; do
      expect "$who, provider $edition" "$(value '[0-9]+ calls')" "$(await "$who")"
      ask "$who" forget >/dev/null
    done
    end proxy-pair || true
  done
}

drained_address() {
  local tries=100
  until sed -n 's/.*listening on \(127[0-9.:]*\) .*/\1/p' "$logs/proxy-$1.errors" | grep .; do
    ((tries--)) || return 1
    sleep 0.1
  done
}
