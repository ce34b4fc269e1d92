/* SPDX-License-Identifier: BSD-2-Clause */
/* Assertions on one run: verdict, bytes, and that exactly the stated counters moved. */
#ifndef TEST_BPF_CHECK_H
#define TEST_BPF_CHECK_H

#include "world.h"

#define NO_LEG	     0u /* the tests use no leg 0 */
#define STREAM(slot) ((slot) + 1u)

/* What a run must do; every counter that is not named here must stay as it was. */
struct expect {
	uint32_t reason;     /* decides the verdict as well */
	uint64_t bytes;	     /* counted with the reason */
	uint32_t rx;	     /* leg whose received packets count one more */
	uint32_t rx_dropped; /* leg */
	uint32_t tx;	     /* leg */
	uint32_t tx_dropped; /* leg */
	uint32_t stream;     /* STREAM(slot); 0: none */
	uint32_t leg_bytes;  /* counted with rx or tx, and with stream */
	uint16_t tickets;    /* tickets written */
	int active;	     /* by how many more packets are being spread */
	int parked;	     /* by how many more wait on the loop */
	int rest;	     /* by how much enum br_loop_rest changes */
	uint16_t backlog;    /* what it is then; 0: it is cleared before and may be what it will */
	bool loop_moves;     /* one begins or ends there */
	bool stranger;	     /* all strangers together pay for one packet */
	bool cursor;	     /* the stamp moves the cursor of `nonce` to `passed` */
	uint16_t nonce;
	uint16_t passed;
	uint32_t copy;	     /* second reason: that of a copy made without a ticket */
	uint64_t copy_bytes; /* counted with it */
	uint32_t verdict;    /* other than the one of the reason; 0: that one */
};

#define EXPECT(...) (&(const struct expect){__VA_ARGS__})

/** check_run - run, and compare everything but the bytes with @expect */
void check_run(struct world *world, struct world_run *run, const struct expect *expect);
/** check_unchanged - the frame came out as it went in */
void check_unchanged(const struct world_run *run);
/** check_bytes - the frame came out as these bytes; prints the first that differs */
void check_bytes(const struct world_run *run, const uint8_t *expected, size_t length);
/**
 * check_counters - compare counters; prints the first that differs
 * @expected: MODEL_NOW stands for a time within the run and is replaced by it
 *
 * Return: true when they are equal.
 */
bool check_counters(struct counters *expected, const struct counters *actual,
		    const struct world_run *run);
/** check_dynamic - streams, learned counts and free slots are those of @expected */
void check_dynamic(struct world *world, const struct tables *expected);

/**
 * check_buckets - buckets of legs and strangers are those of @expected
 * @now_ns: CLOCK_MONOTONIC; until when a bucket was full before makes no difference
 */
void check_buckets(struct world *world, const struct tables *expected, uint64_t now_ns);

/** check_reason_name - name of a reason */
const char *check_reason_name(uint32_t reason);
/** check_verdict - verdict that a reason means in a program */
uint32_t check_verdict(enum program program, uint32_t reason);
/** check_excuse - this kernel cannot show the reason: it counts as reached */
void check_excuse(uint32_t reason);
/** check_was_reached - did any check_run() of this process end with the reason? */
bool check_was_reached(uint32_t reason);

#endif
