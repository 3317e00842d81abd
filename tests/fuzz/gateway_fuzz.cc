// The fuzzer of the peer-relay gateway; gateway_taste.h says what is tried.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/gateway_taste.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tombolo::node::TasteOfGateway(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
