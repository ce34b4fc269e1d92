// SPDX-License-Identifier: BSD-2-Clause
#include "lib/pcapng.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define LINKTYPE_ETHERNET 1
#define BYTE_ORDER_MAGIC  0x1a2b3c4du
#define RESOLUTION_NS	  9 /* if_tsresol: 10^-9 s */
#define VERDICT_XDP	  2 /* epb_verdict: Linux eBPF XDP, 64 bits */

/* Option codes. */
enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	EPB_VERDICT = 7,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
	ISB_OSDROP = 7,
	ISB_USRDELIV = 8,
};

/* A block being written; once it does not fit nothing more is. */
struct block {
	uint8_t *out;
	size_t room, used;
	bool full;
};

static void put_bytes(struct block *block, const void *bytes, size_t length)
{
	if (block->full || block->room - block->used < length) {
		block->full = true;
		return;
	}
	if (length)
		memcpy(block->out + block->used, bytes, length);
	block->used += length;
}

/* A field: bytes, and zeros up to a multiple of 4. */
static void put(struct block *block, const void *bytes, size_t length)
{
	static const uint8_t zeros[4];

	put_bytes(block, bytes, length);
	put_bytes(block, zeros, -block->used & 3);
}

static void put32(struct block *block, uint32_t value)
{
	value = htole32(value);
	put(block, &value, sizeof(value));
}

/* The upper half comes first, in whatever byte order: times are two numbers of 32 bits. */
static void put_time(struct block *block, uint64_t ns)
{
	put32(block, (uint32_t)(ns >> 32));
	put32(block, (uint32_t)ns);
}

static void option_head(struct block *block, uint16_t code, size_t length)
{
	put32(block, (uint32_t)length << 16 | code);
}

static void option(struct block *block, uint16_t code, const void *value, size_t length)
{
	option_head(block, code, length);
	put(block, value, length);
}

static void option_text(struct block *block, uint16_t code, const char *text)
{
	if (text)
		option(block, code, text, strnlen(text, BR_PCAPNG_TEXT));
}

static void option64(struct block *block, uint16_t code, uint64_t value)
{
	value = htole64(value);
	option(block, code, &value, sizeof(value));
}

static struct block begin(uint8_t *out, size_t room, uint32_t type)
{
	struct block block = {.out = out, .room = room};

	put32(&block, type);
	put32(&block, 0); /* the length, when it is known */
	return block;
}

static size_t end(struct block *block)
{
	uint32_t length = htole32((uint32_t)(block->used + sizeof(length)));

	put(block, &length, sizeof(length));
	if (block->full)
		return 0;
	memcpy(block->out + 4, &length, sizeof(length));
	return block->used;
}

size_t br_pcapng_section(uint8_t *out, size_t room, const struct br_pcapng_section *section)
{
	struct block block = begin(out, room, BR_PCAPNG_SECTION);

	put32(&block, BYTE_ORDER_MAGIC);
	put32(&block, 1);	   /* version 1.0 */
	put32(&block, UINT32_MAX); /* length of the section: not known */
	put32(&block, UINT32_MAX);
	option_text(&block, OPT_COMMENT, section->comment);
	option_text(&block, SHB_USERAPPL, section->application);
	option_head(&block, OPT_END, 0);
	return end(&block);
}

size_t br_pcapng_interface(uint8_t *out, size_t room, const struct br_pcapng_interface *interface)
{
	struct block block = begin(out, room, BR_PCAPNG_INTERFACE);
	uint8_t resolution = RESOLUTION_NS;

	put32(&block, LINKTYPE_ETHERNET); /* and 16 bits reserved */
	put32(&block, interface->snaplen);
	option_text(&block, IF_NAME, interface->name);
	option_text(&block, IF_DESCRIPTION, interface->description);
	option(&block, IF_TSRESOL, &resolution, sizeof(resolution));
	option_head(&block, OPT_END, 0);
	return end(&block);
}

