/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing JSON (RFC 8259) straight into a buffer: lists of many thousand legs need no tree,
 * and 64-bit counters keep every digit. Commas are placed here; braces must balance.
 */
#ifndef BR_JSON_OUT_H
#define BR_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "control/buffer.h"

struct br_json_out {
	struct br_buffer *buffer;
	bool comma; /* a value stands before: the next one needs a comma */
};

/*
 * Values. @key is the member's name inside an object and NULL inside an array or at the
 * root; it is written as it is and must need no escaping.
 */
void br_json_out_object(struct br_json_out *out, const char *key);
void br_json_out_object_end(struct br_json_out *out);
void br_json_out_array(struct br_json_out *out, const char *key);
void br_json_out_array_end(struct br_json_out *out);
/** br_json_out_string - @value is escaped; it must be UTF-8 */
void br_json_out_string(struct br_json_out *out, const char *key, const char *value);
void br_json_out_uint(struct br_json_out *out, const char *key, uint64_t value);
/** br_json_out_number - with one digit behind the point; @value must be finite */
void br_json_out_number(struct br_json_out *out, const char *key, double value);
void br_json_out_bool(struct br_json_out *out, const char *key, bool value);
void br_json_out_null(struct br_json_out *out, const char *key);
/** br_json_out_time - Unix time in milliseconds as an RFC 3339 string in UTC */
void br_json_out_time(struct br_json_out *out, const char *key, int64_t unix_ms);

#endif
