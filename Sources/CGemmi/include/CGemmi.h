#ifndef SPINWEAVE_CGEMMI_H
#define SPINWEAVE_CGEMMI_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// The syntax of CIF files, by the Gemmi library's parser (https://gemmi.readthedocs.io), as plain C.
//
// A document is blocks of items. An item is a loop (tags and rows of values) or a pair (one tag, one row). Values come
// without their quotes; '?' and '.' come as empty strings.

typedef struct spinweave_cif spinweave_cif;

// Parses `length` bytes of CIF text. On failure returns NULL, writes a message (cut to `capacity` bytes with its zero) and
// the line, from 1, or 0 where no line is known.
spinweave_cif *spinweave_cif_parse(const char *text, size_t length, char *message, size_t capacity, size_t *line);
void spinweave_cif_free(spinweave_cif *document);

size_t spinweave_cif_blocks(const spinweave_cif *document);
const char *spinweave_cif_block_name(const spinweave_cif *document, size_t block);
size_t spinweave_cif_items(const spinweave_cif *document, size_t block);
// Line of the tag of a pair, or of the word loop_, from 1.
size_t spinweave_cif_line(const spinweave_cif *document, size_t block, size_t item);
size_t spinweave_cif_tags(const spinweave_cif *document, size_t block, size_t item);
const char *spinweave_cif_tag(const spinweave_cif *document, size_t block, size_t item, size_t tag);
size_t spinweave_cif_rows(const spinweave_cif *document, size_t block, size_t item);
const char *spinweave_cif_value(const spinweave_cif *document, size_t block, size_t item, size_t row, size_t tag);

#ifdef __cplusplus
}
#endif

#endif
