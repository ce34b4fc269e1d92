/* SPDX-License-Identifier: BSD-2-Clause */
/* What every run needs: the clock, progress lines, and results as JSON. */
#ifndef BR_LAB_RUN_H
#define BR_LAB_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/error.h"

#define BR_NS_PER_S  1000000000ULL
#define BR_NS_PER_MS 1000000ULL

/** br_now_ns - CLOCK_MONOTONIC */
uint64_t br_now_ns(void);

/* Progress on stderr: once a second, from the fifth second of a run. */
struct br_progress {
	bool on;
	uint64_t start_ns, next_ns;
};

/** br_progress_start - @wanted: also when stderr is no terminal */
void br_progress_start(struct br_progress *progress, bool wanted);
/** br_progress_due - is it time for a line? */
bool br_progress_due(struct br_progress *progress, uint64_t now_ns);

/**
 * br_json_output - print a result and write it to a file
 * @print: one line or indented on stdout
 * @lines: one line
 * @path: file to write (replaced at once when complete), or NULL
 *
 * Return: 0 or negative errno.
 */
int br_json_output(const cJSON *json, bool print, bool lines, const char *path);

/**
 * br_json_load - read a file of JSON
 * @json: freed by the caller with cJSON_Delete()
 *
 * Return: 0 or negative errno; the error names the file.
 */
int br_json_load(const char *path, cJSON **json, struct br_error *error);
/** br_json_is - is this a result of @kind: "source", "sink"? */
bool br_json_is(const cJSON *json, const char *kind);

/** br_json_u64 - member @key of @object as a whole number; 0 when it is not there or not one */
uint64_t br_json_u64(const cJSON *object, const char *key);

#endif
