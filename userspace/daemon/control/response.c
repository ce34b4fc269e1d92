// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "control/api.h"

struct br_json_out br_response_json(struct br_response *response, int status)
{
	response->status = status;
	response->content_type = "application/json";
	return (struct br_json_out){.buffer = &response->body};
}

void br_response_free(struct br_response *response)
{
	br_buffer_free(&response->body);
	if (response->stream)
		response->stream->close(response->stream);
	response->stream = NULL;
	response->streamed = false;
	response->content_type = NULL;
	response->location[0] = '\0';
	response->link[0] = '\0';
	response->allow[0] = '\0';
	response->retry_later = false;
}
