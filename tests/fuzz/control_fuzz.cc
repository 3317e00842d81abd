// The fuzzer of the control API; control_taste.h says what is tried.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/control_taste.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tombolo::node::TasteOfControl(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
