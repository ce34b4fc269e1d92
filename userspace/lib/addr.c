// SPDX-License-Identifier: BSD-2-Clause
#include "addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define BR_BYTES(addr) ((const uint8_t *)(addr)->words)

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct br_addr br_addr_from_bytes(int family, const void *bytes)
{
	struct br_addr addr = {.family = (uint8_t)family};

	if (family == 4) {
		memcpy(addr.words, mapped_prefix, sizeof(mapped_prefix));
		memcpy(&addr.words[3], bytes, 4);
	} else {
		memcpy(addr.words, bytes, 16);
	}
	return addr;
}

static bool is_mapped(const void *bytes)
{
	return memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool br_addr_parse(const char *text, struct br_addr *out)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*out = br_addr_from_bytes(4, bytes);
		return true;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1 && !is_mapped(bytes)) {
		*out = br_addr_from_bytes(6, bytes);
		return true;
	}
	return false;
}

const char *br_addr_format(const struct br_addr *addr, char out[static BR_ADDR_TEXT])
{
	if (addr->family == 4)
		inet_ntop(AF_INET, &addr->words[3], out, BR_ADDR_TEXT);
	else if (addr->family == 6)
		inet_ntop(AF_INET6, addr->words, out, BR_ADDR_TEXT);
	else
		memcpy(out, "none", sizeof("none"));
	return out;
}

bool br_addr_equal(const struct br_addr *a, const struct br_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == 0 || memcmp(a->words, b->words, sizeof(a->words)) == 0;
}

bool br_addr_is_unicast(const struct br_addr *addr)
{
	static const uint8_t unspecified[16];
	const uint8_t *bytes = BR_BYTES(addr);

	if (addr->family == 6)
		return bytes[0] != 0xff && memcmp(bytes, unspecified, sizeof(unspecified)) != 0;
	if (addr->family != 4)
		return false;
	return addr->words[3] != htonl(INADDR_ANY) && addr->words[3] != htonl(INADDR_BROADCAST) &&
	       !IN_MULTICAST(ntohl(addr->words[3]));
}

bool br_addr_is_loopback(const struct br_addr *addr)
{
	if (addr->family == 4)
		return ntohl(addr->words[3]) >> 24 == 127;
	return addr->family == 6 &&
	       memcmp(addr->words, &in6addr_loopback, sizeof(addr->words)) == 0;
}

/* Copy @length bytes as a string; false when they do not fit. */
static bool copy_part(char *out, size_t size, const char *text, size_t length)
{
	if (length >= size)
		return false;
	memcpy(out, text, length);
	out[length] = '\0';
	return true;
}

bool br_endpoint_parse(const char *text, struct br_endpoint *out)
{
	const char *colon = strrchr(text, ':');
	struct br_endpoint endpoint;
	char part[BR_ADDR_TEXT];
	size_t length;
	uint32_t port;
	bool bracketed = *text == '[';

	if (!colon || colon[1] == '0' || !br_text_to_u32(colon + 1, 1, 65535, &port))
		return false;
	length = (size_t)(colon - text);
	if (bracketed) {
		if (length < 2 || colon[-1] != ']')
			return false;
		text++;
		length -= 2;
	}
	if (!copy_part(part, sizeof(part), text, length) || !br_addr_parse(part, &endpoint.addr))
		return false;
	/* "2001:db8::1:5000" could be read in two ways, so IPv6 needs the brackets */
	if (bracketed != (endpoint.addr.family == 6))
		return false;
	endpoint.port = htons((uint16_t)port);
	*out = endpoint;
	return true;
}

const char *br_endpoint_format(const struct br_endpoint *endpoint,
			       char out[static BR_ENDPOINT_TEXT])
{
	char addr[BR_ADDR_TEXT];

	br_addr_format(&endpoint->addr, addr);
	snprintf(out, BR_ENDPOINT_TEXT, endpoint->addr.family == 6 ? "[%s]:%u" : "%s:%u", addr,
		 ntohs(endpoint->port));
	return out;
}

socklen_t br_endpoint_to_sockaddr(const struct br_endpoint *endpoint, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (endpoint->addr.family == 4) {
		struct sockaddr_in *sin = (struct sockaddr_in *)out;

		sin->sin_family = AF_INET;
		sin->sin_port = endpoint->port;
		sin->sin_addr.s_addr = endpoint->addr.words[3];
		return sizeof(*sin);
	}
	if (endpoint->addr.family == 6) {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)out;

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = endpoint->port;
		memcpy(&sin6->sin6_addr, endpoint->addr.words, sizeof(sin6->sin6_addr));
		return sizeof(*sin6);
	}
	return 0;
}

bool br_endpoint_from_sockaddr(const struct sockaddr_storage *addr, struct br_endpoint *out)
{
	if (addr->ss_family == AF_INET) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)addr;

		out->addr = br_addr_from_bytes(4, &sin->sin_addr);
		out->port = sin->sin_port;
		return true;
	}
	if (addr->ss_family == AF_INET6) {
		const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)addr;

		if (is_mapped(&sin6->sin6_addr))
			out->addr = br_addr_from_bytes(4, &sin6->sin6_addr.s6_addr[12]);
		else
			out->addr = br_addr_from_bytes(6, &sin6->sin6_addr);
		out->port = sin6->sin6_port;
		return true;
	}
	return false;
}

/* Do the first @bits bits agree? Whole bytes first, then the rest of one. */
static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return rest == 0 || (a[bytes] ^ b[bytes]) >> (8 - rest) == 0;
}

/* Prefix length within the 128 bits of words[]. */
static unsigned int total_prefix(const struct br_network *network)
{
	return network->prefix + (network->addr.family == 4 ? 96u : 0u);
}

bool br_network_parse(const char *text, struct br_network *out)
{
	const char *slash = strchr(text, '/');
	struct br_network network;
	char part[BR_ADDR_TEXT];
	uint32_t prefix;

	if (!slash || (slash[1] == '0' && slash[2]) ||
	    !copy_part(part, sizeof(part), text, (size_t)(slash - text)) ||
	    !br_addr_parse(part, &network.addr) ||
	    !br_text_to_u32(slash + 1, 0, network.addr.family == 4 ? 32 : 128, &prefix))
		return false;
	network.prefix = (uint8_t)prefix;
	for (unsigned int bit = total_prefix(&network); bit < 128; bit++) {
		if (BR_BYTES(&network.addr)[bit / 8] & 0x80 >> bit % 8)
			return false;
	}
	*out = network;
	return true;
}

const char *br_network_format(const struct br_network *network, char out[static BR_NETWORK_TEXT])
{
	char addr[BR_ADDR_TEXT];

	br_addr_format(&network->addr, addr);
	snprintf(out, BR_NETWORK_TEXT, "%s/%u", addr, network->prefix);
	return out;
}

bool br_network_contains(const struct br_network *network, const struct br_addr *addr)
{
	return addr->family != 0 && network->addr.family == addr->family &&
	       prefix_equal(BR_BYTES(&network->addr), BR_BYTES(addr), total_prefix(network));
}

uint32_t br_addr_hash(const struct br_addr *addr, uint64_t seed)
{
	uint64_t hash = seed;

	for (size_t i = 0; i < 4; i++) {
		hash = (hash ^ (uint32_t)addr->words[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return (uint32_t)(hash ^ (hash >> 32));
}

bool br_addr_is_link_local6(const struct br_addr *addr)
{
	return addr->family == 6 && (ntohl(addr->words[0]) & 0xffc00000) == 0xfe800000;
}
