/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of the API as application/problem+json (RFC 9457). */
#ifndef BR_PROBLEM_H
#define BR_PROBLEM_H

#include "control/api.h"

/**
 * br_problem_set - replace the response by a problem
 * @status: HTTP status, 400..599
 * @field: input at fault, "" or NULL for none
 * @format: one sentence: what is wrong and what was expected
 */
void br_problem_set(struct br_response *response, int status, const char *field, const char *format,
		    ...) __attribute__((format(printf, 4, 5)));

/** br_problem_from_error - the same from an error of a lower layer; its code chooses the status */
void br_problem_from_error(struct br_response *response, const struct br_error *error);

/** br_status_title - reason phrase (RFC 9110 section 15) */
const char *br_status_title(int status);

#endif
