// A hint to the processor that memory will be read soon.
#pragma once

#include <cstddef>

namespace tombolo {

constexpr std::size_t kCacheLine = 64;

// Any address may be named, valid or not. The empty statement keeps the hint: a function that only
// gives hints has no effect that gcc knows of, and its calls would be dropped.
[[gnu::always_inline]] inline void PrefetchLine(const void* address) {
  __builtin_prefetch(address);
  asm volatile("" : : "r"(address));
}

}  // namespace tombolo
