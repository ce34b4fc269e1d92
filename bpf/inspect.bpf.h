/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Is a datagram to the media port well-formed, and of which class? Reads only. */
#ifndef BR_INSPECT_BPF_H
#define BR_INSPECT_BPF_H

#include <blindrelay/wire.h>

#include "parse.bpf.h"

#define BR_HEADERS_MAX                                                                             \
	(ETH_HLEN + BR_VLAN_MAX * sizeof(struct br_vlan_header) + sizeof(struct ipv6hdr) +         \
	 sizeof(struct udphdr))

#define BR_RTP_CSRCS	 0x0f /* RFC 3550 section 5.1 */
#define BR_RTP_EXTENSION 0x10

/* RTP header with its CSRCs and extension lies inside the payload; SRTP leaves all of it clear. */
static __always_inline int br_inspect_rtp(__u8 *payload, __u32 length, void *end)
{
	__u32 header = BR_RTP_HEADER;
	__u8 *extension;

	if ((void *)payload + BR_RTP_HEADER > end || length < BR_RTP_HEADER)
		return BR_BAD_RTP;
	header += (payload[0] & BR_RTP_CSRCS) * 4;
	if (payload[0] & BR_RTP_EXTENSION) {
		extension = payload + header;
		header += 4;
		if ((void *)extension + 4 > end || length < header)
			return BR_BAD_RTP;
		header += (extension[2] << 8 | extension[3]) * 4;
	}
	return length < header ? BR_BAD_RTP : 0;
}

/**
 * br_inspect - check lengths and find class and SSRC
 * @packet: as br_parse left it; class and ssrc are set
 *
 * Return: 0 for RTP and RTCP; else the reason to pass (STUN, DTLS) or to drop.
 */
static __always_inline int br_inspect(struct xdp_md *ctx, struct br_packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 offset = packet->l3_offset + packet->ip_header + sizeof(struct udphdr);
	__u32 frame = end - data;
	__u32 length;
	__u8 *payload;
	int reason;

	if (packet->udp_length < sizeof(struct udphdr) ||
	    packet->ip_length != packet->ip_header + packet->udp_length ||
	    packet->l3_offset + packet->ip_length > frame)
		return BR_BAD_LENGTH;
	/* Always false; tells the verifier (6.18) what it forgot when offsets went to the stack. */
	if (offset > BR_HEADERS_MAX)
		return BR_BAD_LENGTH;
	if (packet->ip_header == sizeof(struct ipv6hdr) && !packet->udp_check)
		return BR_NO_CHECKSUM; /* RFC 8200 section 8.1 */

	length = packet->udp_length - sizeof(struct udphdr);
	payload = data + offset;
	if ((void *)payload + 2 > end || length < 2)
		return BR_BAD_CLASS;
	packet->class = br_classify(payload[0], payload[1]);
	switch (packet->class) {
	case BR_CLASS_RTP:
		reason = br_inspect_rtp(payload, length, end);
		if (reason)
			return reason;
		__builtin_memcpy(&packet->ssrc, payload + BR_RTP_SSRC, sizeof(packet->ssrc));
		return 0;
	case BR_CLASS_RTCP:
		if ((void *)payload + BR_RTCP_HEADER > end || length < BR_RTCP_HEADER)
			return BR_BAD_RTCP;
		__builtin_memcpy(&packet->ssrc, payload + BR_RTCP_SSRC, sizeof(packet->ssrc));
		return 0;
	case BR_CLASS_STUN:
		return BR_STUN;
	case BR_CLASS_DTLS:
		return BR_DTLS;
	default:
		return BR_BAD_CLASS;
	}
}

#endif
