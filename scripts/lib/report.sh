# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the demo shows at its end: what every receiver got, out of captures, decoded files and
# the kernel's counters. Uses the variables of scripts/demo.sh.

REPORT_FAULTS=

fault() { REPORT_FAULTS+="  $*"$'\n'; }

# frames_sent NAME: pictures that the publisher sent while this receiver was there. The last
# packet of a picture carries the marker bit: second byte of RTP is 128 + 96 (RFC 7741).
frames_sent()
{
	local filter="udp[9] = 224"
	# libpcap's udp[] looks into IPv4 only; there: 40 bytes of IPv6, 8 of UDP.
	[ "${FAMILY[$1]}" = 4 ] || filter="ip6[49] = 224"
	tcpdump -n -tt -r "$BR_TMP/publisher.pcap" \
		"src port $(first_port "${FAMILY[$1]}") and $filter" 2>/dev/null |
		awk -v from="${JOINED[$1]}" -v to="${LEFT[$1]:-9e18}" \
			'$1 >= from && $1 <= to { n++ } END { print n + 0 }'
}

# compare_captures NAME: publisher and one receiver, packet by packet; JSON. Who came late or left
# early is compared from its first to its last packet.
compare_captures()
{
	local window=()
	[ "${JOINS[$1]}" = 0 ] || window+=(--from-first)
	[ "${LEAVES[$1]}" = 0 ] || window+=(--until-last)
	"$RELAY_LAB" compare --json --relay-port "$RELAY_MEDIA_PORT" "${window[@]}" \
		--ssrc "$(video_ssrc "${FAMILY[$1]}"),$(audio_ssrc "${FAMILY[$1]}")" \
		"$BR_TMP/publisher.pcap" "$BR_TMP/$1.pcap"
}

report_receiver()
{
	local name=$1 sent decoded sound percent result lost altered received again there
	sent=$(frames_sent "$name")
	decoded=$(media_frames "$name" "${DECODER[$name]}")
	sound=$(media_sound "$name" "${DECODER[$name]}")
	result=$(compare_captures "$name")
	# shellcheck disable=SC2034 # rest
	read -r received lost altered again <<<"$(jq -r '
		.sent_again as $again | .receivers[0] |
		[.rtp.received + .rtcp.received, .rtp.lost + .rtcp.lost,
		 .rtp.altered_bytes + .rtcp.altered_bytes, $again] | @tsv' <<<"$result")"
	[[ $received =~ ^[0-9]+$ ]] || {
		fault "$name: the captures could not be compared"
		return
	}
	CAPTURED=$((CAPTURED + received))
	percent=$(awk -v a="$decoded" -v b="$sent" 'BEGIN { printf "%.1f", b ? 100 * a / b : 0 }')
	there=always
	[ "${JOINS[$name]}" = 0 ] || there="${JOINS[$name]}-${LEAVES[$name]} s"
	printf '%-9s IPv%s  %-9s  %-8s %7d %8d %6s %8s %8d %5d %8d\n' "$name" "${FAMILY[$name]}" \
		"${DECODER[$name]}" "$there" "$sent" "$decoded" "$percent" \
		"$(awk -v n="$sound" 'BEGIN { printf "%.1f", n / 50 }')" "$received" "$lost" "$altered"

	[ $((decoded * 100)) -ge $((sent * 95)) ] && [ "$sent" -gt 0 ] ||
		fault "$name decoded $decoded of $sent frames, less than 95 %"
	[ $((sound * 100)) -ge $((sent * 2 * 95)) ] ||
		fault "$name decoded only $sound pieces of sound for $sent frames"
	[ "$lost" = 0 ] || fault "$name lost $lost packets"
	[ "$altered" = 0 ] || fault "$altered bytes of payload altered at $name"
	[ "$again" = 0 ] || fault "the publisher sent $again packets more than once"
	jq -e '.faults == 0' <<<"$result" >/dev/null ||
		fault "$name: $(jq -r '.receivers[0].fault' <<<"$result")"
	[ -s "$BR_TMP/$name.png" ] || fault "no picture of $name"
}

# The kernel's counters against what the captures saw.
report_totals()
{
	local sent forwarded copied name drops
	sent=$(tcpdump -n -r "$BR_TMP/publisher.pcap" 2>/dev/null | wc -l)
	read -r forwarded copied <<<"$(relay_counters forwarded copied)"
	drops=$(relay_dropped | tr '\n' ' ')
	echo
	echo "packets the publisher sent    $sent, each once"
	echo "packets in, by the kernel     $forwarded"
	echo "copies out, by the kernel     $copied (XDP mode: $(relay_modes))"
	echo "copies the receivers got      $CAPTURED"
	echo "copies by userspace           $((CAPTURED - copied))"
	echo "packets dropped in the relay  ${drops:-0}"
	[ "$forwarded" = "$sent" ] || fault "the kernel counted $forwarded packets of $sent in"
	[ "$copied" = "$CAPTURED" ] || fault "the kernel counted $copied copies, receivers got $CAPTURED"
	[ -z "$drops" ] || fault "the relay dropped: $drops"
	for name in "${!CAPTURE[@]}"; do
		grep -q '^0 packets dropped by kernel' "$BR_TMP/$name.tcpdump" ||
			fault "the capture at $name is not complete"
	done
}

# One decoded picture of every receiver, and all of them on one sheet.
save_pictures()
{
	local name
	for name in $NAMES; do
		[ ! -s "$BR_TMP/$name.png" ] || cp "$BR_TMP/$name.png" "$OUT/$name.png"
	done
	ffmpeg -nostdin -hide_banner -loglevel error -pattern_type glob -i "$OUT/r[0-9]*.png" \
		-vf "tile=4x2:padding=4" -frames:v 1 -y "$OUT/receivers.png" ||
		fault "the sheet of pictures could not be made"
	echo
	echo "The last picture of every receiver: $OUT/receivers.png"
}

report()
{
	local name
	CAPTURED=0
	echo
	printf '%-9s %-5s %-9s  %-8s %7s %8s %6s %8s %8s %5s %8s\n' receiver "" decoder there \
		"frames" decoded % "sound s" packets lost altered
	for name in $NAMES; do
		report_receiver "$name"
	done
	report_totals
	save_pictures
	relay_stop || fault "the relay ended with status $?"
	echo
	if [ -z "$REPORT_FAULTS" ]; then
		echo "Every receiver got every packet unaltered, and all copies were made by the kernel."
		return 0
	fi
	printf 'NOT as it should be:\n%s' "$REPORT_FAULTS"
	return 1
}
