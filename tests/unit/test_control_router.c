// SPDX-License-Identifier: BSD-2-Clause
/*
 * The router of the control API, and that openapi.json describes exactly its routes: every
 * route with its method and path parameters, no other, every reference resolved, every
 * error answer with an example.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "control/router.h"
#include "lib/json.h"

static const char *const openapi_methods[] = {"get",  "put",	 "post",  "delete",
					      "head", "options", "patch", "trace"};

static cJSON *openapi(void)
{
	struct br_response response = {0};
	struct br_error error = {0};
	cJSON *root = NULL;

	br_api_openapi(NULL, NULL, &response);
	assert_int_equal(response.status, 200);
	assert_int_equal(br_json_parse(response.body.data, response.body.length, &root, &error), 0);
	br_response_free(&response);
	return root;
}

static bool route_exists(const char *method, const char *pattern)
{
	size_t count;
	const struct br_route_entry *routes = br_router_routes(&count);

	for (size_t i = 0; i < count; i++)
		if (!strcasecmp(br_method_name(routes[i].method), method) &&
		    !strcmp(routes[i].pattern, pattern))
			return true;
	return false;
}

static void test_openapi_lists_every_route(void **state)
{
	cJSON *root = openapi();
	const cJSON *paths = cJSON_GetObjectItem(root, "paths");
	size_t count;
	const struct br_route_entry *routes = br_router_routes(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, routes[i].pattern);
		char method[16];

		snprintf(method, sizeof(method), "%s", br_method_name(routes[i].method));
		for (char *c = method; *c; c++)
			*c = (char)(*c | 0x20);
		if (!cJSON_GetObjectItemCaseSensitive(path, method))
			fail_msg("openapi.json lacks %s %s", method, routes[i].pattern);
	}
	cJSON_Delete(root);
}

static void test_openapi_lists_nothing_else(void **state)
{
	cJSON *root = openapi();
	const cJSON *path;

	(void)state;
	cJSON_ArrayForEach (path, cJSON_GetObjectItem(root, "paths"))
		for (size_t m = 0; m < sizeof(openapi_methods) / sizeof(*openapi_methods); m++)
			if (cJSON_GetObjectItemCaseSensitive(path, openapi_methods[m]) &&
			    !route_exists(openapi_methods[m], path->string))
				fail_msg("openapi.json has %s %s, which is no route",
					 openapi_methods[m], path->string);
	cJSON_Delete(root);
}

/* Follow "#/components/…" of one reference. */
static void check_reference(const cJSON *root, const char *reference)
{
	char copy[128], *save = NULL;
	const cJSON *node = root;

	assert_int_equal(strncmp(reference, "#/", 2), 0);
	snprintf(copy, sizeof(copy), "%s", reference + 2);
	for (char *key = strtok_r(copy, "/", &save); key; key = strtok_r(NULL, "/", &save))
		node = cJSON_GetObjectItemCaseSensitive(node, key);
	if (!node)
		fail_msg("openapi.json: %s leads nowhere", reference);
}

static void check_references(const cJSON *root, const cJSON *node)
{
	const cJSON *child;

	cJSON_ArrayForEach (child, node) {
		if (child->string && !strcmp(child->string, "$ref"))
			check_reference(root, child->valuestring);
		check_references(root, child);
	}
}

static void test_openapi_references_resolve(void **state)
{
	cJSON *root = openapi();

	(void)state;
	assert_string_equal(cJSON_GetObjectItem(root, "openapi")->valuestring, "3.1.0");
	check_references(root, root);
	cJSON_Delete(root);
}

static void test_openapi_errors_have_examples(void **state)
{
	cJSON *root = openapi();
	const cJSON *responses =
		cJSON_GetObjectItem(cJSON_GetObjectItem(root, "components"), "responses");
	const cJSON *response;
	int seen = 0;

	(void)state;
	cJSON_ArrayForEach (response, responses) {
		const cJSON *content = cJSON_GetObjectItem(response, "content");
		const cJSON *problem =
			cJSON_GetObjectItemCaseSensitive(content, "application/problem+json");
		const cJSON *example = cJSON_GetObjectItem(problem, "example");

		assert_true(cJSON_IsNumber(cJSON_GetObjectItem(example, "status")));
		assert_true(cJSON_IsString(cJSON_GetObjectItem(example, "detail")));
		seen++;
	}
	assert_true(seen > 5);
	cJSON_Delete(root);
}

