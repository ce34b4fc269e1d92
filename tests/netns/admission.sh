#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Who may send what: a flood from a leg with a rate beside one without; STUN of strangers, one of
# whom floods; addresses that come and go; feedback to publishers or to the daemon; legs that
# expire, are renewed, are removed; and all of it after the daemon was killed.
# Usage: tests/netns/admission.sh [FOLDER WITH THE PROGRAMS [XDP MODE]]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh

BURST_MS=200
PER_SOURCE=50 # packets/s of one stranger
GRACE_S=2

# The state outlives the daemon only in a mount that does; `ip netns exec` makes its own.
br_at_end() { umount "$BR_TMP/bpf" 2>/dev/null; }

config()
{
	cat >"$BR_TMP/relay.json" <<-END
		{
		  "media": {"interfaces": ["media"], "port": $RELAY_MEDIA_PORT, "xdp_mode": "$1",
			    "burst_ms": $BURST_MS, "strangers_per_source": $PER_SOURCE},
		  "control": {"listen": "none", "socket": "$BR_TMP/control.sock"},
		  "state": {"path": "$BR_TMP/bpf"},
		  "rooms": {"static_allow": ["$BR_NET4.0/24", "$BR_NET6/64"],
			    "max_packets_per_s": 5000, "expired_grace_s": $GRACE_S}
		}
	END
}

start()
{
	br_spawn relay "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/relay.json"
	RELAY_PID=$BR_PID
	relay_ctl health --wait 10 >/dev/null 2>&1 && return
	cat "$BR_TMP/relay.log"
	return 1
}

murder_and_start()
{
	kill -KILL "$RELAY_PID"
	br_wait_gone "$RELAY_PID" 5
	wait "$RELAY_PID" 2>/dev/null
	start && grep -q "; adopted " "$BR_TMP/relay.log"
}

log_says() { grep -E -- "$1" "$BR_TMP/relay.log"; }
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
at_least() { [ "$(relay_counters "$1")" -ge "$2" ]; }
# leg_is ROOM NAME CONDITION
leg_is()
{
	relay_ctl --json legs "$1" |
		jq -e --arg name "$2" ".legs[] | select(.name == \$name) | $3" && return
	relay_ctl --json legs "$1"
	return 1
}

# between LOW VALUE HIGH
between()
{
	[ "$1" -le "$2" ] && [ "$2" -le "$3" ] && return
	echo "$2 is not from $1 to $3"
	return 1
}

# most RATE MS: packets that a bucket lets pass in that time, a tick of the clock more.
most() { echo $((1 + $1 * ($2 + BURST_MS + 10) / 1000)); }

# datagrams HOST ADDRESS COUNT TEXT: from one port of the host, by the shell itself; TEXT is one
# datagram as printf reads it.
datagrams()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	br_in "$1" bash -c 'exec 3<>"/dev/udp/$1/$2" &&
		for ((i = 0; i < $3; i++)); do printf "$4" >&3; done' - \
		"$2" $RELAY_MEDIA_PORT "$3" "$4"
}
STUN='\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl'
DTLS='\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
RTP='\x80\x60\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01'

# port_read CLASS: datagrams that reached the daemon.
port_read()
{
	curl -q -sS --noproxy '*' --unix-socket "$BR_TMP/control.sock" http://localhost/metrics |
		sed -n "s/^blindrelay_port_packets_total{class=\"$1\"} //p"
}
port_has() { [ "$(port_read "$1")" = "$2" ]; }

# --- strangers: there is no leg yet ---

silence()
{
	local before
	before=$(relay_counters unknown_leg)
	datagrams publisher "$1" 3 "$RTP" && br_until 5 at_least unknown_leg $((before + 3))
}

stranger_flood()
{
	local begin took stun refused
	begin=$(now_ms)
	datagrams publisher "$1" 3000 "$STUN"
	took=$(($(now_ms) - begin))
	br_until 5 all_arrived "$2" || {
		echo "of 3000: $(relay_counters stun stranger_rate not_media)"
		return 1
	}
	read -r stun refused <<<"$(relay_counters stun stranger_rate)"
	echo "$stun passed, $refused refused, in $took ms"
	between 10 $((stun - $2)) "$(most $PER_SOURCE $took)"
}
all_arrived()
{
	local stun refused
	read -r stun refused <<<"$(relay_counters stun stranger_rate)"
	[ $((stun + refused)) -ge $((3000 + ALREADY)) ]
}

# Another address has a budget of its own, while the flood goes on.
guest_beside_flood()
{
	local flood status=1
	datagrams publisher "$(br_addr4 1)" 30000 "$STUN" &
	flood=$!
	br_until 5 at_least stranger_rate $(($(relay_counters stranger_rate) + 100)) &&
		datagrams guest "$(br_addr4 1)" 5 "$DTLS" && br_until 5 port_has dtls 5 && status=0
	br_running $flood || echo "the flood was over too soon"
	wait $flood
	return $status
}

