// SPDX-License-Identifier: BSD-2-Clause
/*
 * The file of a capture: legs are described before their packets and once, what does not fit is
 * told, memory has a bound, and the end is complete however slow the reader is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/capture_file.h"
#include "lib/pcapng.h"

#define LEGS_MAX 4097u

/* What a reader finds. */
struct found {
	uint32_t sections, interfaces, packets;
	uint32_t of[LEGS_MAX + 1];	  /* packets per interface */
	struct br_pcapng_statistics room; /* the last of interface 0 */
	uint64_t dropped[LEGS_MAX + 1];	  /* as the last statistics of an interface say */
	uint64_t lost;			  /* sum of epb_dropcount */
};

static uint32_t get32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t packet_lost(const uint8_t *block)
{
	size_t at = 28 + (get32(block + 20) + 3) / 4 * 4;

	while (get32(block + at)) {
		if ((get32(block + at) & 0xffff) == 4)
			return get32(block + at + 4);
		at += 4 + ((get32(block + at) >> 16) + 3) / 4 * 4;
	}
	return 0;
}

static void find_block(struct found *found, const uint8_t *block, size_t length, uint32_t type)
{
	struct br_pcapng_statistics statistics;

	assert_memory_equal(block + 4, block + length - 4, 4);
	switch (type) {
	case BR_PCAPNG_SECTION:
		assert_int_equal(found->interfaces, 0);
		found->sections++;
		break;
	case BR_PCAPNG_INTERFACE:
		found->interfaces++;
		break;
	case BR_PCAPNG_PACKET:
		assert_in_range(get32(block + 8), 1, found->interfaces - 1);
		found->of[get32(block + 8)]++;
		found->packets++;
		found->lost += packet_lost(block);
		break;
	case BR_PCAPNG_STATISTICS:
		assert_int_equal(br_pcapng_read_statistics(block, length, &statistics), 0);
		assert_in_range(statistics.interface, 0, found->interfaces - 1);
		found->dropped[statistics.interface] = statistics.dropped;
		if (!statistics.interface)
			found->room = statistics;
		break;
	default:
		fail_msg("block of type %u", type);
	}
}

/* Everything that is queued, block by block; nothing is left over. */
static void read_all(struct br_capture_file *file, struct found *found)
{
	size_t length = file->queue.length, at = 0;
	uint8_t *data = malloc(length ? length : 1);
	uint32_t type;

	assert_non_null(data);
	assert_int_equal(br_queue_take(&file->queue, data, length), length);
	while (at < length) {
		long block = br_pcapng_block(data + at, length - at, &type);

		assert_in_range(block, 12, length - at);
		find_block(found, data + at, (size_t)block, type);
		at += (size_t)block;
	}
	free(data);
}

static struct found *found;
static struct br_capture_file file;

static int begin(void **state)
{
	(void)state;
	found = calloc(1, sizeof(*found));
	return !found || br_capture_file_open(&file, "standup", 0);
}

static int end(void **state)
{
	(void)state;
	br_capture_file_close(&file);
	free(found);
	return 0;
}

static uint8_t bytes[BR_CAPTURE_MAX];

static struct br_capture_packet packet_of(size_t length)
{
	return (struct br_capture_packet){
		.point = BR_CAPTURE_OUT,
		.reason = BR_COPIED,
		.action = 2,
		.frame = bytes,
		.shown = length,
		.length = length,
	};
}

static struct br_capture_leg leg_of(uint32_t slot)
{
	struct br_capture_leg leg = {.slot = slot};

	snprintf(leg.name, sizeof(leg.name), "leg%u", slot);
	return leg;
}

static void test_described_once(void **state)
{
	struct br_capture_leg a = leg_of(1), b = leg_of(2), silent = leg_of(3);
	struct br_capture_packet packet = packet_of(100);

	(void)state;
	for (int i = 0; i < 3; i++) {
		br_capture_file_packet(&file, &b, &packet, NULL);
		br_capture_file_packet(&file, &a, &packet, "drop: why");
		read_all(&file, found);
	}
	br_capture_file_leave(&file, &a);
	br_capture_file_leave(&file, &b);
	br_capture_file_leave(&file, &silent);
	br_capture_file_tell(&file, false);
	br_capture_file_tell(&file, false);
	read_all(&file, found);
	assert_int_equal(found->sections, 1);
	assert_int_equal(found->interfaces, 3);
	assert_int_equal(b.interface, 1);
	assert_int_equal(a.interface, 2);
	assert_int_equal(silent.interface, 0);
	assert_int_equal(found->of[1], 3);
	assert_int_equal(found->of[2], 3);
	assert_int_equal(found->room.received, 6);
	assert_int_equal(found->room.delivered, 6);
}

