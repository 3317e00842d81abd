// The kept corpus of the frame fuzzer, and mutations of it for a second or two.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "overlay/rng.h"
#include "tests/fuzz/frame_taste.h"
#include "tests/node/fuzz_corpus.h"

namespace tombolo::node {
namespace {

TEST(FrameCorpus, HarmsNobody) {
  const std::vector<std::string> inputs = FuzzCorpus("frame");
  ASSERT_GE(inputs.size(), kMessageKinds);
  for (const std::string& input : inputs) Taste(input);
}

TEST(FrameCorpus, NorDoMutationsOfIt) {
  const std::vector<std::string> inputs = FuzzCorpus("frame");
  Rng rng(1);
  const auto below = [&](std::size_t bound) {
    return rng.Below(static_cast<std::uint32_t>(bound));
  };
  for (int round = 0; round < 3000; ++round) {
    std::string input = inputs[below(inputs.size())];
    const std::string& other = inputs[below(inputs.size())];
    if (rng.Below(8) == 0) input[0] = static_cast<char>(rng.Below(4));
    if (rng.Below(4) == 0) input += other.substr(below(other.size()));
    for (std::uint32_t left = rng.Below(6); left > 0 && input.size() > 1; --left) {
      input[1 + below(input.size() - 1)] = static_cast<char>(rng.Next());
    }
    Taste(input);
  }
}

}  // namespace
}  // namespace tombolo::node
