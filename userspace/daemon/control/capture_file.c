// SPDX-License-Identifier: BSD-2-Clause
#include "control/capture_file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/pcapng.h"
#include "lib/version.h"

/* Bytes of packets that a client may be behind. */
#define BR_CAPTURE_BEHIND (1024u * 1024)
/* Room beside that for statistics of 4 097 legs at the end of a file. */
#define BR_CAPTURE_QUEUE (2u * 1024 * 1024)
/* Of that, kept for the statistics of the whole, which come last. */
#define BR_CAPTURE_LAST 256u
/* Longest block: a packet, its comment, options. */
#define BR_CAPTURE_BLOCK (BR_CAPTURE_MAX + BR_CAPTURE_LINK + BR_PCAPNG_TEXT + 256)
/* Longest description of an interface: two texts. */
#define BR_CAPTURE_DESCRIPTION (2 * BR_PCAPNG_TEXT + 64)

static uint64_t br_capture_now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Unix time now, by the clock that packets are stamped with. */
static uint64_t br_capture_file_now(const struct br_capture_file *file)
{
	return file->unix_ns + br_capture_now_ns(CLOCK_MONOTONIC);
}

int br_capture_file_open(struct br_capture_file *file, const char *room, uint32_t snaplen)
{
	static const struct br_pcapng_section section = {
		.application = "blindrelay " BR_VERSION,
		.comment = "Sealed packets of a room. Each leg is an interface: what it sent is "
			   "inbound, copies to it are outbound.",
	};
	uint8_t block[BR_CAPTURE_DESCRIPTION];
	char name[BR_NAME_MAX + 8];
	const struct br_pcapng_interface interface = {
		.name = name,
		.description = "The room; its statistics are of the whole capture",
		.snaplen = snaplen,
	};
	int err;

	*file = (struct br_capture_file){.snaplen = snaplen, .interfaces = 1};
	err = br_queue_open(&file->queue, BR_CAPTURE_QUEUE);
	if (err)
		return err;
	file->unix_ns = br_capture_now_ns(CLOCK_REALTIME) - br_capture_now_ns(CLOCK_MONOTONIC);
	file->begin_ns = br_capture_file_now(file);
	snprintf(name, sizeof(name), "room %s", room);
	br_queue_add(&file->queue, block, br_pcapng_section(block, sizeof(block), &section),
		     BR_CAPTURE_QUEUE);
	br_queue_add(&file->queue, block, br_pcapng_interface(block, sizeof(block), &interface),
		     BR_CAPTURE_QUEUE);
	br_capture_file_tell(file, true);
	return 0;
}

void br_capture_file_close(struct br_capture_file *file)
{
	br_queue_close(&file->queue);
}

/* A leg is described when it first has something to show; returns the bytes of that. */
static size_t br_capture_describe(const struct br_capture_file *file,
				  const struct br_capture_leg *leg, uint8_t *out, size_t room)
{
	const struct br_pcapng_interface interface = {
		.name = leg->name,
		.description = leg->description,
		.snaplen = file->snaplen,
	};

	return leg->interface ? 0 : br_pcapng_interface(out, room, &interface);
}

/* Blocks for a leg, behind its description if that is still missing; all or nothing. */
static bool br_capture_add(struct br_capture_file *file, struct br_capture_leg *leg,
			   const uint8_t *blocks, size_t length, size_t limit)
{
	if (!length || !br_queue_add(&file->queue, blocks, length, limit))
		return false;
	if (!leg->interface)
		leg->interface = file->interfaces++;
	return true;
}

static uint32_t br_capture_interface(const struct br_capture_file *file,
				     const struct br_capture_leg *leg)
{
	return leg->interface ? leg->interface : file->interfaces;
}

void br_capture_file_packet(struct br_capture_file *file, struct br_capture_leg *leg,
			    const struct br_capture_packet *packet, const char *comment)
{
	uint8_t blocks[BR_CAPTURE_DESCRIPTION + BR_CAPTURE_BLOCK];
	struct br_pcapng_packet out = {
		.interface = br_capture_interface(file, leg),
		.time_ns = file->unix_ns + packet->time_ns,
		.direction =
			packet->point == BR_CAPTURE_IN ? BR_PCAPNG_INBOUND : BR_PCAPNG_OUTBOUND,
		.link = packet->link,
		.link_length = packet->link_length,
		.data = packet->frame,
		.data_length = packet->shown,
		.original = packet->length,
		.lost = leg->lost + file->lost,
		.verdict = packet->action,
		.comment = comment,
	};
	size_t described = br_capture_describe(file, leg, blocks, sizeof(blocks)), length;

	if (file->snaplen && out.link_length > file->snaplen)
		out.link_length = file->snaplen;
	if (file->snaplen && out.data_length > file->snaplen - out.link_length)
		out.data_length = file->snaplen - out.link_length;
	length = br_pcapng_packet(blocks + described, sizeof(blocks) - described, &out);
	if (!length || !br_capture_add(file, leg, blocks, described + length, BR_CAPTURE_BEHIND)) {
		file->dropped++;
		leg->dropped++;
		leg->lost++;
		return;
	}
	file->delivered++;
	leg->delivered++;
	leg->lost = file->lost = 0;
}

void br_capture_file_lost(struct br_capture_file *file, uint64_t packets)
{
	file->os_dropped += packets;
	file->lost += packets;
}

void br_capture_file_tell(struct br_capture_file *file, bool always)
{
	uint64_t sum = file->delivered + file->dropped + file->os_dropped;
	const struct br_pcapng_statistics statistics = {
		.time_ns = br_capture_file_now(file),
		.begin_ns = file->begin_ns,
		.received = sum,
		.dropped = file->dropped,
		.os_dropped = file->os_dropped,
		.delivered = file->delivered,
	};
	uint8_t block[256];

	/* between packets of a slow client it counts against the same limit as they do */
	if ((always || sum != file->told) &&
	    br_queue_add(&file->queue, block,
			 br_pcapng_statistics(block, sizeof(block), &statistics),
			 always ? BR_CAPTURE_QUEUE : BR_CAPTURE_BEHIND))
		file->told = sum;
}

void br_capture_file_leave(struct br_capture_file *file, struct br_capture_leg *leg)
{
	uint8_t blocks[BR_CAPTURE_DESCRIPTION + 256];
	const struct br_pcapng_statistics statistics = {
		.interface = br_capture_interface(file, leg),
		.time_ns = br_capture_file_now(file),
		.begin_ns = file->begin_ns,
		.received = leg->delivered + leg->dropped,
		.dropped = leg->dropped,
		.delivered = leg->delivered,
	};
	size_t described;

	if (!statistics.received)
		return;
	described = br_capture_describe(file, leg, blocks, sizeof(blocks));
	br_capture_add(file, leg, blocks,
		       described + br_pcapng_statistics(blocks + described,
							sizeof(blocks) - described, &statistics),
		       BR_CAPTURE_QUEUE - BR_CAPTURE_LAST);
}
