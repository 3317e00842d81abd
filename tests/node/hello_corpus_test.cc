// The kept corpus of the fuzzer of hellos, and mutations of it for a second or two.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "overlay/rng.h"
#include "tests/fuzz/hello_taste.h"
#include "tests/node/fuzz_corpus.h"

namespace tombolo::node {
namespace {

TEST(HelloCorpus, HarmsNobody) {
  const std::vector<std::string> inputs = FuzzCorpus("hello");
  ASSERT_GE(inputs.size(), 12U);
  for (const std::string& input : inputs) TasteOfHello(input);
}

TEST(HelloCorpus, NorDoMutationsOfIt) {
  const std::vector<std::string> inputs = FuzzCorpus("hello");
  Rng rng(1);
  for (int round = 0; round < 2000; ++round) TasteOfHello(Mutant(inputs, rng));
}

}  // namespace
}  // namespace tombolo::node
