// The steps for words of four bytes with SSSE3: sixteen bytes at a time.

#include <immintrin.h>

#define SSSE3 __attribute__((target("ssse3,popcnt")))

// For each set of kept words among four: the bytes that move them to the front, and those that move them back.
static const uint8_t to_front[16][16] __attribute__((aligned(16))) = {
#define W(i) 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3
#define Z 128, 128, 128, 128
    {Z, Z, Z, Z},          {W(0), Z, Z, Z},       {W(1), Z, Z, Z},       {W(0), W(1), Z, Z},
    {W(2), Z, Z, Z},       {W(0), W(2), Z, Z},    {W(1), W(2), Z, Z},    {W(0), W(1), W(2), Z},
    {W(3), Z, Z, Z},       {W(0), W(3), Z, Z},    {W(1), W(3), Z, Z},    {W(0), W(1), W(3), Z},
    {W(2), W(3), Z, Z},    {W(0), W(2), W(3), Z}, {W(1), W(2), W(3), Z}, {W(0), W(1), W(2), W(3)},
};
static const uint8_t from_front[16][16] __attribute__((aligned(16))) = {
    {Z, Z, Z, Z},          {W(0), Z, Z, Z},       {Z, W(0), Z, Z},       {W(0), W(1), Z, Z},
    {Z, Z, W(0), Z},       {W(0), Z, W(1), Z},    {Z, W(0), W(1), Z},    {W(0), W(1), W(2), Z},
    {Z, Z, Z, W(0)},       {W(0), Z, Z, W(1)},    {Z, W(0), Z, W(1)},    {W(0), W(1), Z, W(2)},
    {Z, Z, W(0), W(1)},    {W(0), Z, W(1), W(2)}, {Z, W(0), W(1), W(2)}, {W(0), W(1), W(2), W(3)},
#undef W
#undef Z
};

SSSE3 static inline unsigned four_kept(const uint8_t *words, uint32_t *kept, size_t *n) {
    __m128i four = _mm_loadu_si128((const __m128i *)words);
    __m128i is_zero = _mm_cmpeq_epi32(four, _mm_setzero_si128());
    unsigned bits = ~(unsigned)_mm_movemask_ps(_mm_castsi128_ps(is_zero)) & 15;
    __m128i front = _mm_shuffle_epi8(four, _mm_load_si128((const __m128i *)to_front[bits]));
    _mm_storeu_si128((__m128i *)(kept + *n), front);
    *n += (unsigned)__builtin_popcount(bits);
    return bits;
}

SSSE3 static inline size_t keep_ssse3(const uint8_t *words, size_t count, uint32_t *kept, uint8_t *bitmap) {
    size_t n = 0, i = 0;
    for (; i + 8 <= count; i += 8) {
        unsigned low = four_kept(words + 4 * i, kept, &n);
        bitmap[i / 8] = (uint8_t)(low | four_kept(words + 4 * i + 16, kept, &n) << 4);
    }
    return i == count ? n : n + keep4(words + 4 * i, count - i, kept + n, bitmap + i / 8);
}

SSSE3 static inline void select_ssse3(const uint32_t *words, const uint8_t *bitmap, size_t count, uint32_t *selected) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        unsigned low = bitmap[i / 8] & 15, high = bitmap[i / 8] >> 4;
        __m128i four = _mm_loadu_si128((const __m128i *)(words + i));
        four = _mm_shuffle_epi8(four, _mm_load_si128((const __m128i *)to_front[low]));
        _mm_storeu_si128((__m128i *)selected, four);
        selected += (unsigned)__builtin_popcount(low);
        four = _mm_loadu_si128((const __m128i *)(words + i + 4));
        four = _mm_shuffle_epi8(four, _mm_load_si128((const __m128i *)to_front[high]));
        _mm_storeu_si128((__m128i *)selected, four);
        selected += (unsigned)__builtin_popcount(high);
    }
    if (i < count) select4(words + i, bitmap + i / 8, count - i, selected);
}