# The daemon counts what the kernel let pass, not one more.
all_stun_read() { port_has stun "$(relay_counters stun)"; }
daemon_saw_no_more() { br_until 5 all_stun_read; }

locals() { bpftool -j map dump pinned "$BR_TMP/bpf/locals" | jq length; }
has_locals() { [ "$(locals)" = "$1" ]; }
address_comes_and_goes()
{
	local ns before
	ns=$(br_ns relay)
	before=$(locals)
	ip -n "$ns" addr add "$BR_NET4.99/24" dev media label media:x &&
		ip -n "$ns" addr add fd77::99/64 dev media nodad &&
		br_until 5 has_locals $((before + 2)) && silence "$BR_NET4.99" && silence fd77::99 || return 1
	ip -n "$ns" addr del "$BR_NET4.99/24" dev media
	ip -n "$ns" addr del fd77::99/64 dev media
	br_until 5 has_locals "$before" || {
		locals
		return 1
	}
}

# --- rates ---

# source NAME PORT SSRC RATE SECONDS [FLAG]...
source_start()
{
	br_spawn publisher "$BR_TMP/$1.log" "$RELAY_LAB" source --suite none \
		--to "$(br_addr4 1):$RELAY_MEDIA_PORT" --local-port "$2" --ssrc "$3" --rate "$4" \
		--duration "$5" "${@:6}"
}

add_rooms()
{
	relay_add loud sender "$(br_addr4 2)" 6000 publisher
	relay_add loud receiver "$(br_addr4 3)" 7000 subscriber
	relay_add calm sender "$(br_addr4 2)" 6001 publisher
	relay_add calm receiver "$(br_addr4 3)" 7001 subscriber
	br_until 5 relay_all_ready
}

# flood FLAGS RATE: the loud sender is limited to RATE packets/s and sends ten times as much.
flood()
{
	local begin took loud calm admitted before
	# shellcheck disable=SC2086 # words
	relay_ctl change loud sender $1
	before=$(relay_leg loud sender received_packets)
	begin=$(now_ms)
	source_start loud 6000 0x1000 $((10 * $2)) 3 --bytes 1000
	loud=$BR_PID
	source_start calm 6001 0x2000 200 3 --bytes 1000
	calm=$BR_PID
	wait $loud $calm
	took=$(($(now_ms) - begin))
	admitted=$(($(relay_leg loud sender received_packets) - before))
	refused=$(relay_counters rate)
	echo "in $took ms: $admitted admitted, $refused refused at all"
	between $(($2 * 3 / 2)) $admitted "$(most "$2" $took)" || return 1
	# what was refused is counted at the leg, and nowhere else
	[ "$(relay_leg loud sender dropped_received)" = "$refused" ] &&
		[ "$(relay_leg loud receiver sent_packets)" = "$(relay_leg loud sender received_packets)" ]
}

# The same in IP fragments, which XDP passes up: the daemon keeps the rates where it forwards.
slow_leg() { relay_ctl --json legs loud | jq '.legs[] | select(.name == "sender").slow.'"$1"; }
fragments_arrived() { [ $(($(slow_leg received_packets) + $(slow_leg dropped_received))) = "$1" ]; }
flood_of_fragments()
{
	local begin took
	relay_ctl change loud sender --packets 100 --rate 0
	begin=$(now_ms)
	source_start fragments 6000 0x1000 500 2 --bytes 3000 --fragment
	wait "$BR_PID"
	br_until 5 fragments_arrived 1000
	took=$(($(now_ms) - begin))
	echo "in $took ms: $(slow_leg received_packets) admitted, $(slow_leg dropped_received) refused"
	between 100 "$(slow_leg received_packets)" "$(most 100 $took)" && fragments_arrived 1000
}

calm_lost_nothing()
{
	[ "$(relay_leg calm sender received_packets)" = "$1" ] &&
		[ "$(relay_leg calm sender dropped_received)" = 0 ] &&
		[ "$(relay_leg calm receiver sent_packets)" = "$1" ] && return
	relay_ctl legs calm
	return 1
}

# --- feedback ---

# The receiver of a room sends RTCP from its own address; its RTP is refused.
feedback()
{
	br_spawn receiver "$BR_TMP/feedback.log" "$RELAY_LAB" source --suite none \
		--to "$(br_addr4 1):$RELAY_MEDIA_PORT" --local-port 7001 --ssrc 0x9 --rate 20 \
		--duration 1 --rtcp 0.2
	wait "$BR_PID"
	cat "$BR_TMP/feedback.log"
	relay_dropped
}

feedback_to_publisher()
{
	feedback
	[ "$(relay_leg calm sender sent_packets)" -ge 3 ] && [ "$(relay_counters feedback)" = 0 ]
}

