// One width of word: WORD, its name ending NAME(x), and four steps on a block that stays in the first-level cache:
// KEEP, EXPAND (leave out and put back zeros), SPREAD, GATHER (bytes to planes and back), and SUM (of differences).

enum { NAME(block) = 2048 };

TARGET size_t NAME(planes_split)(
    const uint8_t *words, size_t count, int differences, uint8_t *bitmap, uint8_t *planes, size_t stride) {
    WORD kept[NAME(block) + 8], coded[NAME(block) + 8];
    WORD previous = 0;
    size_t total = 0;
    for (size_t start = 0; start < count; start += NAME(block)) {
        size_t block = count - start < NAME(block) ? count - start : NAME(block);
        size_t n = block;
        if (bitmap) {
            n = KEEP(words + start * sizeof(WORD), block, kept, bitmap + start / 8);
        } else {
            memcpy(kept, words + start * sizeof(WORD), block * sizeof(WORD));
        }
        const WORD *from = kept;
        if (differences && n > 0) {
            coded[0] = kept[0] - previous;
            for (size_t i = 1; i < n; i++) coded[i] = kept[i] - kept[i - 1];
            previous = kept[n - 1];
            for (size_t i = 0; i < n; i++) coded[i] = (coded[i] << 1) ^ (WORD)-(coded[i] >> (8 * sizeof(WORD) - 1));
            from = coded;
        }
        SPREAD(from, n, planes + total, stride);
        total += n;
    }
    return total;
}

TARGET int NAME(planes_join)(
    const uint8_t *const *planes, size_t kept_count, int differences, const uint8_t *bitmap, size_t count,
    uint8_t *words) {
    WORD kept[NAME(block) + 8];
    WORD previous = 0;
    size_t total = 0;
    for (size_t start = 0; start < count; start += NAME(block)) {
        size_t block = count - start < NAME(block) ? count - start : NAME(block);
        size_t n = block;
        if (bitmap) {
            n = 0;
            for (size_t i = 0; i < (block + 7) / 8; i++) n += (unsigned)__builtin_popcount(bitmap[start / 8 + i]);
        }
        if (n > block || n > kept_count - total) return 0;
        GATHER(planes, total, n, kept);
        total += n;
        if (differences) previous = SUM(kept, n, previous);
        if (bitmap) {
            EXPAND(kept, bitmap + start / 8, block, words + start * sizeof(WORD));
        } else {
            memcpy(words + start * sizeof(WORD), kept, block * sizeof(WORD));
        }
    }
    return total == kept_count;
}
