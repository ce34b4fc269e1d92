# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# shellcheck disable=SC2034 # used by the scripts that source this
#
# Sources and sinks of blindrelay-lab on the hosts of scripts/lib/netns.sh, and what came of what
# was sent. Results lie in $BR_TMP: NAME.source and NAME.sink. Source scripts/lib/relay.sh first.

TRAFFIC_SUITE=AEAD_AES_128_GCM
TRAFFIC_SOURCES=()
TRAFFIC_SINKS=()

traffic_key()
{
	"$RELAY_LAB" genkey --suite $TRAFFIC_SUITE -o "$BR_TMP/key" || br_die "no key"
}

# traffic_end_point ADDRESS PORT: as the lab tool wants it
traffic_end_point() { if [[ $1 = *:* ]]; then echo "[$1]:$2"; else echo "$1:$2"; fi; }

# traffic_sink NAME HOST ADDRESS FIRST_PORT RECEIVERS [FLAG]...: returns when all are bound.
traffic_sink()
{
	br_spawn "$2" "$BR_TMP/$1.sink.log" "$RELAY_LAB" sink \
		--bind "$(traffic_end_point "$3" "$4")" --receivers "$5" --key-file "$BR_TMP/key" \
		--suite $TRAFFIC_SUITE --idle "${TRAFFIC_IDLE:-1500}" --duration 60 --report-only \
		-o "$BR_TMP/$1.sink" "${@:6}"
	TRAFFIC_SINKS+=("$BR_PID")
	br_until 20 br_udp_bound "$2" $(($4 + $5 - 1)) && return
	echo "sink $1 does not start: $(tail -n 2 "$BR_TMP/$1.sink.log")"
	return 1
}

# traffic_source NAME HOST TO_ADDRESS LOCAL_PORT SSRC RATE FLAG...: RATE packets/s of each publisher;
# how many or how long (--count, --duration), --publishers and --bytes are flags.
traffic_source()
{
	br_spawn "$2" "$BR_TMP/$1.source.log" "$RELAY_LAB" source \
		--to "$(traffic_end_point "$3" "$RELAY_MEDIA_PORT")" --local-port "$4" --ssrc "$5" \
		--rate "$6" --key-file "$BR_TMP/key" --suite $TRAFFIC_SUITE \
		-o "$BR_TMP/$1.source" "${@:7}"
	TRAFFIC_PID=$BR_PID
	TRAFFIC_SOURCES+=("$BR_PID")
}

# traffic_wait: until sources and sinks have ended; says who failed.
traffic_wait()
{
	local pid status=0
	for pid in "${TRAFFIC_SOURCES[@]}" "${TRAFFIC_SINKS[@]}"; do
		wait "$pid" || {
			echo "a source or sink ended with status $?"
			tail -qn 1 "$BR_TMP"/*.log
			status=1
		}
	done
	TRAFFIC_SOURCES=()
	TRAFFIC_SINKS=()
	return $status
}

# traffic_sent NAME...: packets that these sources sent, RTCP included
traffic_sent()
{
	local files=("${@/#/$BR_TMP/}")
	jq -s '[.[].streams[] | .packets + .rtcp] | add' "${files[@]/%/.source}"
}

# traffic_exact SINK SOURCE[,SOURCE]... [FLAG]...: every packet of the sources is at every receiver
# of the sink, once, unaltered, and no other.
traffic_exact()
{
	local sink=$1 sources=() source
	for source in ${2//,/ }; do
		sources+=("$BR_TMP/$source.source")
	done
	shift 2
	"$RELAY_LAB" report "$@" "${sources[@]}" "$BR_TMP/$sink.sink" >"$BR_TMP/exact" 2>&1 && return
	grep -v good "$BR_TMP/exact" | head -n 20
	return 1
}
