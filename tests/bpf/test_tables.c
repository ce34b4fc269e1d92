// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every decision of relay, relay_loop and stamp: verdict, every byte, exact counters.
 *
 * What BPF_PROG_TEST_RUN cannot show, because the kernel runs the program alone:
 *   - frames shorter than an Ethernet header: refused before the program runs
 *   - the copies themselves: tests/netns counts them on real interfaces
 *   - two CPUs that learn the same SSRC at once, and a table that changes during a run
 * Every reason can be reached all the same; the last test fails when one was not.
 */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check.h"

static void test_every_reason_reached(void **state)
{
	int missing = 0;

	(void)state;
	for (uint32_t reason = 0; reason < BR_REASON_COUNT; reason++)
		if (!check_was_reached(reason)) {
			print_error("no row ends with %s\n", check_reason_name(reason));
			missing++;
		}
	assert_int_equal(missing, 0);
}

static struct world *world;

static int give_world(void **state)
{
	*state = world;
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, give_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_relay_rows),
		TEST(test_relay_every_length),
		TEST(test_relay_every_byte),
		TEST(test_relay_ticket),
		TEST(test_relay_tags),
		TEST(test_relay_copiers),
		TEST(test_relay_waits),
		TEST(test_relay_backlog),
		TEST(test_relay_tap),
		TEST(test_relay_turns_round),
		TEST(test_relay_nonce_wraps),
		TEST(test_admit_limit_exactly),
		TEST(test_admit_burst),
		TEST(test_admit_bytes),
		TEST(test_admit_no_limit),
		TEST(test_admit_signal_of_leg),
		TEST(test_admit_stranger),
		TEST(test_admit_all_strangers),
		TEST(test_admit_feedback),
		TEST(test_loop_walks_route),
		TEST(test_loop_refuses),
		TEST(test_loop_every_length),
		TEST(test_loop_waits),
		TEST(test_loop_long),
		TEST(test_loop_loses),
		TEST(test_stamp_families_and_tags),
		TEST(test_stamp_keeps_dscp_ecn_ttl),
		TEST(test_stamp_zero_checksum),
		TEST(test_stamp_checksum_ffff),
		TEST(test_stamp_damage_stays),
		TEST(test_stamp_every_length),
		TEST(test_stamp_copies_in_order),
		TEST(test_stamp_cursor_resets),
		TEST(test_stamp_tickets_interleaved),
		TEST(test_stamp_refuses),
		TEST(test_stamp_no_headroom),
		TEST(test_every_reason_reached),
	};
	int failed;

	world = world_open();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_close(world);
	return failed;
}
