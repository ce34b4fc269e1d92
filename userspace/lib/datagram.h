/* SPDX-License-Identifier: BSD-2-Clause */
/* A UDP datagram with what matters of its IP header. */
#ifndef BR_DATAGRAM_H
#define BR_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct br_datagram {
	struct br_endpoint remote; /* who sent it */
	struct br_endpoint local;  /* to which of our addresses */
	const uint8_t *payload;	   /* of UDP, @length bytes; the reader's */
	size_t length;
	uint8_t ttl;	    /* or hop limit, as it came */
	uint8_t tos;	    /* DSCP and ECN */
	bool dont_fragment; /* copies of it must not be cut either */
};

#define BR_UDP_HEADER 8u

/** br_datagram_ip_length - bytes of an IP packet of @family without options for @length bytes */
static inline uint32_t br_datagram_ip_length(uint8_t family, size_t length)
{
	return (family == 4 ? 20u : 40u) + BR_UDP_HEADER + (uint32_t)length;
}

#define BR_DATAGRAM_HEADERS (14u + 40u + BR_UDP_HEADER) /* Ethernet, IPv6, UDP */

/**
 * br_datagram_headers - what stands before the payload in a frame
 *
 * From @datagram's remote to its local endpoint, with valid checksums. The Ethernet addresses,
 * the identification and the flow label, which a datagram does not have, are zero.
 *
 * Return: bytes written.
 */
size_t br_datagram_headers(const struct br_datagram *datagram,
			   uint8_t out[static BR_DATAGRAM_HEADERS]);

#endif
