#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Wrong input of many kinds: every refusal is problem+json with the right status and field,
# and changes nothing.
# Usage: tests/api/wrong_input.sh [FOLDER WITH THE PROGRAMS]
set -u
# shellcheck source=tests/api/lib.sh
. "$(dirname "$0")/lib.sh"
api_begin "$@"
report "daemon becomes ready" daemon_start || api_end

LEGS=/v1/rooms/r/legs
request PUT /v1/rooms/r
post $LEGS '{"name":"taken","address":"10.77.0.2","port":5000,"role":"publisher","ssrcs":[77]}'
answers "a leg to collide with" 201
request GET /v1/legs
before=$(jq -c '[.legs[] | .name]' "$BR_TMP/body")

# --- paths and methods ---
for path in / /v1 /v1/rooms/ /v1/rooms/r/legs/ /v1/rooms/r/nothing /v2/rooms /v1/rooms/r/legs/taken/x \
	'/v1/rooms;x' '/v1/rooms&x' /v1/rooms/../../etc/passwd /v1/rooms/r%2Fx%2Fy; do
	request GET "$path"
	problem "404 for $path" 404 ""
done
for pair in "POST /v1/rooms" "DELETE /v1/rooms" "POST /v1/rooms/r" "PATCH /v1/rooms/r" \
	"PUT $LEGS" "PUT $LEGS/taken" "POST /v1/stats" "DELETE /metrics" "OPTIONS /healthz"; do
	request "${pair% *}" "${pair#* }"
	problem "405 for $pair" 405 ""
	report "Allow for $pair" grep -q GET <<<"$(header Allow)"
done
request DELETE /metrics
report "Allow lists exactly what works" is "$(header Allow)" "GET, HEAD"
request PUT $LEGS/taken
report "Allow of a leg" is "$(header Allow)" "GET, HEAD, PATCH, DELETE"
request GET '/v1/stats?limit=3'
problem "query parameters where none are taken" 400 ""
request GET '/v1/rooms?limt=3'
problem "unknown query parameter" 400 limt
report "and what was meant" grep -q 'did you mean \\"limit' "$BR_TMP/body"
request GET '/v1/rooms?limit=1&limit=2'
problem "query parameter given twice" 400 limit
for limit in '' 0 1001 -1 x 1.5 99999999999999999999; do
	for path in /v1/rooms /v1/legs $LEGS; do
		request GET "$path?limit=$limit"
		problem "422 for limit '$limit' of $path" 422 limit
	done
done
for cursor in '' x 1 1. .1 1.2.3 -1.0 1.x 99999999999999999999.0; do
	request GET "/v1/legs?cursor=$cursor"
	problem "422 for cursor '$cursor'" 422 cursor
done
request GET "/v1/rooms?$(printf 'a=%.0s&' {1..40})"
problem "too many query parameters" 400 "$(jq -r '.field // ""' "$BR_TMP/body")"
request GET "/v1/rooms?cursor=$(printf '1%.0s' {1..400})"
problem "a query parameter that is too long" 400 ""

for pair in rooms=1001 rooms=-1 legs=x legs=1001 sort=speed sort= interval_ms=99 interval_ms=60001 \
	room=a%20b room= match=a%20b "match=$(printf 'n%.0s' {1..65})"; do
	request GET "/v1/top?$pair"
	problem "422 for top with ${pair:0:20}" 422 "${pair%%=*}"
done
request GET '/v1/top?room=nobody'
problem "404 for top of an unknown room" 404 room
request GET '/v1/top?by=out'
problem "400 for an unknown parameter of top" 400 by

# --- names in paths ---
long=$(printf 'n%.0s' {1..65})
for name in "$long" a%20b %C3%A4 a%3Cb '%25' 'a%2Bb' "$long$long$long$long$long$long$long$long$long"; do
	request PUT "/v1/rooms/$name"
	problem "422 for room name ${name:0:20}" 422 room
	request GET "/v1/rooms/r/legs/$name"
	problem "422 for leg name ${name:0:20}" 422 leg
done
request GET /v1/rooms/nobody
problem "404 for an unknown room" 404 room
request DELETE /v1/rooms/nobody
problem "404 for deleting an unknown room" 404 room
for tail in legs legs/x stats streams; do
	request GET /v1/rooms/nobody/$tail
	problem "404 for $tail of an unknown room" 404 room
done
post /v1/rooms/nobody/legs '{}'
problem "404 for a leg in an unknown room" 404 room
request GET $LEGS/nobody
problem "404 for an unknown leg" 404 leg
request DELETE $LEGS/nobody
problem "404 for removing an unknown leg" 404 leg

