#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Rooms of 300 and 1,000 receivers, whose packets go round in the loop: every receiver gets every
# packet of several publishers once, with the right bytes in every header; and under a source far
# faster than the relay, packets are refused whole and counted, and no receiver gets less than
# another.
# Usage: tests/netns/large_rooms.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/traffic.sh
. scripts/lib/traffic.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh

PORT=20000 # of the first receiver on each host
TOS=184

# address HOST_NUMBER FAMILY
address() { "br_addr$2" "$1"; }

# room ROOM FAMILY COUNT4 COUNT6: three publishers that send over FAMILY; IPv4 receivers on host a,
# IPv6 ones on host b.
room()
{
	local i
	for i in 0 1 2; do
		relay_add "$1" "sender$i" "$(address 2 "$2")" $((6000 + i)) publisher
	done
	[ "$3" = 0 ] || relay_add_many "$1" a "$(br_addr4 11)" $PORT "$3" || return 1
	[ "$4" = 0 ] || relay_add_many "$1" b "$(br_addr6 12)" $PORT "$4" || return 1
	br_until 20 relay_all_ready
}

room_end() { relay_ctl remove "$1" >/dev/null; }

capture_start()
{
	br_spawn "$1" "$BR_TMP/$1.tcpdump" tcpdump -i media -B 65536 -U -w "$BR_TMP/$1.pcap" \
		"udp and src port $RELAY_MEDIA_PORT"
	CAPTURE=$BR_PID
	br_until 10 grep -q 'listening on' "$BR_TMP/$1.tcpdump"
}

mac() { br_in "$1" cat /sys/class/net/media/address; }

# headers_right HOST FAMILY PACKETS: of every copy that this host got
headers_right()
{
	local ip line wrong
	br_stop "$CAPTURE" INT
	grep -q '^0 packets dropped by kernel' "$BR_TMP/$1.tcpdump" || {
		echo "the capture is not complete"
		return 1
	}
	if [ "$2" = 4 ]; then
		ip="IPv4 \(0x0800\), length [0-9]+: \(tos 0xb8, ttl 63, id [0-9]+, offset 0, flags \[DF\], proto UDP \(17\), length [0-9]+\)"
		line="$(br_addr4 1 | sed 's/\./\\./g')\.$RELAY_MEDIA_PORT > $(br_addr4 11 | sed 's/\./\\./g')\.2[01][0-9]{3}: \[udp sum ok\]"
	else
		ip="IPv6 \(0x86dd\), length [0-9]+: \(class 0xb8,( flowlabel 0x[0-9a-f]+,)? hlim 63, next-header UDP \(17\) payload length: [0-9]+\)"
		line="$(br_addr6 1)\.$RELAY_MEDIA_PORT > $(br_addr6 12)\.2[01][0-9]{3}: \[udp sum ok\]"
	fi
	tcpdump -nn -t -e -vv -r "$BR_TMP/$1.pcap" 2>/dev/null | tr -d '\n' |
		sed "s/$(mac relay) >/\n&/g" | grep . >"$BR_TMP/frames"
	wrong=$(grep -vE "^$(mac relay) > $(mac "$1"), ethertype $ip +$line" "$BR_TMP/frames" |
		head -n 3)
	[ -z "$wrong" ] || {
		echo "wrong headers: $wrong"
		return 1
	}
	equal "frames" "$(wc -l <"$BR_TMP/frames")" "$3"
}

# paced ROOM FAMILY COUNT4 COUNT6 RATE COUNT
paced()
{
	local sinks=() name copies0 copies
	copies0=$(relay_counters copied)
	[ "$3" = 0 ] || { traffic_sink a a "$(br_addr4 11)" $PORT "$3" && sinks+=(a); } || return 1
	[ "$4" = 0 ] || { traffic_sink b b "$(br_addr6 12)" $PORT "$4" && sinks+=(b); } || return 1
	traffic_source sent publisher "$(address 1 "$2")" 6000 0x1000 "$5" --publishers 3 \
		--count "$6" --bytes 1200,160 --rtcp 0.5 --tos $TOS
	traffic_wait || return 1
	for name in "${sinks[@]}"; do
		traffic_exact "$name" sent || return 1
	done
	copies=$(($(relay_counters copied) - copies0))
	equal "copies counted" $copies $(($(traffic_sent sent) * ($3 + $4))) &&
		equal "dropped" "$(relay_dropped | grep -v ^overload=)" ""
}

# headers ROOM FAMILY COUNT4 COUNT6 HOST: few packets, each frame looked at
headers()
{
	local to=4 count=$3
	[ "$5" = a ] || { to=6 && count=$4; }
	capture_start "$5" || return 1
	traffic_source sent publisher "$(address 1 "$2")" 6000 0x1000 10 --publishers 3 --count 3 \
		--bytes 300,160 --tos $TOS
	traffic_wait || return 1
	br_until 10 captured_all "$5" $((9 * count))
	headers_right "$5" $to $((9 * count))
}

