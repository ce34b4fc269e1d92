// SPDX-License-Identifier: BSD-2-Clause
/* Frames to datagrams: link types, tags, families, extension headers, every truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/frame.h"

struct frame {
	uint8_t data[256];
	size_t length;
};

static void put(struct frame *frame, const void *data, size_t length)
{
	assert_true(frame->length + length <= sizeof(frame->data));
	memcpy(frame->data + frame->length, data, length);
	frame->length += length;
}

#define PUT(frame, ...)                                                                            \
	put(frame, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void put_link(struct frame *frame, enum br_link link, const uint8_t type[static 2])
{
	static const uint8_t zero[18];

	frame->length = 0;
	if (link == BR_LINK_SLL2) {
		put(frame, type, 2);
		put(frame, zero, 18);
	} else if (link != BR_LINK_RAW) {
		put(frame, zero, link == BR_LINK_SLL ? 14 : 12);
		put(frame, type, 2);
	}
}

/* Ports 5000 to 6000, payload of 5 bytes. */
static void put_udp(struct frame *frame)
{
	PUT(frame, 0x13, 0x88, 0x17, 0x70, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o');
}

static void put_ipv4(struct frame *frame, uint8_t words)
{
	PUT(frame, (uint8_t)(0x40 | words), 0, 0, (uint8_t)(words * 4 + 13), 0, 0, 0x40, 0, 64, 17,
	    0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
	for (int i = 5; i < words; i++)
		PUT(frame, 1, 1, 1, 1);
}

static void put_ipv6(struct frame *frame, uint8_t next, uint8_t length)
{
	static const uint8_t addresses[32] = {0x20, 1};

	PUT(frame, 0x60, 0, 0, 0, 0, length, next, 64);
	put(frame, addresses, sizeof(addresses));
}

static enum br_frame_verdict parse(enum br_link link, const struct frame *frame, size_t length,
				   struct br_datagram *out)
{
	uint8_t *exact = malloc(length ? length : 1);
	enum br_frame_verdict verdict;

	assert_non_null(exact);
	memcpy(exact, frame->data, length);
	verdict = br_frame_parse(link, exact, length, out);
	if (verdict == BR_FRAME_DATAGRAM)
		assert_memory_equal(out->payload, "hello", out->captured < 5 ? out->captured : 5);
	free(exact);
	return verdict;
}

/* Parsed as a whole, with Ethernet padding behind, and cut at every length. */
static void expect_datagram(enum br_link link, struct frame *frame, int family, int vlans)
{
	struct br_datagram datagram;
	size_t length = frame->length;

	assert_int_equal(parse(link, frame, length, &datagram), BR_FRAME_DATAGRAM);
	assert_int_equal(datagram.source_port, 5000);
	assert_int_equal(datagram.destination_port, 6000);
	assert_int_equal(datagram.length, 5);
	assert_int_equal(datagram.captured, 5);
	assert_int_equal(datagram.family, family);
	assert_int_equal(datagram.vlans, vlans);
	PUT(frame, 0, 0, 0, 0, 0, 0);
	assert_int_equal(parse(link, frame, frame->length, &datagram), BR_FRAME_DATAGRAM);
	assert_int_equal(datagram.length, 5);
	assert_int_equal(datagram.captured, 5);
	for (size_t cut = 0; cut < length; cut++) {
		enum br_frame_verdict verdict = parse(link, frame, cut, &datagram);

		if (cut < length - 5) {
			assert_int_equal(verdict, BR_FRAME_BROKEN);
		} else {
			assert_int_equal(verdict, BR_FRAME_DATAGRAM);
			assert_int_equal(datagram.length, 5);
			assert_int_equal(datagram.captured, cut - (length - 5));
		}
	}
}

static const uint8_t type_ipv4[] = {0x08, 0x00}, type_ipv6[] = {0x86, 0xdd},
		     type_vlan[] = {0x81, 0x00}, type_service[] = {0x88, 0xa8};

static void every_link_and_family(void **state)
{
	struct frame frame;

	(void)state;
	for (int link = BR_LINK_ETHERNET; link <= BR_LINK_RAW; link++) {
		put_link(&frame, link, type_ipv4);
		put_ipv4(&frame, 5);
		put_udp(&frame);
		expect_datagram(link, &frame, 4, 0);
		put_link(&frame, link, type_ipv6);
		put_ipv6(&frame, 17, 13);
		put_udp(&frame);
		expect_datagram(link, &frame, 6, 0);
		if (link == BR_LINK_RAW)
			continue;
		put_link(&frame, link, type_vlan);
		PUT(&frame, 0, 7, 0x08, 0x00);
		put_ipv4(&frame, 7); /* with options */
		put_udp(&frame);
		expect_datagram(link, &frame, 4, 1);
		put_link(&frame, link, type_service);
		PUT(&frame, 0, 7, 0x81, 0x00, 0, 8, 0x86, 0xdd);
		put_ipv6(&frame, 17, 13);
		put_udp(&frame);
		expect_datagram(link, &frame, 6, 2);
	}
}

static void extension_headers(void **state)
{
	struct br_datagram datagram;
	struct frame frame;

	(void)state;
	put_link(&frame, BR_LINK_ETHERNET, type_ipv6);
	put_ipv6(&frame, 0, 13 + 8 + 16);
	PUT(&frame, 60, 0, 1, 4, 0, 0, 0, 0);			       /* hop by hop */
	PUT(&frame, 17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* destination */
	put_udp(&frame);
	expect_datagram(BR_LINK_ETHERNET, &frame, 6, 0);
	/* An extension header longer than the packet says it is. */
	frame.data[14 + 5] = 15;
	assert_int_equal(parse(BR_LINK_ETHERNET, &frame, frame.length, &datagram), BR_FRAME_BROKEN);
	put_link(&frame, BR_LINK_ETHERNET, type_ipv6);
	put_ipv6(&frame, 44, 21);
	PUT(&frame, 17, 0, 0, 1, 0, 0, 0, 0);
	put_udp(&frame);
	assert_int_equal(parse(BR_LINK_ETHERNET, &frame, frame.length, &datagram),
			 BR_FRAME_FRAGMENT);
}

/* One change of an IPv4 frame and what becomes of it. */
static void mutations(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum br_frame_verdict verdict;
	} rows[] = {
		{12, 0x09, BR_FRAME_OTHER},	    /* EtherType */
		{13, 0x06, BR_FRAME_OTHER},	    /* ARP */
		{14, 0x65, BR_FRAME_BROKEN},	    /* version */
		{14, 0x44, BR_FRAME_BROKEN},	    /* header of 4 words */
		{14 + 3, 19, BR_FRAME_BROKEN},	    /* total length below the header */
		{14 + 3, 32, BR_FRAME_BROKEN},	    /* UDP is longer than IP says */
		{14 + 6, 0x20, BR_FRAME_FRAGMENT},  /* more fragments */
		{14 + 7, 1, BR_FRAME_FRAGMENT},	    /* offset */
		{14 + 9, 6, BR_FRAME_OTHER},	    /* TCP */
		{14 + 20 + 5, 7, BR_FRAME_BROKEN},  /* UDP length below its header */
		{14 + 20 + 5, 14, BR_FRAME_BROKEN}, /* UDP length beyond IP */
		{14 + 8, 1, BR_FRAME_DATAGRAM},	    /* TTL: does not matter */
	};
	struct br_datagram datagram;
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_link(&frame, BR_LINK_ETHERNET, type_ipv4);
		put_ipv4(&frame, 5);
		put_udp(&frame);
		frame.data[rows[i].at] = rows[i].value;
		assert_int_equal(parse(BR_LINK_ETHERNET, &frame, frame.length, &datagram),
				 rows[i].verdict);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_and_family),
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests_name("lab_frame", tests, NULL, NULL);
}