# --- bodies that are no JSON ---
for text in '{' '' '{"name":}' "{'name':1}" '{"name":"x",}' '[1' 'nonsense' '{"a":01}' '{} {}' \
	'{"name":"x","name":"y"}' $'{"name":"\x01"}' $'{"name":"\xff"}' '{"a":NaN}'; do
	post $LEGS "$text"
	problem "400 for ${text:-an empty body}" 400 "$(jq -r '.field // ""' "$BR_TMP/body")"
done
printf '{\n  "name": "x",\n  "port": oops\n}' >"$BR_TMP/lines"
request POST $LEGS -H 'Content-Type: application/json' --data-binary @"$BR_TMP/lines"
problem "400 with a position" 400 ""
report "position is right" grep -qE 'line 3,? column 11' "$BR_TMP/body"
printf '{"name":"a\0b"}' >"$BR_TMP/nul"
request POST $LEGS -H 'Content-Type: application/json' --data-binary @"$BR_TMP/nul"
report "400 for a NUL byte" is "$STATUS" 400
deep=$(printf '[%.0s' {1..2000})
post $LEGS "$deep"
report "400 for deep nesting" is "$STATUS" 400
put /v1/rooms/r '{"x":1}'
problem "422 for a room with a key" 422 x
put /v1/rooms/r '[]'
problem "422 for a room that is an array" 422 ""
put /v1/rooms/r '{'
problem "400 for a room that is no JSON" 400 ""

# --- fields: name, JSON, field, status ---
leg() { printf '{"name":"x","address":"10.77.0.2","port":5001,"role":"both"%s}' "$1"; }
field()
{
	post $LEGS "$3"
	problem "$1" "${4:-422}" "$2"
}
field "array instead of an object" "" '[]'
field "string instead of an object" "" '"x"'
field "name missing" name '{"address":"10.77.0.2","port":1,"role":"both"}'
field "address missing" address '{"name":"x","port":1,"role":"both"}'
field "port missing" port '{"name":"x","address":"10.77.0.2","role":"both"}'
field "role missing" role '{"name":"x","address":"10.77.0.2","port":1}'
field "unknown key" colour "$(leg ',"colour":"red"')"
field "misspelt key" adress '{"name":"x","adress":"10.77.0.2","port":1,"role":"both"}'
report "misspelt key gets a suggestion" grep -q '\\"address\\"\|address' "$BR_TMP/body"
for name in '""' 1 null true '{}' '"a b"' '"."' '".."' '"a/b"' '"ä"' "\"$long\"" '"<script>"'; do
	field "name $(head -c 20 <<<"$name")" name \
		"{\"name\":$name,\"address\":\"10.77.0.2\",\"port\":1,\"role\":\"both\"}"
done
for address in '""' '"x"' 1 null '"10.77.0"' '"10.77.0.256"' '"10.77.0.2:5000"' '"localhost"' \
	'"0.0.0.0"' '"224.0.0.1"' '"255.255.255.255"' '"::"' '"ff02::1"' '"fe80::1%media"' '"010.77.0.2"'; do
	field "address $address" address "{\"name\":\"x\",\"address\":$address,\"port\":1,\"role\":\"both\"}"
done
for port in 0 -1 65536 1.5 '"5004"' null 1e9 99999999999999999999 '[]'; do
	field "port $port" port \
		"{\"name\":\"x\",\"address\":\"10.77.0.2\",\"port\":$port,\"role\":\"both\"}"
done
for role in '""' '"listener"' 1 null '"PUBLISHER"'; do
	field "role $role" role \
		"{\"name\":\"x\",\"address\":\"10.77.0.2\",\"port\":1,\"role\":$role}"
done
for list in 1 '"0x1"' '{}' '[-1]' '[4294967296]' '[1.5]' '["1"]' '["0x"]' '["0x123456789"]' '["0xg"]' \
	'[null]' '[[1]]' '[1,1]' '[true]' "[$(seq -s, 65)]"; do
	field "ssrcs ${list:0:20}" ssrcs "$(leg ",\"ssrcs\":$list")"
	field "receive_ssrcs ${list:0:20}" receive_ssrcs "$(leg ",\"receive_ssrcs\":$list")"
done
for number in -1 1.5 '"5"' null '[]'; do
	for key in max_packets_per_s max_bits_per_s expires_in_s; do
		field "$key $number" $key "$(leg ",\"$key\":$number")"
		patch $LEGS/taken "{\"$key\":$number}"
		problem "change: $key $number" 422 $key
	done
