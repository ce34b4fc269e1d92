// SPDX-License-Identifier: BSD-2-Clause
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int br_error_set(struct br_error *error, int code, const char *field, const char *format, ...)
{
	va_list args;

	if (!error)
		return code;
	error->code = code;
	snprintf(error->field, sizeof(error->field), "%s", field ? field : "");
	va_start(args, format);
	vsnprintf(error->detail, sizeof(error->detail), format, args);
	va_end(args);
	return code;
}
