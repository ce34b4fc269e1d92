/* SPDX-License-Identifier: BSD-2-Clause */
/* Query parameters, strict: unknown ones, ones given twice and wrong values are refused. */
#ifndef BR_QUERY_H
#define BR_QUERY_H

#include "control/api.h"

/**
 * br_query_check - are these parameters that the path takes, each at most once?
 * @known: names, NULL at the end; or NULL: the path takes none
 *
 * Return: false when not; @response is the problem.
 */
bool br_query_check(const struct br_query *query, const char *const *known,
		    struct br_response *response);

/** br_query_get - value of a parameter, "" when it has none; NULL when it is not there */
const char *br_query_get(const struct br_query *query, const char *name);

/**
 * br_query_uint - decimal value @min..@max into @out, which stays when the parameter is absent
 *
 * Return: false when it is something else; @response is the problem.
 */
bool br_query_uint(const struct br_query *query, const char *name, uint32_t min, uint32_t max,
		   uint32_t *out, struct br_response *response);

/** br_query_choice - one of @count words; @out is its index; otherwise as br_query_uint */
bool br_query_choice(const struct br_query *query, const char *name, const char *const *words,
		     size_t count, unsigned int *out, struct br_response *response);

#endif
