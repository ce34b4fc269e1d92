/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A next hop that somebody names, instead of the routing table: in labs, and where a kernel
 * has no VLAN devices. It follows its interface (index, MAC address, MTU, link), nothing else.
 */
#ifndef BR_NAMED_HOP_H
#define BR_NAMED_HOP_H

#include <stdint.h>

#include <blindrelay/abi.h>

struct br_named_hop {
	char interface[16];    /* a media interface; "": no next hop is named */
	uint8_t mac[6];	       /* of the neighbour, unicast */
	uint8_t source_mac[6]; /* unicast; all 0: that of the interface */
	uint16_t mtu;	       /* largest IP packet, bytes; 0: that of the interface */
	uint16_t vlans;	       /* tags: one is 802.1Q, of two the outer one is 802.1ad */
	uint16_t vlan[2];      /* tag control information, host byte order, outermost first */
};
_Static_assert(sizeof(struct br_named_hop) == 36, "compared and kept as bytes: no padding");
_Static_assert(BR_VLAN_MAX == 2, "tags of a named next hop");

#define BR_VLAN_ID_MIN	      1u
#define BR_VLAN_ID_MAX	      4094u /* 4095 is reserved, 0 says that there is a priority only */
#define BR_VLAN_PRIORITY_MAX  7u
#define BR_VLAN_ID(tci)	      ((tci)&0xfffu)
#define BR_VLAN_PRIORITY(tci) ((tci) >> 13)

/* The least that IPv6 allows (RFC 8200 section 5), for both families. */
#define BR_NAMED_HOP_MTU_MIN 1280u

#endif