SSSE3 static inline void expand_ssse3(const uint32_t *kept, const uint8_t *bitmap, size_t count, uint8_t *words) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        unsigned low = bitmap[i / 8] & 15, high = bitmap[i / 8] >> 4;
        // Up to four words past the last kept one may be read: `kept` has room for them.
        __m128i four = _mm_loadu_si128((const __m128i *)kept);
        four = _mm_shuffle_epi8(four, _mm_load_si128((const __m128i *)from_front[low]));
        _mm_storeu_si128((__m128i *)(words + 4 * i), four);
        kept += (unsigned)__builtin_popcount(low);
        four = _mm_loadu_si128((const __m128i *)kept);
        four = _mm_shuffle_epi8(four, _mm_load_si128((const __m128i *)from_front[high]));
        _mm_storeu_si128((__m128i *)(words + 4 * i + 16), four);
        kept += (unsigned)__builtin_popcount(high);
    }
    if (i < count) expand4(kept, bitmap + i / 8, count - i, words + 4 * i);
}

SSSE3 static inline void spread_ssse3(const uint32_t *words, size_t count, uint8_t *planes, size_t stride) {
    const __m128i by_byte = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const __m128i *at = (const __m128i *)(words + i);
        __m128i a = _mm_shuffle_epi8(_mm_loadu_si128(at), by_byte);
        __m128i b = _mm_shuffle_epi8(_mm_loadu_si128(at + 1), by_byte);
        __m128i c = _mm_shuffle_epi8(_mm_loadu_si128(at + 2), by_byte);
        __m128i d = _mm_shuffle_epi8(_mm_loadu_si128(at + 3), by_byte);
        __m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d);
        _mm_storeu_si128((__m128i *)(planes + i), _mm_unpacklo_epi64(ab, cd));
        _mm_storeu_si128((__m128i *)(planes + stride + i), _mm_unpackhi_epi64(ab, cd));
        ab = _mm_unpackhi_epi32(a, b), cd = _mm_unpackhi_epi32(c, d);
        _mm_storeu_si128((__m128i *)(planes + 2 * stride + i), _mm_unpacklo_epi64(ab, cd));
        _mm_storeu_si128((__m128i *)(planes + 3 * stride + i), _mm_unpackhi_epi64(ab, cd));
    }
    spread4(words + i, count - i, planes + i, stride);
}

SSSE3 static inline void gather_ssse3(const uint8_t *const *planes, size_t at, size_t count, uint32_t *words) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(planes[0] + at + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(planes[1] + at + i));
        __m128i c = _mm_loadu_si128((const __m128i *)(planes[2] + at + i));
        __m128i d = _mm_loadu_si128((const __m128i *)(planes[3] + at + i));
        __m128i ab = _mm_unpacklo_epi8(a, b), cd = _mm_unpacklo_epi8(c, d);
        __m128i *to = (__m128i *)(words + i);
        _mm_storeu_si128(to, _mm_unpacklo_epi16(ab, cd));
        _mm_storeu_si128(to + 1, _mm_unpackhi_epi16(ab, cd));
        ab = _mm_unpackhi_epi8(a, b), cd = _mm_unpackhi_epi8(c, d);
        _mm_storeu_si128(to + 2, _mm_unpacklo_epi16(ab, cd));
        _mm_storeu_si128(to + 3, _mm_unpackhi_epi16(ab, cd));
    }
    gather4(planes, at + i, count - i, words + i);
}

SSSE3 static inline uint32_t sum_ssse3(uint32_t *words, size_t count, uint32_t previous) {
    __m128i before = _mm_set1_epi32((int)previous);
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        __m128i x = _mm_loadu_si128((const __m128i *)(words + i));
        x = _mm_add_epi32(x, _mm_slli_si128(x, 4));
        x = _mm_add_epi32(x, _mm_slli_si128(x, 8));
        // Only this addition and the broadcast wait for the four before.
        x = _mm_add_epi32(x, before);
        _mm_storeu_si128((__m128i *)(words + i), x);
        before = _mm_shuffle_epi32(x, 0xFF);
    }
    return sum4(words + i, count - i, (uint32_t)_mm_cvtsi128_si32(before));
}
