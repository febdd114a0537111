#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The CPU's own CRC-32C instruction, which Swift has no intrinsic for.
// Returns 0 where the CPU lacks it: the caller then uses its table.

#if defined(__x86_64__)
static inline int tiketi_crc32c_available(void) { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2")))
static inline uint32_t tiketi_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t state = crc;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = __builtin_ia32_crc32di(state, word);
        bytes += 8;
        count -= 8;
    }
    while (count--) state = __builtin_ia32_crc32qi((uint32_t)state, *bytes++);
    return (uint32_t)state;
}

// Bytes of one of three lanes.
#define TIKETI_CRC32C_LANE 1024

// What a state becomes by a lane of zeros; `shift` has it for each byte of a state, 256 a byte.
static inline uint32_t tiketi_crc32c_shifted(uint32_t state, const uint32_t *shift) {
    return shift[state & 0xff] ^ shift[256 + (state >> 8 & 0xff)] ^ shift[512 + (state >> 16 & 0xff)]
        ^ shift[768 + (state >> 24)];
}

// The same, three lanes at a time: the instruction takes three cycles, and a new one can begin in each.
__attribute__((target("sse4.2")))
static inline uint32_t tiketi_crc32c_lanes(
    uint32_t crc, const uint8_t *bytes, size_t count, const uint32_t *shift
) {
    while (count >= 3 * TIKETI_CRC32C_LANE) {
        uint64_t first = crc, second = 0, third = 0;
        for (size_t offset = 0; offset < TIKETI_CRC32C_LANE; offset += 8) {
            uint64_t a, b, c;
            memcpy(&a, bytes + offset, 8);
            memcpy(&b, bytes + TIKETI_CRC32C_LANE + offset, 8);
            memcpy(&c, bytes + 2 * TIKETI_CRC32C_LANE + offset, 8);
            first = __builtin_ia32_crc32di(first, a);
            second = __builtin_ia32_crc32di(second, b);
            third = __builtin_ia32_crc32di(third, c);
        }
        crc = tiketi_crc32c_shifted((uint32_t)first, shift) ^ (uint32_t)second;
        crc = tiketi_crc32c_shifted(crc, shift) ^ (uint32_t)third;
        bytes += 3 * TIKETI_CRC32C_LANE;
        count -= 3 * TIKETI_CRC32C_LANE;
    }
    return tiketi_crc32c(crc, bytes, count);
}
#else
static inline int tiketi_crc32c_available(void) { return 0; }
static inline uint32_t tiketi_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) { return crc; }
#define TIKETI_CRC32C_LANE 1024
static inline uint32_t tiketi_crc32c_lanes(
    uint32_t crc, const uint8_t *bytes, size_t count, const uint32_t *shift
) { return crc; }
#endif
