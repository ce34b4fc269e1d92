// SPDX-License-Identifier: BSD-2-Clause
/* What a capture says of a packet in words. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <blindrelay/wire.h>

#include "control/capture_file.h"
#include "lib/frame.h"

/* The SSRC of RTP and RTCP; SRTP leaves it clear. */
static bool br_capture_ssrc(const struct br_capture_packet *packet, uint32_t *ssrc)
{
	enum br_link link = packet->link_length ? BR_LINK_RAW : BR_LINK_ETHERNET;
	struct br_datagram datagram;
	enum br_class class;
	size_t offset;

	if (br_frame_parse(link, packet->frame, packet->shown, &datagram) != BR_FRAME_DATAGRAM ||
	    datagram.captured < 2)
		return false;
	class = br_classify(datagram.payload[0], datagram.payload[1]);
	if (class != BR_CLASS_RTP && class != BR_CLASS_RTCP)
		return false;
	offset = class == BR_CLASS_RTP ? BR_RTP_SSRC : BR_RTCP_SSRC;
	if (datagram.captured < offset + sizeof(*ssrc))
		return false;
	memcpy(ssrc, datagram.payload + offset, sizeof(*ssrc));
	*ssrc = ntohl(*ssrc);
	return true;
}

static const char *br_capture_name(const struct br_rooms *rooms, uint32_t slot)
{
	const struct br_room_leg *leg = br_room_leg_at(rooms, slot);

	return leg ? br_room_leg_spec(leg)->name : "(gone)";
}

const char *br_capture_comment(const struct br_rooms *rooms, const struct br_capture_packet *packet,
			       char out[static BR_CAPTURE_COMMENT])
{
	enum br_verdict verdict = br_reason_verdict(packet->reason);
	bool copy = packet->point == BR_CAPTURE_OUT;
	uint32_t ssrc;
	int used;

	if (verdict == BR_VERDICT_SENT)
		return NULL;
	used = snprintf(out, BR_CAPTURE_COMMENT, "%s: %s (%s); leg %s%s%s",
			verdict == BR_VERDICT_DROP ? "drop" : "pass",
			br_reason_name(packet->reason), br_reason_meaning(packet->reason),
			br_capture_name(rooms, packet->from), copy ? " -> " : "",
			copy ? br_capture_name(rooms, packet->leg) : "");
	if (used < BR_CAPTURE_COMMENT && br_capture_ssrc(packet, &ssrc))
		snprintf(out + used, BR_CAPTURE_COMMENT - (size_t)used, "; ssrc 0x%08x", ssrc);
	return out;
}
