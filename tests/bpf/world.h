/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs in the kernel, in a network namespace of their own, with small maps. One
 * world per test program; each test writes the tables it needs.
 */
#ifndef TEST_BPF_WORLD_H
#define TEST_BPF_WORLD_H

#include "model.h"
#include "tables.h"

struct relay_bpf;
struct ring_buffer;

#define WORLD_EVENTS 64u

struct world {
	struct relay_bpf *bpf;
	struct ring_buffer *ring;
	int cpus;			      /* possible CPUs of the kernel */
	int cpu;			      /* the one the tests are pinned to */
	struct tables tables;		      /* as last written */
	void *scratch;			      /* one value of every possible CPU */
	struct br_event events[WORLD_EVENTS]; /* read by world_events() */
	unsigned int event_count;
};

/** struct world_run - one run of a program */
struct world_run {
	enum program program;
	const uint8_t *in;
	size_t length;
	size_t metadata; /* bytes that take headroom away */
	/* results */
	uint32_t verdict;
	uint8_t out[PACKET_MAX + 64];
	size_t out_length;
	uint64_t before_ns; /* CLOCK_MONOTONIC_COARSE around the run */
	uint64_t after_ns;
};

/** world_need_bpf - where no BPF program can be loaded: print the reason and exit with 77 */
void world_need_bpf(void);
/**
 * world_open - load the programs; exits with 77 and a reason where no BPF can be loaded
 *
 * A program that the kernel refuses although it loads others is a failure, not a skip.
 */
struct world *world_open(void);
void world_close(struct world *world);

/** world_write - make the kernel's tables these, and all counters zero */
void world_write(struct world *world, const struct tables *tables);
/** world_write_streams - the same for streams, free slots and states of legs; counters stay */
void world_write_streams(struct world *world, const struct tables *tables);
/** world_counters - read the counters of our CPU; fails when another CPU counted */
void world_counters(struct world *world, struct counters *counters);
/** world_set_cpu - write what br_cpu holds on our CPU (nonce and cursors) */
void world_set_cpu(struct world *world, const struct br_cpu *cpu);
/** world_read_dynamic - read back what the kernel may change: streams, free slots, buckets */
void world_read_dynamic(struct world *world, struct tables *tables);
/** world_events - drain the ring buffer; returns how many, the first in world->events */
unsigned int world_events(struct world *world);
/**
 * world_takes_metadata - may a test run have so many bytes of metadata in front of the packet?
 *
 * Old kernels, 6.1 for one, allow 32.
 */
bool world_takes_metadata(struct world *world, size_t bytes);

/** world_run - run a program once; fails the test when the kernel refuses to */
void world_run(struct world *world, struct world_run *run);

#endif
