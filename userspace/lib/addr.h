/* SPDX-License-Identifier: BSD-2-Clause */
/* IP addresses, endpoints and networks: parsing, printing, comparing. No I/O, no name look-up. */
#ifndef BR_ADDR_H
#define BR_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <sys/socket.h>

/* An IP address; IPv4 in words[3] as an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2). */
struct br_addr {
	__be32 words[4];
	uint8_t family; /* 4, 6, or 0 for none */
};

/* An address and a UDP port. */
struct br_endpoint {
	struct br_addr addr;
	__be16 port;
};

/* A network in CIDR notation. */
struct br_network {
	struct br_addr addr; /* host bits are zero */
	uint8_t prefix;	     /* 0..32 for IPv4, 0..128 for IPv6 */
};

#define BR_ADDR_TEXT	 46 /* longest address in text, with NUL */
#define BR_ENDPOINT_TEXT 56 /* "[address]:port" with NUL */
#define BR_NETWORK_TEXT	 52

/**
 * br_addr_parse - parse a literal IPv4 or IPv6 address
 *
 * No zone ("%eth0"); no IPv4-mapped IPv6 address, which never stands in a packet and would
 * pass for the IPv4 address in tables.
 *
 * Return: true on success; @out untouched otherwise.
 */
bool br_addr_parse(const char *text, struct br_addr *out);
/** br_addr_format - address in text (RFC 5952 for IPv6), "none" for family 0; returns @out */
const char *br_addr_format(const struct br_addr *addr, char out[static BR_ADDR_TEXT]);
/** br_addr_equal - same family and same address */
bool br_addr_equal(const struct br_addr *a, const struct br_addr *b);
/** br_addr_is_unicast - neither unspecified, multicast nor the IPv4 broadcast address */
bool br_addr_is_unicast(const struct br_addr *addr);
/** br_addr_from_bytes - from 4 (family 4) or 16 (family 6) bytes in network order */
struct br_addr br_addr_from_bytes(int family, const void *bytes);

/** br_endpoint_parse - "192.0.2.1:5000" or "[2001:db8::1]:5000"; port 1..65535 */
bool br_endpoint_parse(const char *text, struct br_endpoint *out);
/** br_endpoint_format - endpoint in text into @out; returns @out */
const char *br_endpoint_format(const struct br_endpoint *endpoint,
			       char out[static BR_ENDPOINT_TEXT]);
/** br_endpoint_to_sockaddr - fill a socket address; returns its length, 0 for family 0 */
socklen_t br_endpoint_to_sockaddr(const struct br_endpoint *endpoint, struct sockaddr_storage *out);
/**
 * br_endpoint_from_sockaddr - false when the family is neither AF_INET nor AF_INET6
 *
 * An IPv4-mapped address, as dual-stack sockets report it, becomes IPv4.
 */
bool br_endpoint_from_sockaddr(const struct sockaddr_storage *addr, struct br_endpoint *out);

/** br_addr_is_loopback - 127.0.0.0/8 or ::1 */
bool br_addr_is_loopback(const struct br_addr *addr);

/** br_network_parse - "192.0.2.0/24"; false as well when host bits are set */
bool br_network_parse(const char *text, struct br_network *out);
/** br_network_format - network in text into @out; returns @out */
const char *br_network_format(const struct br_network *network, char out[static BR_NETWORK_TEXT]);
/** br_network_contains - is @addr of that family and inside? */
bool br_network_contains(const struct br_network *network, const struct br_addr *addr);

/** br_addr_is_link_local6 - fe80::/10, RFC 4291 section 2.5.6 */
bool br_addr_is_link_local6(const struct br_addr *addr);
/**
 * br_addr_hash - 32 well mixed bits of an address
 * @seed: random, where strangers choose the addresses, so that nobody can aim at a chain
 */
uint32_t br_addr_hash(const struct br_addr *addr, uint64_t seed);

#endif
