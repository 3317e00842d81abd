// The kept corpus of the gateway's fuzzer, and mutations of it for a second or two.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "overlay/rng.h"
#include "tests/fuzz/gateway_taste.h"
#include "tests/node/fuzz_corpus.h"

namespace tombolo::node {
namespace {

TEST(GatewayCorpus, HarmsNobody) {
  const std::vector<std::string> inputs = FuzzCorpus("gateway");
  ASSERT_GE(inputs.size(), 20U);
  for (const std::string& input : inputs) TasteOfGateway(input);
}

TEST(GatewayCorpus, NorDoMutationsOfIt) {
  const std::vector<std::string> inputs = FuzzCorpus("gateway");
  Rng rng(1);
  for (int round = 0; round < 5000; ++round) TasteOfGateway(Mutant(inputs, rng));
}

}  // namespace
}  // namespace tombolo::node
