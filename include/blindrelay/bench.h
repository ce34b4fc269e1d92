/* SPDX-License-Identifier: BSD-2-Clause */
/* The contract between the benchmark's XDP programs and blindrelay-bench. */
#ifndef BLINDRELAY_BENCH_H
#define BLINDRELAY_BENCH_H

#include <linux/types.h>

/* First bytes of a frame that the generator writes: Ethernet, IPv6, UDP, RTP, rounded up. */
#define BR_BENCH_HEADERS 80
/* Shorter frames are the stack's own, such as neighbour discovery, and are not counted. */
#define BR_BENCH_NOISE 160
/* The sink looks at the clock once in so many frames (a power of two). */
#define BR_BENCH_CLOCK_EVERY 64

struct br_bench_headers {
	__u8 bytes[BR_BENCH_HEADERS];
};

/* What one CPU sends and takes; userspace clears it before a run. Times: CLOCK_MONOTONIC. */
struct br_bench_cpu {
	__u32 first;	    /* first of the senders whose turn it is on this CPU */
	__u32 senders;	    /* how many of them */
	__u32 next;	    /* sender of the next frame, counted from first */
	__u32 gap_ns;	    /* between two frames; 0: as fast as it goes */
	__u64 due_ns;	    /* when the next frame may go, if there is a gap */
	__u64 sent;	    /* frames */
	__u64 started_ns;   /* when the first frame was sent */
	__u64 arrived;	    /* frames at the sink */
	__u64 seen_ns;	    /* when the clock was last read there */
	__u64 seen_arrived; /* frames that had arrived then */
};
_Static_assert(sizeof(struct br_bench_cpu) == 64, "br_bench_cpu");

#endif