static const struct br_route_entry *find(enum br_method method, const char *path,
					 struct br_request *request, struct br_response *response)
{
	memset(request, 0, sizeof(*request));
	request->method = method;
	br_response_free(response);
	response->status = 0;
	return br_router_find(path, request, response);
}

static void test_names_come_from_the_path(void **state)
{
	struct br_response response = {0};
	struct br_request request;
	const struct br_route_entry *route;

	(void)state;
	route = find(BR_METHOD_GET, "/v1/rooms/a.b/legs/c d", &request, &response);
	assert_non_null(route);
	assert_string_equal(route->pattern, "/v1/rooms/{room}/legs/{leg}");
	assert_string_equal(request.room, "a.b");
	assert_string_equal(request.leg, "c d");
	route = find(BR_METHOD_HEAD, "/v1/rooms", &request, &response);
	assert_non_null(route);
	assert_int_equal(route->method, BR_METHOD_GET);
	assert_string_equal(request.room, "");
}

static void test_wrong_paths_are_not_found(void **state)
{
	static const char *const paths[] = {"",
					    "/",
					    "/v1",
					    "/v1/rooms/",
					    "/v1/rooms//legs",
					    "/v1/rooms/a/legs/",
					    "/v1/rooms/a/b",
					    "/v1/rooms/a/legs/b/c",
					    "/v2/rooms",
					    "v1/rooms",
					    "/healthz/",
					    "/v1/roomsx"};
	struct br_response response = {0};
	struct br_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		assert_null(find(BR_METHOD_GET, paths[i], &request, &response));
		assert_int_equal(response.status, 404);
		assert_string_equal(response.allow, "");
	}
	br_response_free(&response);
}

static void test_wrong_methods_say_what_is_allowed(void **state)
{
	struct br_response response = {0};
	struct br_request request;

	(void)state;
	assert_null(find(BR_METHOD_POST, "/v1/rooms/a", &request, &response));
	assert_int_equal(response.status, 405);
	assert_string_equal(response.allow, "PUT, GET, HEAD, DELETE");
	assert_null(find(BR_METHOD_DELETE, "/metrics", &request, &response));
	assert_int_equal(response.status, 405);
	assert_string_equal(response.allow, "GET, HEAD");
	br_response_free(&response);
}

static void test_long_names_are_cut_but_stay_bad(void **state)
{
	struct br_response response = {0};
	char path[4000] = "/v1/rooms/";
	struct br_request request;

	(void)state;
	memset(path + 10, 'a', sizeof(path) - 11);
	assert_non_null(find(BR_METHOD_GET, path, &request, &response));
	assert_int_equal(strlen(request.room), BR_API_NAME_TEXT - 1);
	assert_true(strlen(request.room) > BR_NAME_MAX);
}

struct counted {
	int visits;
	uint64_t total;
};

static void add_count(void *context, const char *route, const char *method, int status,
		      uint64_t requests)
{
	struct counted *counted = context;

	counted->visits++;
	counted->total += requests;
	if (status == 404)
		assert_string_equal(route, "unmatched");
	else
		assert_string_equal(route, "/v1/rooms");
	assert_string_equal(method, status == 0 ? "other" : "GET");
}

static void test_requests_are_counted(void **state)
{
	struct br_request_counts *counts = br_router_counts_new();
	size_t count;
	const struct br_route_entry *routes = br_router_routes(&count);
	struct counted counted = {0};

	(void)state;
	assert_non_null(counts);
	br_router_count(counts, &routes[0], BR_METHOD_GET, 200);
	br_router_count(counts, &routes[0], BR_METHOD_GET, 200);
	br_router_count(counts, NULL, BR_METHOD_GET, 404);
	br_router_count(counts, &routes[0], BR_METHOD_COUNT, 418);
	br_router_counts_visit(counts, add_count, &counted);
	assert_int_equal(counted.visits, 3);
	assert_int_equal(counted.total, 4);
	free(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openapi_lists_every_route),
		cmocka_unit_test(test_openapi_lists_nothing_else),
		cmocka_unit_test(test_openapi_references_resolve),
		cmocka_unit_test(test_openapi_errors_have_examples),
		cmocka_unit_test(test_names_come_from_the_path),
		cmocka_unit_test(test_wrong_paths_are_not_found),
		cmocka_unit_test(test_wrong_methods_say_what_is_allowed),
		cmocka_unit_test(test_long_names_are_cut_but_stay_bad),
		cmocka_unit_test(test_requests_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
