// SPDX-License-Identifier: BSD-2-Clause
#include "lab/junk.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/datagram.h"

#define ETHERNET    14u
#define PAYLOAD_MAX 1200u
static const uint8_t magic_cookie[4] = {0x21, 0x12, 0xa4, 0x42}; /* RFC 8489 section 5 */

/* xorshift64: Marsaglia, "Xorshift RNGs", 2003 */
static uint32_t any(struct br_junk *junk, uint32_t below)
{
	junk->random ^= junk->random << 13;
	junk->random ^= junk->random >> 7;
	junk->random ^= junk->random << 17;
	return (uint32_t)(junk->random >> 32) % below;
}

static void random_bytes(struct br_junk *junk, uint8_t *out, size_t length)
{
	for (size_t i = 0; i < length; i++)
		out[i] = (uint8_t)any(junk, 256);
}

/* First bytes of the classes of RFC 7983, and those between them, each with a body that may be too
 * short for it. */
static size_t payload(struct br_junk *junk, uint8_t *out)
{
	static const uint8_t rtcp[] = {200, 201, 202, 206, 211};
	size_t length = any(junk, 4) ? any(junk, 64) : any(junk, PAYLOAD_MAX);

	random_bytes(junk, out, length < 64 ? length : 64);
	if (!length)
		return 0;
	switch (any(junk, 6)) {
	case 0: /* STUN, with and without what makes it valid */
		out[0] &= 3;
		if (length >= 8 && any(junk, 2))
			memcpy(out + 4, magic_cookie, sizeof(magic_cookie));
		break;
	case 1: /* DTLS */
		out[0] = (uint8_t)(20 + any(junk, 44));
		break;
	case 2: /* RTP with any number of contributors, extension or not */
		out[0] = (uint8_t)(0x80 | any(junk, 64));
		break;
	case 3:
		out[0] = 0x80;
		if (length > 1)
			out[1] = rtcp[any(junk, sizeof(rtcp))];
		break;
	case 4: /* ZRTP, TURN channels, and what is no class */
		out[0] = (uint8_t)(4 + any(junk, 124));
		break;
	default: /* anything */
		break;
	}
	return length;
}

static struct br_addr spoofed(struct br_junk *junk, int family)
{
	uint8_t v4[4] = {198, (uint8_t)(18 + any(junk, 2))};
	uint8_t v6[16] = {0x20, 0x01, 0x00, 0x02};

	random_bytes(junk, v4 + 2, 2);
	random_bytes(junk, v6 + 6, 10);
	return br_addr_from_bytes(family, family == 4 ? v4 : v6);
}

static size_t datagram(struct br_junk *junk, uint8_t *out)
{
	uint8_t body[PAYLOAD_MAX] = {0}; /* zero where random_bytes() stops: as good as any */
	struct br_datagram datagram = {
		.local = junk->to,
		.payload = body,
		.ttl = 64,
		.tos = (uint8_t)any(junk, 256),
	};
	size_t headers;

	/* drawn one after the other: the order of an initialiser is not defined */
	datagram.remote.addr = spoofed(junk, junk->to.addr.family);
	datagram.remote.port = htons((uint16_t)(1 + any(junk, 65535)));
	datagram.dont_fragment = any(junk, 2);
	if (!any(junk, 16))
		datagram.local.port = htons((uint16_t)(1 + any(junk, 65535)));
	if (!any(junk, 16))
		datagram.ttl = (uint8_t)any(junk, 3);
	datagram.length = payload(junk, body);
	headers = br_datagram_headers(&datagram, out);
	memcpy(out + headers, body, datagram.length);
	return headers + datagram.length;
}

/* Fields of IP and UDP that are wrong: version, lengths, fragment bits, protocol, checksum. */
static void spoil(struct br_junk *junk, uint8_t *frame, size_t length)
{
	size_t headers = length < 62 ? length - ETHERNET : 48;
	size_t at = ETHERNET + any(junk, (uint32_t)headers);
	size_t udp = ETHERNET + (junk->to.addr.family == 4 ? 20 : 40);

	if (!any(junk, 8) && length >= udp + 8) /* no checksum: right over IPv4 only */
		frame[udp + 6] = frame[udp + 7] = 0;
	else
		frame[at] = (uint8_t)any(junk, 256);
}

size_t br_junk_frame(struct br_junk *junk, uint8_t out[static BR_JUNK_FRAME])
{
	uint32_t kind = any(junk, 8);
	size_t length = datagram(junk, out);

	memcpy(out, junk->to_mac, 6);
	memcpy(out + 6, junk->from_mac, 6);
	if (kind == 0) { /* no IP at all, or what calls itself so */
		length = ETHERNET + any(junk, 128);
		random_bytes(junk, out + ETHERNET, length - ETHERNET);
	} else if (kind == 1) { /* cut anywhere */
		length = ETHERNET + any(junk, (uint32_t)(length - ETHERNET));
	} else if (kind == 2) {
		spoil(junk, out, length);
	} else if (kind == 3) { /* longer than it says: padding of Ethernet, or junk */
		size_t more = any(junk, 64);

		random_bytes(junk, out + length, more);
		length += more;
	}
	return length;
}
