/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of test_tables.c, one file per program. Each test gets the world as its state. */
#ifndef TEST_BPF_CASES_H
#define TEST_BPF_CASES_H

/* relay: one mutation per row; lengths; ticket, tags and padding */
void test_relay_rows(void **state);
void test_relay_every_length(void **state);
void test_relay_every_byte(void **state);
void test_relay_ticket(void **state);
void test_relay_tags(void **state);
void test_relay_copiers(void **state);
void test_relay_waits(void **state);
void test_relay_backlog(void **state);
void test_relay_tap(void **state);
void test_relay_turns_round(void **state);
void test_relay_nonce_wraps(void **state);

/* relay: rates of legs and strangers, feedback */
void test_admit_limit_exactly(void **state);
void test_admit_burst(void **state);
void test_admit_bytes(void **state);
void test_admit_no_limit(void **state);
void test_admit_signal_of_leg(void **state);
void test_admit_stranger(void **state);
void test_admit_all_strangers(void **state);
void test_admit_feedback(void **state);

/* relay_loop */
void test_loop_walks_route(void **state);
void test_loop_refuses(void **state);
void test_loop_every_length(void **state);
void test_loop_waits(void **state);
void test_loop_long(void **state);
void test_loop_loses(void **state);

/* stamp: what comes out */
void test_stamp_families_and_tags(void **state);
void test_stamp_keeps_dscp_ecn_ttl(void **state);
void test_stamp_zero_checksum(void **state);
void test_stamp_checksum_ffff(void **state);
void test_stamp_damage_stays(void **state);
void test_stamp_every_length(void **state);

/* stamp: which copy is whose, and which are refused */
void test_stamp_copies_in_order(void **state);
void test_stamp_cursor_resets(void **state);
void test_stamp_tickets_interleaved(void **state);
void test_stamp_refuses(void **state);
void test_stamp_no_headroom(void **state);

#endif
