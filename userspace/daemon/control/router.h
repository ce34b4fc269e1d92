/* SPDX-License-Identifier: BSD-2-Clause */
/* Which handler answers which method and path, and how often each did. */
#ifndef BR_ROUTER_H
#define BR_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include "control/api.h"

enum br_body_policy {
	BR_BODY_NONE,	  /* a body is not expected; one that comes is ignored */
	BR_BODY_OPTIONAL, /* JSON when there is one */
	BR_BODY_REQUIRED, /* JSON */
};

struct br_route_entry {
	enum br_method method;
	enum br_body_policy body;
	const char *pattern; /* as in OpenAPI: "/v1/rooms/{room}" */
	br_api_handler handler;
};

/** br_router_routes - the table; @count is set */
const struct br_route_entry *br_router_routes(size_t *count);

/**
 * br_router_find - route for a method and a decoded path
 * @request: method is read; room and leg are set from the path
 * @response: the problem (404, 405 with Allow) when there is no route
 *
 * Return: NULL when there is none.
 */
const struct br_route_entry *br_router_find(const char *path, struct br_request *request,
					    struct br_response *response);

/** br_router_query - query parameters that a route takes, NULL at the end; NULL: none */
const char *const *br_router_query(const struct br_route_entry *route);

/** br_method_name - "GET"; BR_METHOD_COUNT and above: "other" */
const char *br_method_name(enum br_method method);

/** br_router_counts_new - counters of requests, all zero; freed by free(3); NULL without memory */
struct br_request_counts *br_router_counts_new(void);
/** br_router_count - one request was answered; @route NULL: none matched */
void br_router_count(struct br_request_counts *counts, const struct br_route_entry *route,
		     enum br_method method, int status);

typedef void (*br_count_visit)(void *context, const char *route, const char *method, int status,
			       uint64_t requests);
/** br_router_counts_visit - every combination that occurred; @route "unmatched" for no route */
void br_router_counts_visit(const struct br_request_counts *counts, br_count_visit visit,
			    void *context);

#endif
