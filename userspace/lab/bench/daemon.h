/* SPDX-License-Identifier: BSD-2-Clause */
/* The real daemon on a host of its own: what it costs in memory, how fast a leg joins. */
#ifndef BR_BENCH_DAEMON_H
#define BR_BENCH_DAEMON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

struct br_daemon {
	int ns;	   /* its network namespace; -1: none */
	pid_t pid; /* 0: not running */
};

/**
 * br_daemon_start - start blindrelayd, which lies beside this program, with default tables
 *
 * Its interface is `media`, BR_BENCH_RELAY4; the other end, `host`, is in our namespace and has
 * the address BR_DAEMON_HOST4. Returns when the daemon is ready. On failure nothing runs.
 */
int br_daemon_start(struct br_daemon *daemon, struct br_error *error);
void br_daemon_stop(struct br_daemon *daemon);

#define BR_DAEMON_HOST4	 "10.10.0.2"
#define BR_DAEMON_SOCKET "/run/blindrelay/control.sock"

#define BR_JOINS_MAX 500

/* Times from the begin of the API request to the arrival of the first copy. */
struct br_join_result {
	double ms[BR_JOINS_MAX]; /* ascending */
	size_t count;
	double median_ms, p90_ms, p99_ms, max_ms;
	double answer_ms; /* median until the API had answered */
};
/** br_join_measure - @joins subscribers, one after the other, join a room in which media flows */
int br_join_measure(const struct br_daemon *daemon, size_t joins, struct br_join_result *result,
		    struct br_error *error);

#define BR_MEMORY_MAPS_MAX 512

struct br_memory_map {
	char name[16];
	uint32_t maps; /* of that name */
	uint64_t bytes;
};

struct br_memory_result {
	struct br_memory_map maps[BR_MEMORY_MAPS_MAX]; /* greatest first */
	size_t count;
	uint64_t bytes; /* of all maps */
	uint32_t legs;	/* that the tables have room for */
};
/** br_memory_measure - what the maps that the daemon has open take in the kernel */
int br_memory_measure(const struct br_daemon *daemon, struct br_memory_result *result,
		      struct br_error *error);

#endif