# Whatever came up was read.
daemon_has_feedback()
{
	local up
	up=$(relay_counters feedback)
	[ "$up" -ge 3 ] && [ "$(port_read rtcp)" = "$up" ]
}

feedback_to_daemon()
{
	local before
	relay_ctl change calm receiver --feedback daemon
	before=$(relay_leg calm sender sent_packets)
	feedback
	br_until 5 daemon_has_feedback && [ "$(relay_leg calm sender sent_packets)" = "$before" ] && return
	echo "$(relay_counters feedback) up, $(port_read rtcp) read; to the publisher" \
		"$before before, $(relay_leg calm sender sent_packets) now"
	return 1
}

# --- life ---

expires()
{
	relay_ctl change calm receiver --expires 1 && relay_ctl change calm sender --expires 600 &&
		br_until 5 leg_is calm receiver '.state == "expired" and .expires_in_s == 0'
}

receives_nothing()
{
	local copied
	copied=$(relay_leg calm receiver sent_packets)
	source_start calm 6001 0x2000 100 0.2
	wait "$BR_PID"
	[ "$(relay_leg calm receiver sent_packets)" = "$copied" ] && at_least receiver_expired 10
}

renewed()
{
	local copied
	copied=$(relay_leg calm receiver sent_packets)
	relay_ctl change calm receiver --expires 600 &&
		leg_is calm receiver '.state == "ready" and .expires_in_s > 590' || return 1
	source_start calm 6001 0x2000 100 0.2
	wait "$BR_PID"
	[ "$(relay_leg calm receiver sent_packets)" -ge $((copied + 10)) ]
}

sender_expires()
{
	relay_ctl change calm sender --expires 1 && br_until 5 leg_is calm sender '.state == "expired"' ||
		return 1
	source_start calm 6001 0x2000 100 0.2
	wait "$BR_PID"
	at_least leg_expired 10
}

gone() { ! relay_ctl --json legs calm | jq -e --arg name "$1" '.legs[] | select(.name == $name)'; }
removed()
{
	br_until $((GRACE_S + 5)) gone "$1" && log_says "room calm: leg $1 has expired and is removed"
}

# --- after a restart ---

terms_stay()
{
	leg_is loud sender '.max_packets_per_s == 50 and .max_bits_per_s == 0' &&
		leg_is calm receiver '.feedback == "daemon" and .expires_in_s > 500' &&
		leg_is loud receiver '.max_packets_per_s == 5000 and .expires_in_s == null'
}

expired_meanwhile()
{
	relay_ctl change calm receiver --expires 1 && kill -KILL "$RELAY_PID" || return 1
	br_wait_gone "$RELAY_PID" 5
	wait "$RELAY_PID" 2>/dev/null
	start && removed receiver
}

for tool in bpftool curl jq; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh"
done
relay_find_programs
br_net_begin
mkdir "$BR_TMP/bpf"
mount -t bpf -o mode=0700 bpf "$BR_TMP/bpf" || br_die "a bpffs cannot be mounted"
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host receiver 3
br_net_host guest 4
config "${2:-native}"
check "the relay starts" start

check "no leg yet: silence for RTP, IPv4" silence "$(br_addr4 1)"
check "no leg yet: silence for RTP, IPv6" silence "$(br_addr6 1)"
ALREADY=0
check "a flood of STUN is cut, IPv4" stranger_flood "$(br_addr4 1)" 0
ALREADY=3000
check "a flood of STUN is cut, IPv6" stranger_flood "$(br_addr6 1)" "$(relay_counters stun)"
check "a guest gets through beside it" guest_beside_flood
check "the daemon was sent no more than that" daemon_saw_no_more
check "addresses of the interface come and go" address_comes_and_goes

check "rooms" add_rooms
check "default limit from the configuration" leg_is loud receiver '.max_packets_per_s == 5000'
check "a flood is cut to 100 packets/s" flood "--packets 100" 100
check "the leg beside it lost nothing" calm_lost_nothing 600
check "a flood is cut to 0.8 Mbit/s: 97 packets/s" flood "--packets 0 --rate 800k" 97
check "the leg beside it lost nothing again" calm_lost_nothing 1200
check "a flood of fragments is cut as well" flood_of_fragments
check "another limit" relay_ctl change loud sender --packets 50 --rate 0

check "feedback of a receiver reaches the publisher" feedback_to_publisher
check "or the daemon" feedback_to_daemon
check "a leg expires" expires
check "it receives nothing then" receives_nothing
check "renewed, it receives again" renewed
check "terms stay after kill -9" murder_and_start
check "all of them" terms_stay
check "an expired sender is refused" sender_expires
check "and removed after the grace" removed sender
check "a leg that expires while no daemon is there is removed" expired_meanwhile
check "others stay" leg_is loud sender true
check "it ends with status 0" relay_stop
checks_end
