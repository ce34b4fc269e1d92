# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# shellcheck disable=SC2034 # used by the scripts that source this
#
# The relay on one of the hosts of scripts/lib/netns.sh: start it, add legs, read counters.
# Its control socket lies in $BR_TMP, so the `blindrelay` command reaches it from any namespace.

RELAY_MEDIA_PORT=40000
BR_BUILD=${BR_BUILD:-build}

relay_find_programs()
{
	local name
	for name in blindrelayd blindrelay blindrelay-lab; do
		[ -x "$BR_BUILD/$name" ] || br_die "$BR_BUILD/$name is missing: run make first"
	done
	RELAY_DAEMON=$(realpath "$BR_BUILD/blindrelayd")
	RELAY_CTL=$(realpath "$BR_BUILD/blindrelay")
	RELAY_LAB=$(realpath "$BR_BUILD/blindrelay-lab")
}

# relay_config FILE XDP_MODE
relay_config()
{
	cat >"$1" <<-END
		{
		  "media": {"interfaces": ["media"], "port": $RELAY_MEDIA_PORT, "xdp_mode": "$2"},
		  "control": {"listen": "none", "socket": "$BR_TMP/control.sock"},
		  "rooms": {"static_allow": ["$BR_NET4.0/24", "$BR_NET6/64"]}
		}
	END
}

relay_ctl() { "$RELAY_CTL" --socket "$BR_TMP/control.sock" "$@"; }

# relay_start HOST XDP_MODE: returns when the relay is ready; its pid is left in RELAY_PID.
relay_start()
{
	relay_config "$BR_TMP/relay.json" "$2"
	br_spawn "$1" "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/relay.json"
	RELAY_PID=$BR_PID
	br_until 20 relay_settled
	relay_ctl health >/dev/null 2>&1 ||
		br_die "the relay does not start: $(tail -n 5 "$BR_TMP/relay.log")"
}

# Ready, or gone: then nothing is worth waiting for.
relay_settled() { relay_ctl health || ! br_running "$RELAY_PID"; }

# relay_add ROOM NAME ADDRESS PORT publisher|subscriber [SSRC]...: makes the room if needed.
relay_add()
{
	local room=$1 name=$2 address=$3 port=$4 role=$5 flag=--ssrc flags=()
	shift 5
	[ "$role" = publisher ] || flag=--receive
	while [ $# != 0 ]; do
		flags+=("$flag" "$1")
		shift
	done
	relay_ctl room "$room" >/dev/null 2>&1 || relay_ctl create "$room" >/dev/null ||
		br_die "room $room could not be made"
	relay_ctl add "$room" "$name" --address "$address" --port "$port" --role "$role" \
		"${flags[@]}" >/dev/null || br_die "leg $name of room $room could not be added"
}

# relay_remove ROOM NAME
relay_remove()
{
	relay_ctl remove "$1" "$2" >/dev/null || br_die "leg $2 of room $1 could not be removed"
}

# Every leg's next hop is resolved.
relay_all_ready()
{
	relay_ctl --json legs | jq -e '[.legs[] | select(.state != "ready")] == []'
}

# relay_counters REASON...: packets counted by the kernel for each reason, e.g. forwarded copied.
relay_counters()
{
	# shellcheck disable=SC2016 # of jq
	relay_ctl --json stats | jq -r '
		[.reasons[] | {(.reason): .packets}] | add as $count |
		[$ARGS.positional[] | $count[.]] | map(tostring) | join(" ")' --args "$@"
}

# relay_modes: XDP mode of the media interfaces, native or generic.
relay_modes() { relay_ctl --json stats | jq -r '[.interfaces[].mode] | unique | join(", ")'; }

# relay_dropped: packets and copies dropped, as "reason=packets" words; nothing when none was.
relay_dropped()
{
	relay_ctl --json stats | jq -r \
		'.reasons[] | select(.verdict == "drop" and .packets > 0) | "\(.reason)=\(.packets)"'
}

# relay_leg ROOM NAME COUNTER: of one leg, e.g. sent_packets.
relay_leg()
{
	relay_ctl --json legs "$1" | jq -r --arg name "$2" --arg counter "$3" \
		'.legs[] | select(.name == $name).counters[$counter]'
}

# relay_stop: end the relay and return its exit status.
relay_stop() { br_stop "$RELAY_PID" TERM; }

# relay_requests: read "METHOD PATH [BODY]" lines and send them over one connection; prints how many
# of each status came back, as "201=5" words. A process per request would take longer than the rest.
relay_requests()
{
	local method path body
	while read -r method path body; do
		printf 'url = "http://localhost%s"\nunix-socket = "%s"\nrequest = "%s"\n' \
			"$path" "$BR_TMP/control.sock" "$method"
		# 503 asks to come again: a table is full until what was freed may be used again
		printf 'retry = 20\noutput = "%s"\nwrite-out = "%%{http_code}\\n"\n' "$BR_TMP/answer"
		[ -z "$body" ] || printf 'header = "Content-Type: application/json"\ndata-binary = "%s"\n' \
			"${body//\"/\\\"}"
		echo next
	done >"$BR_TMP/requests"
	# the last `next` would begin a request without a URL
	sed -i '$d' "$BR_TMP/requests"
	curl -q -sS --noproxy '*' --max-time 120 -K "$BR_TMP/requests" 2>"$BR_TMP/requests.log" |
		sort | uniq -c | awk '{ printf "%s%s=%d", (NR > 1 ? " " : ""), $2, $1 } END { print "" }'
}

# relay_add_many ROOM PREFIX ADDRESS FIRST_PORT COUNT: subscribers, one port each
relay_add_many()
{
	local i answers
	relay_ctl room "$1" >/dev/null 2>&1 || relay_ctl create "$1" >/dev/null || return 1
	answers=$(for ((i = 0; i < $5; i++)); do
		printf 'POST /v1/rooms/%s/legs ' "$1"
		printf '{"name":"%s%d","address":"%s","port":%d,"role":"subscriber"}\n' \
			"$2" $i "$3" $(($4 + i))
	done | relay_requests)
	[ "$answers" = "201=$5" ] && return
	echo "adding $5 legs to room $1: $answers $(head -n 2 "$BR_TMP/requests.log")"
	return 1
}
