/* SPDX-License-Identifier: BSD-2-Clause */
/* From a captured frame to the UDP datagram inside: Ethernet, Linux cooked, VLAN, IPv4, IPv6. */
#ifndef BR_FRAME_H
#define BR_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum br_link {
	BR_LINK_ETHERNET,
	BR_LINK_SLL,  /* Linux cooked capture, LINKTYPE_LINUX_SLL */
	BR_LINK_SLL2, /* LINKTYPE_LINUX_SLL2 */
	BR_LINK_RAW,  /* begins with the IP header */
};

/* A UDP datagram. Ports in host byte order. */
struct br_datagram {
	const uint8_t *payload; /* inside the frame */
	size_t length;		/* bytes of UDP payload as the UDP header says */
	size_t captured;	/* of these, bytes that the capture holds */
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t family; /* 4 or 6 */
	uint8_t vlans;	/* tags seen */
};

enum br_frame_verdict {
	BR_FRAME_DATAGRAM,
	BR_FRAME_OTHER,	   /* neither IPv4 nor IPv6 with UDP */
	BR_FRAME_FRAGMENT, /* IP fragment */
	BR_FRAME_BROKEN,   /* headers run past the capture or lengths contradict */
};

/**
 * br_frame_parse - find the UDP datagram in a frame
 * @link: type of the link header
 * @data: frame
 * @captured: bytes of @data
 * @out: filled when the result is BR_FRAME_DATAGRAM, else untouched
 */
enum br_frame_verdict br_frame_parse(enum br_link link, const void *data, size_t captured,
				     struct br_datagram *out);

#endif
