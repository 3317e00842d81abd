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
  const auto below = [&](std::size_t bound) {
    return rng.Below(static_cast<std::uint32_t>(bound));
  };
  for (int round = 0; round < 5000; ++round) {
    std::string input = inputs[below(inputs.size())];
    const std::string& other = inputs[below(inputs.size())];
    if (rng.Below(4) == 0) input += other.substr(below(other.size()));
    if (rng.Below(4) == 0) input.resize(1 + below(input.size()));
    for (std::uint32_t left = rng.Below(4); left > 0 && input.size() > 1; --left)
      input[1 + below(input.size() - 1)] = static_cast<char>(rng.Next());
    TasteOfGateway(input);
  }
}

}  // namespace
}  // namespace tombolo::node
