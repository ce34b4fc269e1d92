#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every endpoint of the control API with right input, against the real daemon.
# Usage: tests/api/endpoints.sh [FOLDER WITH THE PROGRAMS]
set -u
# shellcheck source=tests/api/lib.sh
. "$(dirname "$0")/lib.sh"
api_begin "$@"
report "daemon becomes ready" daemon_start || api_end

# --- rooms ---
request GET /v1/rooms
answers "no rooms at first" 200 '.rooms == []'
request PUT /v1/rooms/standup
answers "room is created" 201 '.name == "standup" and .legs == 0' \
	'.created | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z$")'
report "creation has a Location" is "$(header Location)" /v1/rooms/standup
put /v1/rooms/standup '{}'
answers "room exists already" 200 '.name == "standup"'
put /v1/rooms/second ' { } '
answers "room from an empty object" 201 '.name == "second"'
request PUT /v1/rooms/%41.b-c_9
answers "percent-encoded name is decoded" 201 '.name == "A.b-c_9"'
request GET /v1/rooms/standup
answers "room is shown" 200 '.name == "standup" and (keys == ["created", "legs", "name"])'
request GET /v1/rooms
answers "rooms are listed, oldest first" 200 '[.rooms[].name] == ["standup", "second", "A.b-c_9"]'
name64=$(printf 'n%.0s' {1..64})
request PUT "/v1/rooms/$name64"
answers "name of 64 characters" 201 '.name | length == 64'
request DELETE "/v1/rooms/$name64"
answers "room is deleted" 204
report "204 has no body" test ! -s "$BR_TMP/body"
request GET "/v1/rooms/$name64"
answers "deleted room is gone" 404

# --- legs ---
post /v1/rooms/standup/legs '{"name":"camera","address":"10.77.0.2","port":5004,
	"role":"publisher","ssrcs":[1,"0x1A2b3C4d",4294967295]}'
answers "publisher is added" 201 '.name == "camera" and .room == "standup"' \
	'.address == "10.77.0.2" and .port == 5004 and .role == "publisher"' \
	'.ssrcs == [1, 439041101, 4294967295] and .receive_ssrcs == []' \
	'.interface == "media" and .local_address == "10.77.0.1" and .local_port == 40000' \
	'.state == "ready" or .state == "resolving"' '.last_seen_ms_ago == null' \
	'.counters == {received_packets: 0, received_bytes: 0, sent_packets: 0, sent_bytes: 0,
		dropped_received: 0, dropped_sent: 0}'
report "leg has a Location" is "$(header Location)" /v1/rooms/standup/legs/camera
post /v1/rooms/standup/legs '{"name":"wall","address":"fd77::2","port":6000,
	"role":"subscriber","receive_ssrcs":["0x1"]}'
answers "subscriber over IPv6 is added" 201 '.address == "fd77::2" and .receive_ssrcs == [1]' \
	'.local_address == "fd77::1"'
post /v1/rooms/standup/legs '{"name":"alice","address":"10.77.0.2","port":7000,"role":"both"}'
answers "leg that sends and receives" 201 '.role == "both"'
request GET /v1/rooms/standup/legs/camera
answers "leg is shown" 200 '.name == "camera" and .created != null'
request GET /v1/rooms/standup/legs
answers "legs of a room are listed" 200 '[.legs[].name] == ["camera", "wall", "alice"]'
post /v1/rooms/second/legs '{"name":"camera","address":"10.77.0.2","port":5006,"role":"publisher"}'
answers "same name in another room" 201 '.room == "second"'
request GET /v1/legs
answers "legs of all rooms are listed" 200 \
	'[.legs[] | .room + "/" + .name] == ["standup/camera", "standup/wall", "standup/alice",
		"second/camera"]'

# --- terms of a leg ---
request GET /v1/rooms/standup/legs/wall
answers "no limit and no end by itself" 200 '.max_packets_per_s == 0 and .max_bits_per_s == 0' \
	'.feedback == "route" and .expires_in_s == null'
