// Words of four or eight bytes taken apart into byte planes, and put together again.
//
// Splitting leaves out the words that are zero (masked pixels, empty counts) and marks the others in a bitmap; may
// predict each kept word; and puts the lowest bytes of all kept words together, then the next higher ones.
//
// What is kept of a predicted word is its difference d to the kept word before (`by_word`), or d less the d that stood
// one row above (`by_row`; 0 where no word was kept there), which follows a smooth image in both directions. Differences
// are folded so that small negative numbers are small too: 0, -1, 1, -2... become 0, 1, 2, 3... Arithmetic wraps, so
// every bit pattern comes back as it was.
//
// Words are taken in blocks: of `row` words by row, of 2048 otherwise. The marks of each block start a new byte.
// No pointer needs an alignment; no two may overlap.
#ifndef CPLANES_H
#define CPLANES_H

#include <stddef.h>
#include <stdint.h>

enum { planes_block = 2048, planes_smallest_row = 32, planes_largest_row = 4096 };

typedef enum { planes_unpredicted = 0, planes_by_word = 1, planes_by_row = 2 } planes_prediction;

// How words are taken apart. `row` counts only by row, and then lies between the smallest and the largest row.
typedef struct {
    planes_prediction prediction;
    size_t row;
} planes_manner;

// Takes `count` words apart.
//
// bitmap: one bit a word, the lowest first, a new byte for each block; NULL to keep zeros too.
// planes: plane p starts at planes + p * stride, stride >= count; a plane has as many bytes as words are kept.
// Returns how many words are kept.
size_t planes_split4(
    const uint8_t *words, size_t count, planes_manner manner, uint8_t *bitmap, uint8_t *planes, size_t stride);
size_t planes_split8(
    const uint8_t *words, size_t count, planes_manner manner, uint8_t *bitmap, uint8_t *planes, size_t stride);

// Puts `count` words together from planes of `kept` bytes each.
//
// Returns 0, with `words` in part undefined, when the bitmap does not mark exactly `kept` words; nothing is read or
// written out of bounds whatever the bitmap says.
int planes_join4(
    const uint8_t *const *planes, size_t kept, planes_manner manner, const uint8_t *bitmap, size_t count,
    uint8_t *words);
int planes_join8(
    const uint8_t *const *planes, size_t kept, planes_manner manner, const uint8_t *bitmap, size_t count,
    uint8_t *words);

// The specification: the same, one word at a time. What the tests compare the above with.
size_t planes_split_reference(
    const uint8_t *words, size_t count, int size, planes_manner manner, uint8_t *bitmap, uint8_t *planes,
    size_t stride);

// What guards an entry of the store: 64 bits over `count` bytes; see checksum.c.
uint64_t planes_checksum(const uint8_t *bytes, size_t count, uint64_t seed);

#endif
