// The fuzzer of how connections come up; hello_taste.h says what is tried.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/hello_taste.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tombolo::node::TasteOfHello(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