patch /v1/rooms/standup/legs/wall '{"max_packets_per_s":500,"max_bits_per_s":4000000000,
	"expires_in_s":600,"feedback":"daemon"}'
answers "a leg is changed" 200 '.max_packets_per_s == 500 and .max_bits_per_s == 4000000000' \
	'.feedback == "daemon" and .expires_in_s > 590 and .expires_in_s <= 600 and .name == "wall"'
patch /v1/rooms/standup/legs/wall '{"max_packets_per_s":0}'
answers "what is not named stays" 200 '.max_packets_per_s == 0 and .max_bits_per_s == 4000000000' \
	'.feedback == "daemon" and .expires_in_s > 580'
patch /v1/rooms/standup/legs/wall '{}'
answers "nothing named, nothing changed" 200 '.max_bits_per_s == 4000000000'
patch /v1/rooms/standup/legs/wall '{"expires_in_s":0,"feedback":"route","max_bits_per_s":0}'
answers "and back" 200 '.expires_in_s == null and .feedback == "route" and .max_bits_per_s == 0'
post /v1/rooms/second/legs '{"name":"brief","address":"10.77.0.2","port":5008,"role":"both",
	"max_packets_per_s":1,"max_bits_per_s":10000,"expires_in_s":31536000,"feedback":"daemon"}'
answers "a leg with terms is added" 201 '.max_packets_per_s == 1 and .max_bits_per_s == 10000' \
	'.expires_in_s == 31536000 and .feedback == "daemon"'
request DELETE /v1/rooms/second/legs/brief
# --- a next hop that is named ---
post /v1/rooms/second/legs '{"name":"tagged","address":"10.77.0.2","port":5009,"role":"subscriber",
	"next_hop":{"interface":"media","mac":"02:00:00:00:00:AB","source_address":"10.77.0.9","mtu":1400,
	"vlans":[{"id":100,"protocol":"802.1ad"},{"id":5,"priority":7}]}}'
answers "a leg behind two tags is added" 201 '.state == "ready" and .interface == "media"' \
	'.local_address == "10.77.0.9"' '.next_hop == {interface: "media", mac: "02:00:00:00:00:ab",
		source_mac: null, source_address: "10.77.0.9", mtu: 1400, vlans: [
			{id: 100, priority: 0, protocol: "802.1ad"}, {id: 5, priority: 7, protocol: "802.1Q"}]}'
request DELETE /v1/rooms/second/legs/tagged
request GET /v1/rooms/standup/legs/wall
answers "others have the routing table" 200 '.next_hop == null'
leg_ready() { request GET /v1/rooms/standup/legs/camera && body_is '.state == "ready"'; }
report "neighbour is resolved" br_until 10 leg_ready
request GET /v1/rooms/standup/streams
answers "listed SSRCs are streams" 200 \
	'[.streams[] | select(.leg == "camera").ssrc] | sort == [1, 439041101, 4294967295]' \
	'all(.streams[]; .learned == false and .received_packets == 0)' \
	'any(.streams[]; .ssrc_hex == "0x1a2b3c4d")'

# --- packets: the counters are those of the kernel ---
br_in peer "$LAB" source --to 10.77.0.1:40000 --from 10.77.0.2 --local-port 5004 --suite none \
	--ssrc 1 --count 1 --bytes 100 >"$BR_TMP/source" 2>&1
seen() { request GET /v1/rooms/standup/legs/camera && body_is '.counters.received_packets == 1'; }
report "a packet is counted at its leg" br_until 5 seen
answers "and dated" 200 '.last_seen_ms_ago | . >= 0 and . < 20000' '.counters.received_bytes == 128'
request GET /v1/rooms/standup/stats
answers "sums of the room" 200 '.legs == 3 and .publishers == 2 and .subscribers == 2' \
	'.streams == 3 and .counters.received_packets == 1'
