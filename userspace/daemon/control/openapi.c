// SPDX-License-Identifier: BSD-2-Clause
/* The description of the API, openapi.json beside this file, inside the program. */
#include "control/api.h"

/*
 * The assembler looks relative to the directory of the build and along -I, which the
 * compiler hands on; userspace/daemon is on that path.
 */
__asm__(".section .rodata\n"
	".global br_openapi_begin\n"
	"br_openapi_begin:\n"
	".incbin \"control/openapi.json\"\n"
	".global br_openapi_end\n"
	"br_openapi_end:\n"
	".byte 0\n"
	".previous\n");

extern const char br_openapi_begin[];
extern const char br_openapi_end[];

void br_api_openapi(struct br_api *api, const struct br_request *request,
		    struct br_response *response)
{
	(void)api;
	(void)request;
	response->status = 200;
	response->content_type = "application/json";
	br_buffer_add(&response->body, br_openapi_begin,
		      (size_t)(br_openapi_end - br_openapi_begin));
}
