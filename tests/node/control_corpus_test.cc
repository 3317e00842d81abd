// The kept corpus of the fuzzer of the control API, and mutations of it for a second or two.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "overlay/rng.h"
#include "tests/fuzz/control_taste.h"
#include "tests/node/fuzz_corpus.h"

namespace tombolo::node {
namespace {

TEST(ControlCorpus, HarmsNobody) {
  const std::vector<std::string> inputs = FuzzCorpus("control");
  ASSERT_GE(inputs.size(), 15U);
  for (const std::string& input : inputs) TasteOfControl(input);
}

TEST(ControlCorpus, NorDoMutationsOfIt) {
  const std::vector<std::string> inputs = FuzzCorpus("control");
  Rng rng(1);
  for (int round = 0; round < 200; ++round) TasteOfControl(Mutant(inputs, rng));
}

}  // namespace
}  // namespace tombolo::node
