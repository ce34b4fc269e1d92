// SPDX-License-Identifier: BSD-2-Clause
/* The packets of a room as a file that is made while it is read. */
#include "control/api.h"
#include "control/capture.h"
#include "control/problem.h"
#include "control/query.h"

#define BR_CAPTURE_TYPE "application/x-pcapng"

const char *const br_capture_query[] = {"leg", "snaplen", "count", "duration", NULL};

static bool br_capture_options_read(struct br_room *room, const struct br_request *request,
				    struct br_capture_options *options,
				    struct br_response *response)
{
	const struct br_query *query = &request->query;
	const char *name = br_query_get(query, "leg");

	*options = (struct br_capture_options){.room = room};
	if (!br_query_uint(query, "snaplen", BR_CAPTURE_SNAPLEN_MIN, BR_CAPTURE_MAX,
			   &options->snaplen, response) ||
	    !br_query_uint(query, "count", 1, UINT32_MAX, &options->count, response) ||
	    !br_query_uint(query, "duration", 1, BR_CAPTURE_DURATION_MAX, &options->duration,
			   response))
		return false;
	if (!name)
		return true;
	if (!br_api_check_name("leg", name, response))
		return false;
	options->leg = br_room_leg_find(room, name);
	if (!options->leg)
		br_problem_set(response, 404, "leg", "there is no leg \"%s\" in room \"%s\"", name,
			       br_room_name(room));
	return options->leg;
}

void br_api_capture(struct br_api *api, const struct br_request *request,
		    struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_capture_options options;
	struct br_stream *stream = NULL;
	struct br_error error = {0};

	if (!room || !br_capture_options_read(room, request, &options, response))
		return;
	if (request->method != BR_METHOD_HEAD &&
	    br_capture_begin(api->captures, &options, &stream, &error)) {
		br_problem_from_error(response, &error);
		return;
	}
	response->status = 200;
	response->content_type = BR_CAPTURE_TYPE;
	response->stream = stream;
	response->streamed = true;
}
