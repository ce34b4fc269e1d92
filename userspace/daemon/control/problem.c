// SPDX-License-Identifier: BSD-2-Clause
#include "control/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
	int status;
	const char *title;
} titles[] = {
	{200, "OK"},
	{201, "Created"},
	{204, "No Content"},
	{400, "Bad Request"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{411, "Length Required"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{421, "Misdirected Request"},
	{422, "Unprocessable Content"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
};

const char *br_status_title(int status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void br_problem_set(struct br_response *response, int status, const char *field, const char *format,
		    ...)
{
	struct br_json_out out;
	char detail[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);

	br_response_free(response);
	out = br_response_json(response, status);
	response->content_type = "application/problem+json";
	br_json_out_object(&out, NULL);
	/* RFC 9457 section 4.2.1: no more to say than the status does */
	br_json_out_string(&out, "type", "about:blank");
	br_json_out_string(&out, "title", br_status_title(status));
	br_json_out_uint(&out, "status", (uint64_t)status);
	br_json_out_string(&out, "detail", detail);
	if (field && *field)
		br_json_out_string(&out, "field", field);
	br_json_out_object_end(&out);
}

void br_problem_from_error(struct br_response *response, const struct br_error *error)
{
	int status;

	switch (error->code) {
	case -EBADMSG:
		status = 400;
		break;
	case -EACCES:
		status = 403;
		break;
	case -ENOENT:
		status = 404;
		break;
	case -EEXIST:
		status = 409;
		break;
	case -EINVAL:
	case -EHOSTUNREACH:
		status = 422;
		break;
	case -ENOSPC:
	case -ENOMEM:
		status = 503;
		break;
	default:
		status = 500;
	}
	br_problem_set(response, status, error->field, "%s", error->detail);
	response->retry_later = status == 503;
}
