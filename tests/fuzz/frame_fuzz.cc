// The fuzzer of frames and messages; frame_taste.h says what is tried.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/frame_taste.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tombolo::node::Taste(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
