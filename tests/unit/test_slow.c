// SPDX-License-Identifier: BSD-2-Clause
/* The slow path between a plane and a port that are fakes: who gets copies, and what is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "media/port.h"
#include "media/slow.h"
#include "plane/plane.h"
#include "plane/slow.h"

#define LEGS 200

/* --- the fakes --- */

struct br_plane {
	br_plane_tapped tapped;
	void *tapped_context;
	int admit; /* what br_plane_slow_admit says */
	struct br_slow_route route;
	int target[LEGS]; /* what br_plane_slow_target says */
	struct br_counter read[BR_REASON_COUNT], copies[BR_REASON_COUNT];
	uint32_t copies_of[LEGS];
};

struct br_port {
	br_port_reader reader;
	void *reader_context;
	uint32_t batches, sent;
	uint32_t order[LEGS];
	int error[LEGS]; /* by leg */
};

static struct br_plane plane;
static struct br_port port;

bool br_plane_captured(const struct br_plane *p, uint32_t leg)
{
	(void)p;
	(void)leg;
	return false; /* nobody captures here */
}

void br_plane_capture_show(struct br_plane *p, struct br_capture_packet *packet)
{
	(void)p;
	(void)packet;
	fail_msg("a packet is shown though nobody captures");
}

int br_plane_slow_admit(struct br_plane *p, const struct br_datagram *datagram,
			struct br_slow_route *route)
{
	(void)datagram;
	*route = p->route;
	return p->admit;
}

/* Even legs are IPv4, odd ones IPv6; the port tells the leg. */
int br_plane_slow_target(const struct br_plane *p, uint32_t leg, uint32_t from,
			 struct br_slow_target *target)
{
	if (leg == from)
		return BR_OWN_PACKET;
	*target = (struct br_slow_target){
		.remote = {.addr = {.family = leg % 2 ? 6 : 4}, .port = htons((uint16_t)leg)},
		.local = {.family = leg % 2 ? 6 : 4},
	};
	return p->target[leg];
}

void br_plane_slow_count(struct br_plane *p, int reason, uint64_t bytes)
{
	p->read[reason].packets++;
	p->read[reason].bytes += bytes;
}

void br_plane_slow_count_copy(struct br_plane *p, uint32_t leg, int reason, uint64_t bytes)
{
	p->copies[reason ? reason : BR_COPIED].packets++;
	p->copies[reason ? reason : BR_COPIED].bytes += bytes;
	p->copies_of[leg]++;
}

void br_plane_set_tapped(struct br_plane *p, br_plane_tapped tapped, void *context)
{
	p->tapped = tapped;
	p->tapped_context = context;
}

void br_port_set_reader(struct br_port *p, br_port_reader reader, void *context)
{
	p->reader = reader;
	p->reader_context = context;
}

void br_port_send(struct br_port *p, const struct br_datagram *datagram,
		  struct br_port_copy *copies, size_t count)
{
	(void)datagram;
	assert_in_range(count, 1, BR_PORT_COPIES);
	p->batches++;
	for (size_t i = 0; i < count; i++) {
		uint32_t leg = ntohs(copies[i].remote.port);

		assert_int_equal(copies[i].local.family, copies[i].remote.addr.family);
		copies[i].error = p->error[leg];
		p->order[p->sent++] = leg;
	}
}

/* --- the tests --- */

static struct br_edge edges[LEGS];
static const struct br_datagram packet = {
	.remote = {.addr = {.family = 4}},
	.length = 100,
	.ttl = 64,
};

/* Legs 1 to @count receive; @from sends. */
static struct br_slow_route route_to(uint32_t from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		edges[i] = (struct br_edge){.leg = i + 1, .egress = BR_EGRESS_TAP};
	return (struct br_slow_route){.leg = from, .edges = edges, .count = count};
}

static int begin(void **state)
{
	memset(&plane, 0, sizeof(plane));
	memset(&port, 0, sizeof(port));
	*state = br_slow_open(&plane, &port);
	return *state ? 0 : -1;
}

static int end(void **state)
{
	br_slow_close(*state);
	assert_null(plane.tapped);
	assert_null(port.reader);
	return 0;
}

static void a_passed_packet_goes_to_everybody(void **state)
{
	(void)state;
	plane.route = route_to(0, 3);
	assert_int_equal(port.reader(port.reader_context, &packet), 3);
	assert_int_equal(plane.read[BR_FORWARDED].packets, 1);
	assert_int_equal(plane.read[BR_FORWARDED].bytes, 128);
	assert_int_equal(plane.copies[BR_COPIED].packets, 3);
	/* legs 1 and 3 get IPv6, leg 2 IPv4 */
	assert_int_equal(plane.copies[BR_COPIED].bytes, 148 + 128 + 148);
	assert_int_equal(port.sent, 3);
}

