#pragma once
#include <zlib.h>

// inflateInit2 is a macro, which Swift can't call.
static inline int tiketi_inflateInit2(z_stream *stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}
