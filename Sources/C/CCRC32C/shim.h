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
#else
static inline int tiketi_crc32c_available(void) { return 0; }
static inline uint32_t tiketi_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) { return crc; }
#endif