captured_all() { [ "$(tcpdump -r "$BR_TMP/$1.pcap" 2>/dev/null | wc -l)" -ge "$2" ]; }

# The kernel of host a counts what each port gets, faster than any program could read it.
count_ports()
{
	br_in a nft -f - <<-END
		table inet br_count {
		  set ports { type inet_service; flags dynamic; counter; size 4096; }
		  chain in {
		    type filter hook prerouting priority -300;
		    udp sport $RELAY_MEDIA_PORT add @ports { udp dport } drop
		  }
		}
	END
}

# Receivers and the packets they got: "300 receivers got 1234" is one line when all got the same.
port_counts()
{
	br_in a nft -j list set inet br_count ports |
		jq -r '.nftables[] | .set // empty | .elem[].elem | .counter.packets' | sort -n | uniq -c |
		awk '{ print $1 " receivers got " $2 }'
}

relay_quiet()
{
	local now
	now=$(relay_counters forwarded overload copied looped)
	[ "$now" = "${QUIET:-}" ] || {
		QUIET=$now
		return 1
	}
}

# The switch hands the publisher's packets to the first CPU, the publisher runs on the last one. On
# one CPU it would wait for the relay with each packet, and never be too fast.
apart()
{
	[ "$(nproc)" -gt 1 ] || {
		echo "one CPU: nothing can overtake the relay"
		return 1
	}
	br_in switch sh -c 'echo 1 >/sys/class/net/publisher/queues/rx-0/rps_cpus'
}

# ring HOST DEVICE COUNTER: as ethtool -S has it, all queues together
ring() { br_in "$1" ethtool -S "$2" | awk -v name="$3" '$1 ~ name ":$" { n += $2 } END { print n + 0 }'; }

# overload COUNT: an unpaced source for 3 seconds. Every admitted packet reaches the other end of the
# relay's wire COUNT times. Behind it the kernel's queue (netdev_max_backlog) may lose copies, but
# nobody may get 3 % less than another.
overload()
{
	local forwarded0 refused0 forwarded refused least most out0 out
	read -r forwarded0 refused0 <<<"$(relay_counters forwarded overload)"
	apart && count_ports || return 1
	out0=$(ring switch relay xdp_packets)
	traffic_source fast publisher "$(br_addr4 1)" 6000 0x1000 max --publishers 3 --duration 3 \
		--bytes 300
	taskset -pc $(($(nproc) - 1)) "$TRAFFIC_PID"
	traffic_wait || return 1
	br_until 10 relay_quiet
	read -r forwarded refused <<<"$(relay_counters forwarded overload)"
	forwarded=$((forwarded - forwarded0))
	refused=$((refused - refused0))
	out=$(($(ring switch relay xdp_packets) - out0))
	port_counts >"$BR_TMP/counts"
	least=$(awk 'NR == 1 { print $4 }' "$BR_TMP/counts")
	most=$(awk 'END { print $4 }' "$BR_TMP/counts")
	OVERLOAD="$forwarded admitted, $refused refused, $out copies on the wire, each receiver got $least to $most"
	cat "$BR_TMP/counts"
	echo "$OVERLOAD"
	equal "receivers" "$(awk '{ n += $1 } END { print n }' "$BR_TMP/counts")" "$1" &&
		equal "copies the wire had no room for" "$(ring relay media xmit_errors)" 0 &&
		[ $out -ge $((forwarded * $1)) ] &&
		[ "$most" -le $forwarded ] && [ $refused -gt $forwarded ] &&
		[ $(((most - least) * 100)) -le $((forwarded * 3)) ] &&
		equal "dropped for other reasons" "$(relay_dropped | grep -v ^overload=)" ""
}

for tool in nft tcpdump curl jq; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh test"
done
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
br_net_host b 12
traffic_key
relay_start relay native

check "a room of 300, IPv4" room small 4 300 0
check "300 receivers, three publishers: all get all, once" paced small 4 300 0 30 90
check "300 receivers: every header is right" headers small 4 300 0 a
OVERLOAD=
check "300 receivers, a source without a pause: nobody gets less" overload 300
echo "300 receivers: $OVERLOAD"
br_in a nft delete table inet br_count
check "the room goes" room_end small
check "a room of 1,000, IPv6 to both families" room large 6 500 500
check "1,000 receivers, three publishers: all get all, once" paced large 6 500 500 8 24
check "1,000 receivers: every header is right, to IPv4" headers large 6 500 500 a
check "1,000 receivers: every header is right, to IPv6" headers large 6 500 500 b
check "the large room goes" room_end large
check "the relay ends cleanly" relay_stop
checks_end
