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
  for (int round = 0; round < 3000; ++round) Taste(Mutant(inputs, rng));
}

}  // namespace
}  // namespace tombolo::node