static void test_slow_reader(void **state)
{
	struct br_capture_leg leg = leg_of(1);
	struct br_capture_packet packet = packet_of(1242);
	size_t most = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		br_capture_file_packet(&file, &leg, &packet, NULL);
		if (file.queue.length > most)
			most = file.queue.length;
		if (i % 100 == 0)
			br_capture_file_tell(&file, false);
	}
	assert_in_range(most, 1000 * 1000, 1024 * 1024);
	br_capture_file_lost(&file, 11);
	read_all(&file, found);
	assert_in_range(found->packets, 700, 900);
	assert_int_equal(found->lost, 0);
	/* the next packet says what is missing before it */
	br_capture_file_packet(&file, &leg, &packet, NULL);
	br_capture_file_packet(&file, &leg, &packet, NULL);
	br_capture_file_leave(&file, &leg);
	br_capture_file_tell(&file, true);
	read_all(&file, found);
	assert_int_equal(found->packets + found->lost, 5002 + 11);
	assert_int_equal(found->room.received, 5002 + 11);
	assert_int_equal(found->room.delivered, found->packets);
	assert_int_equal(found->room.dropped, 5002 - found->packets);
	assert_int_equal(found->room.os_dropped, 11);
	assert_int_equal(found->dropped[1], 5002 - found->packets);
}

/* The largest room, each leg with something to tell, and a reader that has read nothing. */
static void test_end_is_complete(void **state)
{
	static struct br_capture_leg legs[LEGS_MAX];
	struct br_capture_packet packet = packet_of(1242);

	(void)state;
	for (uint32_t i = 0; i < LEGS_MAX; i++)
		legs[i] = leg_of(i);
	for (int round = 0; round < 3; round++)
		for (uint32_t i = 0; i < LEGS_MAX; i++)
			br_capture_file_packet(&file, &legs[i], &packet, NULL);
	for (uint32_t i = 0; i < LEGS_MAX; i++)
		br_capture_file_leave(&file, &legs[i]);
	br_capture_file_tell(&file, true);
	assert_in_range(file.queue.length, 1, file.queue.capacity);
	read_all(&file, found);
	assert_int_equal(found->interfaces, LEGS_MAX + 1);
	assert_int_equal(found->room.received, 3 * LEGS_MAX);
	assert_int_equal(found->room.delivered, found->packets);
	for (uint32_t i = 0; i < LEGS_MAX; i++)
		assert_int_equal(found->dropped[legs[i].interface] + found->of[legs[i].interface],
				 3);
}

/* Legs whose words are as long as can be: the whole is told even where not each of them is. */
static void test_the_whole_is_told(void **state)
{
	struct br_capture_packet packet = packet_of(1242);

	(void)state;
	for (uint32_t i = 0; i < 3 * LEGS_MAX; i++) {
		struct br_capture_leg leg = leg_of(i);

		memset(leg.description, 'd', sizeof(leg.description) - 1);
		br_capture_file_packet(&file, &leg, &packet, NULL);
		br_capture_file_leave(&file, &leg);
	}
	br_capture_file_tell(&file, true);
	assert_in_range(file.queue.length, 1, file.queue.capacity);
	assert_int_equal(file.told, 3 * LEGS_MAX);
}

/* The largest packet with the longest words, and a snaplen inside of the link header. */
static void test_sizes(void **state)
{
	static char comment[BR_CAPTURE_COMMENT];
	struct br_capture_leg leg = leg_of(1);
	struct br_capture_packet packet = packet_of(BR_CAPTURE_MAX);

	(void)state;
	memset(comment, 'c', sizeof(comment) - 1);
	memset(leg.name, 'n', sizeof(leg.name) - 1);
	memset(leg.description, 'd', sizeof(leg.description) - 1);
	packet.link_length = BR_CAPTURE_LINK;
	packet.length += BR_CAPTURE_LINK;
	br_capture_file_packet(&file, &leg, &packet, comment);
	file.snaplen = 20;
	br_capture_file_packet(&file, &leg, &packet, comment);
	file.snaplen = 64;
	br_capture_file_packet(&file, &leg, &packet, comment);
	read_all(&file, found);
	assert_int_equal(found->packets, 3);
	assert_int_equal(file.dropped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_described_once, begin, end),
		cmocka_unit_test_setup_teardown(test_slow_reader, begin, end),
		cmocka_unit_test_setup_teardown(test_end_is_complete, begin, end),
		cmocka_unit_test_setup_teardown(test_the_whole_is_told, begin, end),
		cmocka_unit_test_setup_teardown(test_sizes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