/* The kernel has counted it in; the daemon only counts the copies it makes. */
static void a_tapped_packet_is_not_counted_again(void **state)
{
	struct br_slow_route route = route_to(0, 2);

	(void)state;
	assert_int_equal(plane.tapped(plane.tapped_context, &packet, &route), 2);
	for (int i = 0; i < BR_REASON_COUNT; i++)
		assert_int_equal(plane.read[i].packets, 0);
	assert_int_equal(plane.copies[BR_COPIED].packets, 2);
}

static void a_refused_packet_goes_nowhere(void **state)
{
	static const int reasons[] = {BR_NOT_MEDIA, BR_STUN, BR_UNKNOWN_LEG, BR_TTL, BR_RATE};

	(void)state;
	plane.route = route_to(0, 3);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		plane.admit = reasons[i];
		assert_int_equal(port.reader(port.reader_context, &packet), 0);
		assert_int_equal(plane.read[reasons[i]].packets, 1);
	}
	assert_int_equal(port.sent, 0);
	assert_int_equal(plane.read[BR_FORWARDED].packets, 0);
}

static void nobody_gets_his_own_packet(void **state)
{
	(void)state;
	plane.route = route_to(2, 3);
	port.reader(port.reader_context, &packet);
	assert_int_equal(plane.copies[BR_OWN_PACKET].packets, 1);
	assert_int_equal(plane.copies[BR_COPIED].packets, 2);
	assert_int_equal(port.order[0], 1);
	assert_int_equal(port.order[1], 3);
}

static void an_expired_receiver_gets_nothing(void **state)
{
	(void)state;
	plane.route = route_to(0, 3);
	plane.target[1] = plane.target[3] = BR_RECEIVER_EXPIRED;
	port.reader(port.reader_context, &packet);
	assert_int_equal(plane.copies[BR_RECEIVER_EXPIRED].packets, 2);
	assert_int_equal(port.sent, 1);
	assert_int_equal(port.order[0], 2);
}

/* More receivers than a batch holds, some of which get nothing: all others, in their order. */
static void long_routes_take_several_batches(void **state)
{
	uint32_t at = 0;

	(void)state;
	plane.route = route_to(7, LEGS - 1);
	plane.target[64] = BR_RECEIVER_EXPIRED;
	assert_int_equal(port.reader(port.reader_context, &packet), LEGS - 1);
	assert_int_equal(port.sent, LEGS - 3);
	assert_int_equal(port.batches, (LEGS - 3 + BR_PORT_COPIES - 1) / BR_PORT_COPIES);
	for (uint32_t leg = 1; leg < LEGS; leg++) {
		assert_int_equal(plane.copies_of[leg], 1);
		if (leg != 7 && leg != 64)
			assert_int_equal(port.order[at++], leg);
	}
}

/* Whatever the socket says has a reason, and the others get theirs all the same. */
static void errors_have_reasons(void **state)
{
	static const struct {
		int error, reason;
	} rows[] = {
		{-EMSGSIZE, BR_TOO_BIG},	 {-EAGAIN, BR_OVERLOAD},
		{-ENOBUFS, BR_OVERLOAD},	 {-ENOMEM, BR_OVERLOAD},
		{-ENETUNREACH, BR_NO_NEXT_HOP},	 {-EHOSTUNREACH, BR_NO_NEXT_HOP},
		{-EINVAL, BR_NO_NEXT_HOP},	 {-EADDRNOTAVAIL, BR_NO_NEXT_HOP},
		{-EAFNOSUPPORT, BR_NO_NEXT_HOP},
	};

	(void)state;
	plane.route = route_to(0, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t before = plane.copies[rows[i].reason].packets;
		uint64_t copied = plane.copies[BR_COPIED].packets;

		port.sent = 0;
		port.error[2] = rows[i].error;
		port.reader(port.reader_context, &packet);
		assert_int_equal(plane.copies[rows[i].reason].packets, before + 1);
		assert_int_equal(plane.copies[BR_COPIED].packets, copied + 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_passed_packet_goes_to_everybody, begin, end),
		cmocka_unit_test_setup_teardown(a_tapped_packet_is_not_counted_again, begin, end),
		cmocka_unit_test_setup_teardown(a_refused_packet_goes_nowhere, begin, end),
		cmocka_unit_test_setup_teardown(nobody_gets_his_own_packet, begin, end),
		cmocka_unit_test_setup_teardown(an_expired_receiver_gets_nothing, begin, end),
		cmocka_unit_test_setup_teardown(long_routes_take_several_batches, begin, end),
		cmocka_unit_test_setup_teardown(errors_have_reasons, begin, end),
	};

	return cmocka_run_group_tests_name("slow", tests, NULL, NULL);
}