request GET /v1/rooms/standup/streams
answers "counted at its stream" 200 '.streams[] | select(.ssrc == 1) | .received_packets == 1'
request GET /v1/stats
answers "counted by reason" 200 \
	'.reasons[] | select(.reason == "forwarded") | .packets == 1 and .verdict == "sent"' \
	'.rooms == 3 and .media_port == 40000 and .version != ""' \
	'.interfaces[0] | .name == "media" and .up and (.mode == "native" or .mode == "generic")' \
	'.tables.legs | .used == 4 and .capacity == 65536' '.tables | keys == ["edges", "legs", "streams"]' \
	'all(.reasons[]; (.meaning | length) > 5 and (.verdict | IN("pass", "drop", "sent")))'
request GET /metrics
answers "metrics" 200
report "metrics have the right type" is "$(header Content-Type)" \
	"text/plain; version=0.0.4; charset=utf-8"
metric() { grep -qE "^$1\$" "$BR_TMP/body"; }
report "metric of a reason" metric 'blindrelay_packets_total\{reason="forwarded",verdict="sent"\} 1'
report "metric of rooms" metric 'blindrelay_rooms 3'
report "metric of legs" metric 'blindrelay_legs\{role="publisher"\} 2'
report "metric of a table" metric 'blindrelay_table_entries\{table="legs"\} 4'
report "metric of the build" metric 'blindrelay_build_info\{version="[^"]+",abi="[0-9]+"\} 1'
report "metric of requests" metric \
	'blindrelay_http_requests_total\{route="/v1/rooms/\{room\}/legs",method="POST",status="201"\} 6'
