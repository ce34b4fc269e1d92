/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines on standard error; journald priorities ("<4>") when it is the journal. */
#ifndef BR_LOG_H
#define BR_LOG_H

enum br_log_level { BR_LOG_ERROR, BR_LOG_WARN, BR_LOG_INFO, BR_LOG_DEBUG };

/** br_log_set_level - lines above this level are not written; the default is BR_LOG_INFO */
void br_log_set_level(enum br_log_level level);
/** br_log_level_parse - "error", "warn", "info", "debug"; -1 when it is none of them */
int br_log_level_parse(const char *text);

/**
 * br_log - write one line
 * @level: severity
 * @format: what happened; never a key, a token or a payload
 */
void br_log(enum br_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define br_log_error(...) br_log(BR_LOG_ERROR, __VA_ARGS__)
#define br_log_warn(...)  br_log(BR_LOG_WARN, __VA_ARGS__)
#define br_log_info(...)  br_log(BR_LOG_INFO, __VA_ARGS__)
#define br_log_debug(...) br_log(BR_LOG_DEBUG, __VA_ARGS__)

#endif