done
for pair in "max_packets_per_s 10000001" "max_bits_per_s 4000000001" "max_bits_per_s 9999" \
	"expires_in_s 31536001" 'feedback "up"' "feedback true"; do
	field "$pair" "${pair% *}" "$(leg ",\"${pair% *}\":${pair#* }")"
	patch $LEGS/taken "{\"${pair% *}\":${pair#* }}"
	problem "change: $pair" 422 "${pair% *}"
done
hop() { leg ",\"next_hop\":$1"; }
good='"interface":"media","mac":"02:00:00:00:00:01"'
for bad in 1 '"media"' '[]' null; do
	field "next_hop $bad" next_hop "$(hop "$bad")"
done
field "next_hop without an interface" next_hop.interface "$(hop '{"mac":"02:00:00:00:00:01"}')"
field "next_hop without a mac" next_hop.mac "$(hop '{"interface":"media"}')"
field "next_hop with a key" next_hop.gateway "$(hop "{$good,\"gateway\":1}")"
for bad in '"lo"' '"nosuch"' '""' 1 '"a-name-of-sixteen"'; do
	field "next_hop.interface $bad" next_hop.interface \
		"$(hop "{\"interface\":$bad,\"mac\":\"02:00:00:00:00:01\"}")"
done
for bad in '""' 1 '"01:00:5e:00:00:01"' '"ff:ff:ff:ff:ff:ff"' '"00:00:00:00:00:00"' '"02:00:00:00:00"' \
	'"02-00-00-00-00-01"'; do
	field "next_hop.mac $bad" next_hop.mac "$(hop "{\"interface\":\"media\",\"mac\":$bad}")"
	field "next_hop.source_mac $bad" next_hop.source_mac "$(hop "{$good,\"source_mac\":$bad}")"
done
for bad in '"fd77::1"' '"x"' '"224.0.0.1"' 1; do
	field "next_hop.source_address $bad" next_hop.source_address \
		"$(hop "{$good,\"source_address\":$bad}")"
done
for bad in 0 1279 65536 '"1500"'; do
	field "next_hop.mtu $bad" next_hop.mtu "$(hop "{$good,\"mtu\":$bad}")"
done
for bad in 1 '{}' '[{"id":1},{"id":2},{"id":3}]'; do
	field "next_hop.vlans $bad" next_hop.vlans "$(hop "{$good,\"vlans\":$bad}")"
done
for bad in '{}' '{"id":0}' '{"id":4095}' '{"id":"5"}'; do
	field "tag $bad" "next_hop.vlans[0].id" "$(hop "{$good,\"vlans\":[$bad]}")"
	field "second tag $bad" "next_hop.vlans[1].id" "$(hop "{$good,\"vlans\":[{\"id\":1},$bad]}")"
done
field "priority of a tag" "next_hop.vlans[0].priority" "$(hop "{$good,\"vlans\":[{\"id\":1,\"priority\":8}]}")"
field "protocol of the only tag" "next_hop.vlans[0].protocol" \
	"$(hop "{$good,\"vlans\":[{\"id\":1,\"protocol\":\"802.1ad\"}]}")"
field "protocol of the outer tag" "next_hop.vlans[0].protocol" \
	"$(hop "{$good,\"vlans\":[{\"id\":1,\"protocol\":\"802.1Q\"},{\"id\":2}]}")"
field "a tag that is no object" "next_hop.vlans[0]" "$(hop "{$good,\"vlans\":[5]}")"
patch $LEGS/taken '{"port":5002}'
problem "change: what cannot change" 422 port
patch $LEGS/taken '[]'
problem "change: an array" 422 ""
patch $LEGS/taken '{'
problem "change: no JSON" 400 ""
patch $LEGS/nobody '{}'
problem "change: unknown leg" 404 leg
patch /v1/rooms/nobody/legs/taken '{}'
problem "change: unknown room" 404 room
request PATCH $LEGS/taken -H 'Content-Type: text/plain' --data '{}'
problem "change: 415 for text/plain" 415 Content-Type
request PATCH $LEGS/taken -H 'Content-Type: application/json'
problem "change: 411 without a body" 411 Content-Length
request GET $LEGS/taken
answers "the leg has not changed" 200 '.max_packets_per_s == 0 and .max_bits_per_s == 0' \
	'.feedback == "route" and .expires_in_s == null'
field "SSRCs of a subscriber" ssrcs \
	'{"name":"x","address":"10.77.0.2","port":1,"role":"subscriber","ssrcs":[1]}'
field "receive list of a publisher" receive_ssrcs \
	'{"name":"x","address":"10.77.0.2","port":1,"role":"publisher","receive_ssrcs":[1]}'