report "metric of an interface" metric 'blindrelay_interface_up\{interface="media",mode="[a-z]+"\} 1'
metrics_well_formed()
{
	# every line is a comment or a sample, every sample's family has a TYPE, none comes twice
	awk '/^# (HELP|TYPE) [a-z_]+ /{ if ($2 == "TYPE") type[$3] = 1; next }
	     { name = $1; sub(/\{.*/, "", name)
	       if (NF != 2 || !(name in type) || seen[$1]++ || $2 !~ /^[0-9.]+$/) { print; bad = 1 } }
	     END { exit bad }' "$BR_TMP/body"
}
report "metrics are well formed" metrics_well_formed
report "metrics name no room, leg or address" br_not grep -qE 'standup|camera|10\.77' "$BR_TMP/body"

# --- rates: the first answer has one sample only ---
request GET /v1/top
answers "top, with one sample" 200 '.interval_ms == null and .relay.rates == null' \
	'.relay | .rooms == 3 and .legs == 4 and .received_packets == 1 and .received_bytes == 128' \
	'[.rooms[].name] == ["standup", "second", "A.b-c_9"]' \
	'.rooms[0] | .legs == 3 and .counters.received_packets == 1 and .rates == null' \
	'.legs[0] | .name == "camera" and .room == "standup" and .streams == 3 and .rates == null' \
	'.sampled | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T")'
# top QUERY: two samples that are far enough apart, with 4 packets in between
top()
{
	request GET "/v1/top?interval_ms=100"
	br_in peer "$LAB" source --to 10.77.0.1:40000 --from 10.77.0.2 --local-port 5004 \
		--suite none --ssrc 1 --rate 100 --count 4 --bytes 100 >"$BR_TMP/source" 2>&1
	sampled() { request GET "/v1/top?interval_ms=100$1" && body_is '.relay.rates.received_packets > 0'; }
	br_until 5 sampled "$1"
}
report "top, with two samples" top ""
near() { body_is --argjson want "$2" "($1) * .interval_ms / 1000 - \$want | fabs < 0.1 + \$want / 500"; }
report "rate of packets in" near .relay.rates.received_packets 4
report "rate of bits in" near '.relay.rates.received_bits / 8' 512
report "of the room" near '.rooms[0].rates.received_packets' 4
report "of the leg" near '.legs[] | select(.room + .name == "standupcamera").rates.received_packets' 4
report "by reason" near '.reasons[] | select(.reason == "forwarded").packets_per_s' 4
report "copies: each packet to wall and alice" near .relay.rates.sent_packets 8
report "busiest by packets in" top "&sort=in&legs=1&rooms=1"
answers "are one of each" 200 '[.rooms[].name] == ["standup"] and [.legs[].name] == ["camera"]'
request GET '/v1/top?sort=name'
answers "by name" 200 '[.rooms[].name] == ["A.b-c_9", "second", "standup"]' \
	'[.legs[] | .room + "/" + .name] == ["second/camera", "standup/alice", "standup/camera", "standup/wall"]'
request GET '/v1/top?sort=legs&rooms=2&legs=0'
answers "by legs, no legs listed" 200 '[.rooms[].name] == ["standup", "second"] and .legs == []'
request GET '/v1/top?room=standup&match=CA&sort=name'
answers "of one room, by part of the name" 200 '[.rooms[].name] == ["standup"]' \
	'[.legs[].name] == ["camera"]'
request GET '/v1/top?match=SEC'
answers "by part of the room's name" 200 '[.rooms[].name] == ["second"] and [.legs[].room] == ["second"]'

# --- the slow path: a packet with IPv4 options, which XDP passes up ---
slow_counter() { jq -r ".slow_path.reasons[] | select(.reason == \"$1\").packets" "$BR_TMP/body"; }
request GET /v1/stats
answers "the daemon has forwarded nothing yet" 200 \
	'.slow_path | .tap == {packets: 0, bytes: 0} and .tap_lost == 0' \
	'.slow_path.reasons[] | select(.reason == "forwarded").packets == 0' \
	'[.slow_path.reasons[].reason] == [.reasons[].reason]'
br_in peer "$LAB" source --to 10.77.0.1:40000 --from 10.77.0.2 --local-port 5004 --suite none \
	--ssrc 1 --count 1 --bytes 100 --ip-options >"$BR_TMP/source" 2>&1
by_daemon() { request GET /v1/stats && is "$(slow_counter forwarded)" 1 && is "$(slow_counter copied)" 2; }
report "it is counted apart" br_until 5 by_daemon
answers "and by the kernel as passed up" 200 \
	'.reasons[] | select(.reason == "ip_options") | .packets >= 1 and .verdict == "pass"'
request GET /v1/rooms/standup/legs/camera
answers "also at its leg" 200 '.slow.received_packets == 1 and .slow.received_bytes == 128' \
	'.counters.received_packets > .slow.received_packets' '.path == "kernel"'
request GET /v1/rooms/standup/legs/wall
answers "and at who receives it" 200 '.slow.sent_packets == 1 and .slow.dropped_sent == 0'
request GET /metrics
report "metric of the slow path" metric \
	'blindrelay_slow_packets_total\{reason="forwarded",verdict="sent"\} 1'
report "metric of its copies" metric \
	'blindrelay_slow_packets_total\{reason="copied",verdict="sent"\} 2'
report "metric of the tap" metric 'blindrelay_slow_tap_packets_total 0'
report "metrics are still well formed" metrics_well_formed

# --- pages ---
# pages PATH KEY LIMIT: what is listed, page after page; fails when a page is wrong
pages()
{
	local cursor='' names=''
	while :; do
		request GET "$1?limit=$3${cursor:+&cursor=$cursor}"
		[ "$STATUS" = 200 ] && body_is ".$2 | length <= $3" || return
		names+=$(jq -r ".$2[] | (.room // \"\") + \"/\" + .name" "$BR_TMP/body" | tr '\n' ' ')
		cursor=$(jq -r '.next // ""' "$BR_TMP/body")
		[ -n "$cursor" ] || break
		is "$(header Link)" "<$1?limit=$3&cursor=$cursor>; rel=\"next\"" || return
	done
	is "$(header Link)" '' && echo "$names" >"$BR_TMP/names"
}
for limit in 1 2 3 4 1000; do
	report "rooms in pages of $limit" pages /v1/rooms rooms $limit
	report "all of them, once" is "$(cat "$BR_TMP/names")" "/standup /second /A.b-c_9 "
	report "legs of a room in pages of $limit" pages /v1/rooms/standup/legs legs $limit
	report "all of them, once" is "$(cat "$BR_TMP/names")" \
		"standup/camera standup/wall standup/alice "
	report "legs of all rooms in pages of $limit" pages /v1/legs legs $limit
	report "all of them, once" is "$(cat "$BR_TMP/names")" \
		"standup/camera standup/wall standup/alice second/camera "
done
# A page ends at an entry that is gone when the next one is asked for; one comes at the end.
request GET '/v1/legs?limit=2'
next=$(jq -r .next "$BR_TMP/body")
request DELETE /v1/rooms/standup/legs/wall
post /v1/rooms/standup/legs '{"name":"late","address":"10.77.0.2","port":7100,"role":"both"}'
request GET "/v1/legs?limit=9&cursor=$next"
answers "the next page, after changes" 200 '.next == null' \
	'[.legs[] | .room + "/" + .name] == ["standup/alice", "standup/late", "second/camera"]'
request PUT /v1/rooms/gone
request GET '/v1/rooms?limit=1'
next=$(jq -r .next "$BR_TMP/body")
request GET "/v1/rooms?limit=2&cursor=$next"
next=$(jq -r .next "$BR_TMP/body")
request DELETE /v1/rooms/gone
request GET "/v1/rooms?limit=2&cursor=$next"
answers "the next page is empty when its rooms are gone" 200 '.rooms == [] and .next == null'
request DELETE /v1/rooms/standup/legs/late
post /v1/rooms/standup/legs '{"name":"wall","address":"fd77::2","port":6000,"role":"subscriber"}'

# --- removal ---
request DELETE /v1/rooms/standup/legs/wall
answers "leg is removed" 204
request GET /v1/rooms/standup/legs/wall
answers "removed leg is gone" 404
post /v1/rooms/standup/legs '{"name":"wall","address":"fd77::2","port":6000,"role":"subscriber"}'
answers "its address is free again" 201
request DELETE /v1/rooms/standup
answers "room with legs is deleted" 204
request GET /v1/legs
answers "its legs are gone" 200 '[.legs[].room] == ["second"]'

# --- probes, description, HEAD ---
request GET /healthz
answers "healthz" 200 '.status == "ok"'
request GET /readyz
answers "readyz" 200 '. == {ready: true, reasons: []}'
request GET /v1/openapi.json
answers "openapi" 200 '.openapi == "3.1.0"' '.paths | has("/v1/rooms/{room}/legs/{leg}")'
cp "$BR_TMP/body" "$BR_TMP/openapi"
for path in $(jq -r '.paths | to_entries[] | select(.value.get).key' "$BR_TMP/openapi"); do
	path=${path/\{room\}/second}
	path=${path/\{leg\}/camera}
	request GET "$path"
	report "described path answers: $path" is "$STATUS" 200
	request HEAD "$path"
	case $(header Content-Type) in
	application/x-pcapng) report "HEAD $path: a stream" is "$STATUS:$(header Content-Length)" 200: ;;
	*) report "HEAD $path" test "$STATUS" = 200 -a "$(header Content-Length)" -gt 10 ;;
	esac
done
tcp=$(br_in relay "${CURL[@]}" "http://127.0.0.1:$API_PORT/v1/rooms")
report "TCP serves the same" is "$(jq -c '[.rooms[].name]' <<<"$tcp")" '["second","A.b-c_9"]'
api_end
