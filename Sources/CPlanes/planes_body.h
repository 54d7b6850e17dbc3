// One width of word: WORD, its name ending NAME(x), and the steps on a block that stays in the first-level cache:
// KEEP (leaves out zeros), SELECT (of another row, what stands where words were kept), EXPAND (puts zeros back),
// SPREAD, GATHER (bytes to planes and back), and SUM (of differences).

enum { NAME(room) = planes_largest_row + 8 };

TARGET size_t NAME(planes_split)(
    const uint8_t *words, size_t count, planes_manner manner, uint8_t *bitmap, uint8_t *planes, size_t stride) {
    WORD kept[NAME(room)], coded[NAME(room)], above[NAME(room)], rows[2][NAME(room)];
    int by_row = manner.prediction == planes_by_row;
    size_t length = by_row ? manner.row : planes_block;
    if (by_row) memset(rows[1], 0, length * sizeof(WORD));
    WORD previous = 0;
    size_t total = 0;
    for (size_t start = 0, number = 0; start < count; start += length, number++) {
        size_t block = count - start < length ? count - start : length;
        size_t n = block;
        if (bitmap) {
            n = KEEP(words + start * sizeof(WORD), block, kept, bitmap);
        } else {
            memcpy(kept, words + start * sizeof(WORD), block * sizeof(WORD));
        }
        const WORD *from = kept;
        if (manner.prediction != planes_unpredicted && n > 0) {
            coded[0] = kept[0] - previous;
            for (size_t i = 1; i < n; i++) coded[i] = kept[i] - kept[i - 1];
            previous = kept[n - 1];
            from = coded;
        }
        if (by_row) {
            WORD *row = rows[number & 1], *last = rows[~number & 1];
            const WORD *up = last;
            if (bitmap) {
                EXPAND(coded, bitmap, block, (uint8_t *)row);
                SELECT(last, bitmap, block, above);
                up = above;
            } else {
                memcpy(row, coded, n * sizeof(WORD));
            }
            for (size_t i = 0; i < n; i++) coded[i] -= up[i];
        }
        if (manner.prediction != planes_unpredicted) {
            for (size_t i = 0; i < n; i++) coded[i] = (coded[i] << 1) ^ (WORD)-(coded[i] >> (8 * sizeof(WORD) - 1));
        }
        SPREAD(from, n, planes + total, stride);
        total += n;
        if (bitmap) bitmap += (block + 7) / 8;
    }
    return total;
}

TARGET int NAME(planes_join)(
    const uint8_t *const *planes, size_t kept_count, planes_manner manner, const uint8_t *bitmap, size_t count,
    uint8_t *words) {
    WORD kept[NAME(room)], above[NAME(room)], rows[2][NAME(room)];
    int by_row = manner.prediction == planes_by_row;
    size_t length = by_row ? manner.row : planes_block;
    if (by_row) memset(rows[1], 0, length * sizeof(WORD));
    WORD previous = 0;
    size_t total = 0;
    for (size_t start = 0, number = 0; start < count; start += length, number++) {
        size_t block = count - start < length ? count - start : length;
        size_t n = block, marks = (block + 7) / 8;
        if (bitmap) {
            n = 0;
            for (size_t i = 0; i < marks; i++) n += (unsigned)__builtin_popcount(bitmap[i]);
            // No marks beyond the block's last word.
            if (block % 8 != 0 && bitmap[marks - 1] >> (block % 8) != 0) return 0;
        }
        if (n > kept_count - total) return 0;
        GATHER(planes, total, n, kept);
        total += n;
        if (manner.prediction != planes_unpredicted) {
            for (size_t i = 0; i < n; i++) kept[i] = (kept[i] >> 1) ^ (WORD)-(kept[i] & 1);
            if (by_row) {
                WORD *row = rows[number & 1], *last = rows[~number & 1];
                const WORD *up = last;
                if (bitmap) {
                    SELECT(last, bitmap, block, above);
                    up = above;
                }
                for (size_t i = 0; i < n; i++) kept[i] += up[i];
                if (bitmap) {
                    EXPAND(kept, bitmap, block, (uint8_t *)row);
                } else {
                    memcpy(row, kept, n * sizeof(WORD));
                }
            }
            previous = SUM(kept, n, previous);
        }
        if (bitmap) {
            EXPAND(kept, bitmap, block, words + start * sizeof(WORD));
            bitmap += marks;
        } else {
            memcpy(words + start * sizeof(WORD), kept, block * sizeof(WORD));
        }
    }
    return total == kept_count;
}
