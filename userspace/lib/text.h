/* SPDX-License-Identifier: BSD-2-Clause */
/* Small helpers for words that people typed: numbers, quoting, "did you mean". No I/O. */
#ifndef BR_TEXT_H
#define BR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BR_QUOTE_TEXT 48 /* longest quoted excerpt, with NUL */

/**
 * br_text_quote - excerpt of untrusted text that is safe in a message
 * @text: @length bytes, any content
 * @out: the excerpt in double quotes; other than printable ASCII becomes '?', a cut is
 *	shown by "..." after the closing quote
 *
 * Return: @out
 */
const char *br_text_quote(const char *text, size_t length, char out[static BR_QUOTE_TEXT]);

/** br_text_name - as br_text_quote, for NUL-terminated text and without the quotes */
const char *br_text_name(const char *text, char out[static BR_QUOTE_TEXT]);

/**
 * br_text_nearest - the known word that a mistyped one most likely meant
 * @word: what was typed
 * @known: @count words
 *
 * Return: one of @known, or NULL when none is close (edit distance above a third of the
 * length, or above three).
 */
const char *br_text_nearest(const char *word, const char *const *known, size_t count);

/** br_text_to_u32 - decimal digits only, @min..@max; false otherwise and @out untouched */
bool br_text_to_u32(const char *text, uint32_t min, uint32_t max, uint32_t *out);

#endif
