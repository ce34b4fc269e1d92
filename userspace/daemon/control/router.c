// SPDX-License-Identifier: BSD-2-Clause
#include "control/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/page.h"
#include "control/problem.h"

#define BR_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct br_route_entry routes[] = {
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/rooms", br_api_rooms_list},
	{BR_METHOD_PUT, BR_BODY_OPTIONAL, "/v1/rooms/{room}", br_api_room_put},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/rooms/{room}", br_api_room_get},
	{BR_METHOD_DELETE, BR_BODY_NONE, "/v1/rooms/{room}", br_api_room_delete},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/rooms/{room}/legs", br_api_room_legs_list},
	{BR_METHOD_POST, BR_BODY_REQUIRED, "/v1/rooms/{room}/legs", br_api_leg_post},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/rooms/{room}/legs/{leg}", br_api_leg_get},
	{BR_METHOD_PATCH, BR_BODY_REQUIRED, "/v1/rooms/{room}/legs/{leg}", br_api_leg_patch},
	{BR_METHOD_DELETE, BR_BODY_NONE, "/v1/rooms/{room}/legs/{leg}", br_api_leg_delete},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/rooms/{room}/streams", br_api_room_streams},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/rooms/{room}/stats", br_api_room_stats},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/rooms/{room}/capture", br_api_capture},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/legs", br_api_legs_list},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/stats", br_api_stats},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/top", br_api_top},
	{BR_METHOD_GET, BR_BODY_NONE, "/v1/openapi.json", br_api_openapi},
	{BR_METHOD_GET, BR_BODY_NONE, "/healthz", br_api_healthz},
	{BR_METHOD_GET, BR_BODY_NONE, "/readyz", br_api_readyz},
	{BR_METHOD_GET, BR_BODY_NONE, "/metrics", br_api_metrics},
};

/* Most handlers take no query. */
static const struct {
	br_api_handler handler;
	const char *const *query;
} queries[] = {
	{br_api_rooms_list, br_page_query}, {br_api_room_legs_list, br_page_query},
	{br_api_legs_list, br_page_query},  {br_api_top, br_top_query},
	{br_api_capture, br_capture_query},
};

static const char *const method_names[BR_METHOD_COUNT] = {
	[BR_METHOD_GET] = "GET",	 [BR_METHOD_HEAD] = "HEAD",   [BR_METHOD_POST] = "POST",
	[BR_METHOD_PUT] = "PUT",	 [BR_METHOD_PATCH] = "PATCH", [BR_METHOD_DELETE] = "DELETE",
	[BR_METHOD_OPTIONS] = "OPTIONS",
};

/* Statuses that are counted apart; the last slot takes all others. */
static const int statuses[] = {200, 201, 204, 400, 403, 404, 405, 408, 409,
			       411, 413, 415, 421, 422, 500, 501, 503, 0};

struct br_request_counts {
	uint64_t counts[BR_ARRAY_SIZE(routes) + 1][BR_METHOD_COUNT + 1][BR_ARRAY_SIZE(statuses)];
};

const struct br_route_entry *br_router_routes(size_t *count)
{
	*count = BR_ARRAY_SIZE(routes);
	return routes;
}

const char *const *br_router_query(const struct br_route_entry *route)
{
	for (size_t i = 0; i < BR_ARRAY_SIZE(queries); i++)
		if (queries[i].handler == route->handler)
			return queries[i].query;
	return NULL;
}

const char *br_method_name(enum br_method method)
{
	return (unsigned int)method < BR_METHOD_COUNT ? method_names[method] : "other";
}

/*
 * Compare segment by segment. "{room}" and "{leg}" take any segment that is not empty;
 * whether it is a good name is for the handler to say. One too long for any name is cut,
 * which leaves it too long.
 */
static bool br_router_match(const char *pattern, const char *path, struct br_request *request)
{
	request->room[0] = '\0';
	request->leg[0] = '\0';
	while (*pattern == '/' && *path == '/') {
		size_t want = strcspn(++pattern, "/"), have = strcspn(++path, "/");

		if (*pattern == '{') {
			bool room = !strncmp(pattern, "{room}", want);
			char *value = room ? request->room : request->leg;

			if (!have)
				return false;
			snprintf(value, BR_API_NAME_TEXT, "%.*s", (int)have, path);
		} else if (want != have || memcmp(pattern, path, want) != 0) {
			return false;
		}
		pattern += want;
		path += have;
	}
	return !*pattern && !*path;
}

static void br_router_allow(struct br_response *response, enum br_method method)
{
	size_t used = strlen(response->allow);

	snprintf(response->allow + used, sizeof(response->allow) - used, "%s%s", used ? ", " : "",
		 method_names[method]);
	if (method == BR_METHOD_GET)
		br_router_allow(response, BR_METHOD_HEAD);
}

const struct br_route_entry *br_router_find(const char *path, struct br_request *request,
					    struct br_response *response)
{
	enum br_method method = request->method == BR_METHOD_HEAD ? BR_METHOD_GET : request->method;
	char allow[sizeof(response->allow)];

	response->allow[0] = '\0';
	for (size_t i = 0; i < BR_ARRAY_SIZE(routes); i++) {
		if (!br_router_match(routes[i].pattern, path, request))
			continue;
		if (routes[i].method == method) {
			response->allow[0] = '\0';
			return &routes[i];
		}
		br_router_allow(response, routes[i].method);
	}
	if (!response->allow[0]) {
		br_problem_set(response, 404, NULL,
			       "there is no such path; GET /v1/openapi.json describes all of them");
		return NULL;
	}
	memcpy(allow, response->allow, sizeof(allow));
	br_problem_set(response, 405, NULL, "this path answers %s, not %s", allow,
		       br_method_name(request->method));
	memcpy(response->allow, allow, sizeof(allow));
	return NULL;
}

struct br_request_counts *br_router_counts_new(void)
{
	return calloc(1, sizeof(struct br_request_counts));
}

void br_router_count(struct br_request_counts *counts, const struct br_route_entry *route,
		     enum br_method method, int status)
{
	size_t slot = 0;

	while (slot < BR_ARRAY_SIZE(statuses) - 1 && statuses[slot] != status)
		slot++;
	if ((unsigned int)method > BR_METHOD_COUNT)
		method = BR_METHOD_COUNT;
	counts->counts[route ? (size_t)(route - routes) : BR_ARRAY_SIZE(routes)][method][slot]++;
}

void br_router_counts_visit(const struct br_request_counts *counts, br_count_visit visit,
			    void *context)
{
	for (size_t r = 0; r <= BR_ARRAY_SIZE(routes); r++) {
		const char *route = r < BR_ARRAY_SIZE(routes) ? routes[r].pattern : "unmatched";

		for (int m = 0; m <= BR_METHOD_COUNT; m++)
			for (size_t s = 0; s < BR_ARRAY_SIZE(statuses); s++)
				if (counts->counts[r][m][s])
					visit(context, route, br_method_name((enum br_method)m),
					      statuses[s], counts->counts[r][m][s]);
	}
}
