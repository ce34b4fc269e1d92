// SPDX-License-Identifier: BSD-2-Clause
#include "lab/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "blindrelay/wire.h"
#include "lib/frame.h"
#include "lib/rtp.h"

static int grow(void **array, size_t *room, size_t needed, size_t size)
{
	size_t larger = *room ? *room : 1024;
	void *moved;

	if (needed <= *room)
		return 0;
	while (larger < needed)
		larger *= 2;
	moved = realloc(*array, larger * size);
	if (!moved)
		return -ENOMEM;
	*array = moved;
	*room = larger;
	return 0;
}

int br_capture_add(struct br_capture *capture, const struct br_packet *packet,
		   const uint8_t *payload)
{
	struct br_packet *copy;

	if (grow((void **)&capture->bytes, &capture->room, capture->used + packet->length, 1) ||
	    grow((void **)&capture->packets, &capture->packet_room, capture->count + 1,
		 sizeof(*packet)))
		return -ENOMEM;
	memcpy(capture->bytes + capture->used, payload, packet->length);
	copy = &capture->packets[capture->count++];
	*copy = *packet;
	copy->offset = capture->used;
	capture->used += packet->length;
	return 0;
}

void br_capture_free(struct br_capture *capture)
{
	free(capture->packets);
	free(capture->bytes);
	memset(capture, 0, sizeof(*capture));
}

static int link_type(int pcap_type)
{
	switch (pcap_type) {
	case DLT_EN10MB:
		return BR_LINK_ETHERNET;
	case DLT_LINUX_SLL:
		return BR_LINK_SLL;
	case DLT_LINUX_SLL2:
		return BR_LINK_SLL2;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return BR_LINK_RAW;
	default:
		return -1;
	}
}

/* RTP or RTCP with an SSRC that counts: fill what the header says. */
static bool recognise(const struct br_datagram *datagram, const struct br_ssrcs *ssrcs,
		      struct br_packet *packet)
{
	const uint8_t *payload = datagram->payload;
	struct br_rtcp rtcp;
	struct br_rtp rtp;

	if (datagram->captured < 2)
		return false;
	switch (br_classify(payload[0], payload[1])) {
	case BR_CLASS_RTP:
		if (br_rtp_parse(payload, datagram->captured, &rtp))
			return false;
		packet->ssrc = rtp.ssrc;
		packet->sequence = rtp.sequence;
		break;
	case BR_CLASS_RTCP:
		if (br_rtcp_parse(payload, datagram->captured, &rtcp))
			return false;
		packet->ssrc = rtcp.ssrc;
		packet->rtcp = true;
		break;
	default:
		return false;
	}
	return br_ssrcs_contain(ssrcs, packet->ssrc);
}

static int take_frame(struct br_capture *capture, const struct br_capture_filter *filter,
		      enum br_link link, const struct pcap_pkthdr *header, const uint8_t *frame)
{
	struct br_datagram datagram;
	struct br_packet packet = {
		/* Opened with nanosecond precision: tv_usec holds nanoseconds. */
		.time_ns =
			(uint64_t)header->ts.tv_sec * 1000000000ULL + (uint64_t)header->ts.tv_usec,
	};

	capture->frames++;
	switch (br_frame_parse(link, frame, header->caplen, &datagram)) {
	case BR_FRAME_DATAGRAM:
		break;
	case BR_FRAME_FRAGMENT:
		capture->fragments++;
		return 0;
	case BR_FRAME_BROKEN:
		capture->broken++;
		return 0;
	case BR_FRAME_OTHER:
		return 0;
	}
	if ((filter->source_port && datagram.source_port != filter->source_port) ||
	    (filter->destination_port && datagram.destination_port != filter->destination_port))
		return 0;
	if (!recognise(&datagram, filter->ssrcs, &packet))
		return 0;
	if (datagram.captured < datagram.length) {
		capture->truncated++;
		return 0;
	}
	packet.length = (uint32_t)datagram.length;
	return br_capture_add(capture, &packet, datagram.payload);
}

int br_capture_read(const char *path, const struct br_capture_filter *filter,
		    struct br_capture *out, struct br_error *error)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *header;
	const uint8_t *frame;
	int err = 0, link, got;
	pcap_t *pcap;

	memset(out, 0, sizeof(*out));
	pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!pcap)
		return br_error_set(error, -EINVAL, path, "expected a pcap or pcapng file: %s",
				    text);
	link = link_type(pcap_datalink(pcap));
	if (link < 0) {
		err = br_error_set(error, -EINVAL, path,
				   "link type %d; expected Ethernet, Linux cooked or raw IP",
				   pcap_datalink(pcap));
		goto out;
	}
	while ((got = pcap_next_ex(pcap, &header, &frame)) == 1) {
		err = take_frame(out, filter, link, header, frame);
		if (err) {
			br_error_set(error, err, path, "out of memory after %zu packets",
				     out->count);
			goto out;
		}
	}
	/*
	 * A file that ends inside a record was cut off while its writer still had packets to
	 * write: what it does not show must not be taken for loss.
	 */
	if (got == PCAP_ERROR)
		err = br_error_set(error, -EBADMSG, path, "broken after %llu frames: %s",
				   (unsigned long long)out->frames, pcap_geterr(pcap));
out:
	pcap_close(pcap);
	return err;
}
