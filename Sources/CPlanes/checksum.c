// A 64-bit checksum, sixty-four bytes at a time in eight independent lanes.
//
// Every step is a bijection of a lane's state and of the word read, and the lanes are folded into one another by
// bijections, so that any change confined to one word is always noticed; other damage passes with probability 2^-64.
// It guards against decay, not against intent.
#include "CPlanes.h"
#include <string.h>

static inline uint64_t mixed(uint64_t word) {
    word *= 0xD6E8FEB86659FD93u;
    return word ^ word >> 32;
}

static inline uint64_t read_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

uint64_t planes_checksum(const uint8_t *bytes, size_t count, uint64_t seed) {
    uint64_t state = seed ^ count * 0x9E3779B97F4A7C15u;
    size_t at = 0;
    if (count >= 64) {
        uint64_t lanes[8];
        for (unsigned i = 0; i < 8; i++) lanes[i] = state + i * 0xA0761D6478BD642Fu;
        for (; at + 64 <= count; at += 64) {
            for (unsigned i = 0; i < 8; i++) lanes[i] = mixed(lanes[i] ^ read_word(bytes + at + 8 * i));
        }
        for (unsigned i = 0; i < 8; i++) state = mixed(state ^ lanes[i]);
    }
    for (; at + 8 <= count; at += 8) state = mixed(state ^ read_word(bytes + at));
    uint64_t tail = 0;
    for (; at < count; at++) tail = tail << 8 | bytes[at];
    return mixed(mixed(state ^ tail));
}