field "name is taken" name \
	'{"name":"taken","address":"10.77.0.2","port":5001,"role":"both"}' 409
field "address and port are taken" address \
	'{"name":"x","address":"10.77.0.2","port":5000,"role":"both"}' 409
field "SSRC belongs to another leg" ssrcs "$(leg ',"ssrcs":[77]')" 409
field "address outside static_allow" address \
	'{"name":"x","address":"192.0.2.1","port":5001,"role":"both"}' 403
field "IPv6 address outside static_allow" address \
	'{"name":"x","address":"2001:db8::1","port":5001,"role":"both"}' 403

# --- types and sizes of bodies ---
request POST $LEGS -H 'Content-Type: text/plain' --data '{}'
problem "415 for text/plain" 415 Content-Type
request POST $LEGS --data '{}'
problem "415 for a form" 415 Content-Type
request POST $LEGS -H 'Content-Type: application/jsonx' --data '{}'
problem "415 for a type that only begins like JSON" 415 Content-Type
request POST $LEGS -H 'Content-Type:' --data '{}'
problem "415 without a type" 415 Content-Type
request POST $LEGS -H 'Content-Type: application/json; charset=utf-8' --data "$(leg "")"
answers "parameters of the type are fine" 201
request DELETE $LEGS/x
request POST $LEGS -H 'Content-Type: application/json'
problem "411 without a body" 411 Content-Length
request POST $LEGS -H 'Content-Type: application/json' -H 'Transfer-Encoding: chunked' --data '{}'
problem "411 for a chunked body" 411 Content-Length
head -c 65536 /dev/zero | tr '\0' ' ' >"$BR_TMP/full"
request POST $LEGS -H 'Content-Type: application/json' --data-binary @"$BR_TMP/full"
problem "64 KiB are read" 400 ""
printf ' ' >>"$BR_TMP/full"
request POST $LEGS -H 'Content-Type: application/json' --data-binary @"$BR_TMP/full"
problem "413 for one byte more" 413 ""
head -c 5000000 /dev/zero >"$BR_TMP/huge"
request POST $LEGS -H 'Content-Type: application/json' -H 'Expect:' --data-binary @"$BR_TMP/huge"
problem "413 for 5 MB" 413 ""
head -c 20000000 /dev/zero >"$BR_TMP/huge"
request POST $LEGS -H 'Content-Type: application/json' --data-binary @"$BR_TMP/huge"
problem "413 for 20 MB" 413 ""

request GET /v1/legs
report "none of this changed anything" is "$(jq -c '[.legs[] | .name]' "$BR_TMP/body")" "$before"
report "the daemon lives" br_running "$DAEMON_PID"
daemon_stop
report "and ends well" is "$DAEMON_STATUS" 0
report "sanitizers saw nothing" br_not grep -E 'ERROR: |runtime error' "$BR_TMP/daemon.log"

# --- limits ---
cat >"$BR_TMP/small.json" <<-END
	{"rooms": {"max_rooms": 2, "max_legs_per_room": 2}, "tables": {"legs": 3}}
END
report "daemon with small tables becomes ready" daemon_start --config "$BR_TMP/small.json" || api_end
request PUT /v1/rooms/a
request PUT /v1/rooms/b
request PUT /v1/rooms/c
problem "503 for one room too many" 503 max_rooms
report "and when to come back" is "$(header Retry-After)" 1
request PUT /v1/rooms/b
answers "an existing room is still found" 200
full=0
for n in 1 2 3 4; do
	room=a
	[ $n -le 2 ] || room=b
	post /v1/rooms/$room/legs "{\"name\":\"l$n\",\"address\":\"10.77.0.2\",\"port\":$((6000 + n)),\"role\":\"both\"}"
	[ "$STATUS" != 503 ] || { full=$n && break; }
done
report "503 when the table of legs is full" test "$full" != 0
problem "that is a problem without a field" 503 ""
request DELETE /v1/rooms/a/legs/l1
post /v1/rooms/a/legs '{"name":"again","address":"10.77.0.2","port":7000,"role":"both"}'
freed() { [ "$STATUS" = 201 ] || { post /v1/rooms/a/legs '{"name":"again","address":"10.77.0.2","port":7000,"role":"both"}' && [ "$STATUS" = 201 ]; }; }
report "a removed leg makes room" br_until 5 freed
post /v1/rooms/a/legs '{"name":"more","address":"10.77.0.2","port":7001,"role":"both"}'
problem "503 for one leg too many in a room" 503 ""
api_end