size_t br_pcapng_packet(uint8_t *out, size_t room, const struct br_pcapng_packet *packet)
{
	struct block block = begin(out, room, BR_PCAPNG_PACKET);
	uint32_t flags = htole32(packet->direction);
	uint8_t verdict[9] = {VERDICT_XDP};
	uint64_t action = htole64((uint64_t)packet->verdict);

	put32(&block, packet->interface);
	put_time(&block, packet->time_ns);
	put32(&block, (uint32_t)(packet->link_length + packet->data_length));
	put32(&block, (uint32_t)packet->original);
	put_bytes(&block, packet->link, packet->link_length);
	put(&block, packet->data, packet->data_length);
	option_text(&block, OPT_COMMENT, packet->comment);
	option(&block, EPB_FLAGS, &flags, sizeof(flags));
	if (packet->lost)
		option64(&block, EPB_DROPCOUNT, packet->lost);
	memcpy(verdict + 1, &action, sizeof(action));
	option(&block, EPB_VERDICT, verdict, sizeof(verdict));
	option_head(&block, OPT_END, 0);
	return end(&block);
}

static void option_time(struct block *block, uint16_t code, uint64_t ns)
{
	option_head(block, code, 8);
	put_time(block, ns);
}

size_t br_pcapng_statistics(uint8_t *out, size_t room,
			    const struct br_pcapng_statistics *statistics)
{
	struct block block = begin(out, room, BR_PCAPNG_STATISTICS);

	put32(&block, statistics->interface);
	put_time(&block, statistics->time_ns);
	option_time(&block, ISB_STARTTIME, statistics->begin_ns);
	option_time(&block, ISB_ENDTIME, statistics->time_ns);
	option64(&block, ISB_IFRECV, statistics->received);
	option64(&block, ISB_IFDROP, statistics->dropped);
	option64(&block, ISB_OSDROP, statistics->os_dropped);
	option64(&block, ISB_USRDELIV, statistics->delivered);
	option_head(&block, OPT_END, 0);
	return end(&block);
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

long br_pcapng_block(const uint8_t *data, size_t length, uint32_t *type)
{
	uint32_t total;

	if (length < BR_PCAPNG_HEAD)
		return 0;
	*type = get32(data);
	total = get32(data + 4);
	if (total < BR_PCAPNG_HEAD + 4 || total % 4 || total > BR_PCAPNG_MAX)
		return -EBADMSG;
	return (long)total;
}

static uint64_t get_time(const uint8_t *at)
{
	return (uint64_t)get32(at) << 32 | get32(at + 4);
}

static void read_option(struct br_pcapng_statistics *statistics, uint16_t code, const uint8_t *at)
{
	uint64_t value = get32(at) | (uint64_t)get32(at + 4) << 32;

	switch (code) {
	case ISB_STARTTIME:
		statistics->begin_ns = get_time(at);
		break;
	case ISB_IFRECV:
		statistics->received = value;
		break;
	case ISB_IFDROP:
		statistics->dropped = value;
		break;
	case ISB_OSDROP:
		statistics->os_dropped = value;
		break;
	case ISB_USRDELIV:
		statistics->delivered = value;
		break;
	default:
		break;
	}
}

int br_pcapng_read_statistics(const uint8_t *block, size_t length,
			      struct br_pcapng_statistics *statistics)
{
	size_t at = BR_PCAPNG_HEAD + 12, last;

	memset(statistics, 0, sizeof(*statistics));
	if (length < at + 4)
		return -EBADMSG;
	last = length - 4;
	statistics->interface = get32(block + BR_PCAPNG_HEAD);
	statistics->time_ns = get_time(block + BR_PCAPNG_HEAD + 4);
	while (at + 4 <= last) {
		uint32_t head = get32(block + at);
		size_t size = head >> 16;

		at += 4;
		if (!(head & 0xffff))
			return 0;
		if (size > last - at)
			return -EBADMSG;
		if (size == 8)
			read_option(statistics, (uint16_t)head, block + at);
		at += (size + 3) & ~(size_t)3;
	}
	return 0;
}
