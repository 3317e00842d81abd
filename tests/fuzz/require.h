// What must hold whatever was tasted: else the fuzzer, or the test, stops here.
#pragma once

#include <cstdlib>

namespace tombolo::node {

inline void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace tombolo::node
