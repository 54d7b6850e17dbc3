// The steps in plain C, for any processor and both widths.

static inline size_t NAME(keep)(const uint8_t *words, size_t count, WORD *kept, uint8_t *bitmap) {
    size_t n = 0;
    for (size_t i = 0; i < count; i += 8) {
        WORD eight[8] = {0};
        size_t m = count - i < 8 ? count - i : 8;
        memcpy(eight, words + i * sizeof(WORD), m * sizeof(WORD));
        unsigned bits = 0;
        for (unsigned j = 0; j < 8; j++) {
            unsigned is_kept = eight[j] != 0;
            bits |= is_kept << j;
            kept[n] = eight[j];
            n += is_kept;
        }
        bitmap[i / 8] = (uint8_t)bits;
    }
    return n;
}

static inline void NAME(select)(const WORD *words, const uint8_t *bitmap, size_t count, WORD *selected) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        // Written even when it is not selected, and then written over: `selected` has room for it.
        selected[n] = words[i];
        n += bitmap[i / 8] >> (i % 8) & 1;
    }
}

static inline void NAME(expand)(const WORD *kept, const uint8_t *bitmap, size_t count, uint8_t *words) {
    for (size_t i = 0; i < count; i += 8) {
        unsigned bits = bitmap[i / 8];
        WORD eight[8];
        for (unsigned j = 0; j < 8; j++) {
            unsigned is_kept = bits >> j & 1;
            // One word past the last kept one may be read: `kept` has room for it.
            eight[j] = *kept & (WORD)-(WORD)is_kept;
            kept += is_kept;
        }
        memcpy(words + i * sizeof(WORD), eight, (count - i < 8 ? count - i : 8) * sizeof(WORD));
    }
}

static inline void NAME(spread)(const WORD *words, size_t count, uint8_t *planes, size_t stride) {
    for (unsigned p = 0; p < sizeof(WORD); p++) {
        uint8_t *plane = planes + p * stride;
        for (size_t i = 0; i < count; i++) plane[i] = (uint8_t)(words[i] >> (8 * p));
    }
}

static inline void NAME(gather)(const uint8_t *const *planes, size_t at, size_t count, WORD *words) {
    for (size_t i = 0; i < count; i++) {
        WORD word = 0;
        for (unsigned p = 0; p < sizeof(WORD); p++) word |= (WORD)planes[p][at + i] << (8 * p);
        words[i] = word;
    }
}

static inline WORD NAME(sum)(WORD *words, size_t count, WORD previous) {
    for (size_t i = 0; i < count; i++) {
        previous += words[i];
        words[i] = previous;
    }
    return previous;
}
