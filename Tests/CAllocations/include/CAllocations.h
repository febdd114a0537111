#pragma once

#include <stdint.h>

/// How often this thread has asked for memory: calls of malloc, calloc, realloc and the aligned ones.
int64_t tiketi_thread_allocations(void);
