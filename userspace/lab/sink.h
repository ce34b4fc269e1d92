/* SPDX-License-Identifier: BSD-2-Clause */
/* A run of receivers, and its result. */
#ifndef BR_LAB_SINK_H
#define BR_LAB_SINK_H

#include <cjson/cJSON.h>

#include "lab/receiver.h"
#include "lab/run.h"

#define BR_SINK_MAX 8192u /* receivers */

struct br_sink {
	/* what was asked for */
	struct br_receiver_rules rules;
	struct br_endpoint bind; /* of receiver 0 */
	uint64_t receivers;
	uint64_t expect;      /* different packets per receiver; 0: does not end the run */
	uint64_t idle_ms;     /* 0: does not end the run */
	uint64_t duration_ms; /* 0: does not end the run */
	uint64_t buffer;
	uint64_t max_loss, max_reordered;
	uint64_t ready_fd; /* BR_SEAL_NO_FD: none */
	bool json, json_lines, progress, report_only;
	const char *output;

	/* the run */
	struct br_receiver *list;
	int epoll_fd, signal_fd;
	uint64_t started_ns, first_ns, last_ns, ended_ns; /* 0: no packet yet */
	uint64_t satisfied; /* receivers that have what --expect wants */
	const char *end;    /* why the run ended */
	struct br_slab *slab;
};

/** br_sink_open - bind everything and say ready; 0 or negative errno */
int br_sink_open(struct br_sink *sink, struct br_error *error);
/** br_sink_run - receive until the end; 0 or negative errno */
int br_sink_run(struct br_sink *sink, struct br_error *error);
/** br_sink_close - free everything */
void br_sink_close(struct br_sink *sink);

/** br_sink_json - the result; owned by the caller, NULL without memory */
cJSON *br_sink_json(const struct br_sink *sink);
/** br_sink_print - the result as a table */
void br_sink_print(const struct br_sink *sink);
/** br_sink_fault - what is wrong with a receiver's result, or NULL */
const char *br_sink_fault(const struct br_sink *sink, const struct br_receiver *receiver);

#endif
