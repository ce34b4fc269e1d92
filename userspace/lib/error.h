/* SPDX-License-Identifier: BSD-2-Clause */
/* One kind of error for configuration, API, flags and the plane: a field and what it should be. */
#ifndef BR_ERROR_H
#define BR_ERROR_H

struct br_error {
	int code;	  /* negative errno; 0: no error */
	char field[128];  /* "media.port", "/v1/rooms/{room}", "--bytes"; "" when no field is to
			     blame */
	char detail[320]; /* what is wrong and what was expected, one sentence, no secret in it */
};

/**
 * br_error_set - fill an error
 * @error: to fill; may be NULL
 * @code: negative errno
 * @field: name of the input at fault, or NULL
 * @format: sentence saying what is wrong and what was expected
 *
 * Return: @code, so that a caller can `return br_error_set(...)`.
 */
int br_error_set(struct br_error *error, int code, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
