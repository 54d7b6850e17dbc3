// Both widths of word in plain C, and four bytes with SSSE3 where the processor has it.
// Words are read as the processor holds them, which must be little-endian.
#include "CPlanes.h"
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are stored little-endian, and this file reads words as they are"
#endif

#define TARGET static

#define WORD uint64_t
#define NAME(x) x##8
#include "planes_plain.h"
#define KEEP keep8
#define SELECT select8
#define EXPAND expand8
#define SPREAD spread8
#define GATHER gather8
#define SUM sum8
#undef TARGET
#define TARGET
#include "planes_body.h"
#undef TARGET
#define TARGET static
#undef NAME
#undef WORD
#undef KEEP
#undef SELECT
#undef EXPAND
#undef SPREAD
#undef GATHER
#undef SUM

#define WORD uint32_t
#define NAME(x) x##4
#include "planes_plain.h"
#undef NAME
#define NAME(x) x##4_plain
#define KEEP keep4
#define SELECT select4
#define EXPAND expand4
#define SPREAD spread4
#define GATHER gather4
#define SUM sum4
#include "planes_body.h"
#undef NAME
#undef KEEP
#undef SELECT
#undef EXPAND
#undef SPREAD
#undef GATHER
#undef SUM

#if defined(__x86_64__)
#include "planes_ssse3.h"
#undef TARGET
#define TARGET SSSE3 static
#define NAME(x) x##4_ssse3
#define KEEP keep_ssse3
#define SELECT select_ssse3
#define EXPAND expand_ssse3
#define SPREAD spread_ssse3
#define GATHER gather_ssse3
#define SUM sum_ssse3
#include "planes_body.h"
#define HAS_SSSE3 (__builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt"))
#else
#define HAS_SSSE3 0
#define planes_split4_ssse3 planes_split4_plain
#define planes_join4_ssse3 planes_join4_plain
#endif

size_t planes_split4(
    const uint8_t *words, size_t count, planes_manner manner, uint8_t *bitmap, uint8_t *planes, size_t stride) {
    if (HAS_SSSE3) return planes_split4_ssse3(words, count, manner, bitmap, planes, stride);
    return planes_split4_plain(words, count, manner, bitmap, planes, stride);
}

int planes_join4(
    const uint8_t *const *planes, size_t kept, planes_manner manner, const uint8_t *bitmap, size_t count, uint8_t *words) {
    if (HAS_SSSE3) return planes_join4_ssse3(planes, kept, manner, bitmap, count, words);
    return planes_join4_plain(planes, kept, manner, bitmap, count, words);
}

size_t planes_split_reference(
    const uint8_t *words, size_t count, int size, planes_manner manner, uint8_t *bitmap, uint8_t *planes,
    size_t stride) {
    uint64_t before = 0, all = size == 8 ? ~0ull : 0xFFFFFFFFull;
    size_t kept = 0;
    size_t length = manner.prediction == planes_by_row ? manner.row : planes_block;
    // The difference at each word of this row and of the one above.
    uint64_t rows[2][planes_largest_row] = {{0}};
    size_t marks = 0;
    for (size_t i = 0; i < count; i++) {
        size_t column = i % length;
        if (i > 0 && column == 0) marks += (length + 7) / 8;
        if (bitmap && column % 8 == 0) bitmap[marks + column / 8] = 0;
        uint64_t *row = rows[i / length & 1], *last = rows[~(i / length) & 1];
        uint64_t word = 0;
        for (int p = 0; p < size; p++) word |= (uint64_t)words[i * (size_t)size + (size_t)p] << (8 * p);
        row[column] = 0;
        if (bitmap && word == 0) continue;
        if (bitmap) bitmap[marks + column / 8] |= (uint8_t)(1u << (column % 8));
        uint64_t coded = word;
        if (manner.prediction != planes_unpredicted) {
            uint64_t difference = (word - before) & all;
            row[column] = difference;
            if (manner.prediction == planes_by_row) difference = (difference - last[column]) & all;
            int is_negative = (int)(difference >> (8 * size - 1));
            coded = (is_negative ? ~(difference << 1) : difference << 1) & all;
        }
        before = word;
        for (int p = 0; p < size; p++) planes[(size_t)p * stride + kept] = (uint8_t)(coded >> (8 * p));
        kept++;
    }
    return kept;
}
