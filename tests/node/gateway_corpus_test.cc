// The kept corpus of the gateway's fuzzer, and mutations of it for a second or two.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "overlay/rng.h"
#include "tests/fuzz/gateway_taste.h"

namespace tombolo::node {
namespace {

std::vector<std::string> Corpus() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/corpus/gateway"))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

TEST(GatewayCorpus, HarmsNobody) {
  const std::vector<std::string> inputs = Corpus();
  ASSERT_GE(inputs.size(), 20U);
  for (const std::string& input : inputs) TasteOfGateway(input);
}

TEST(GatewayCorpus, NorDoMutationsOfIt) {
  const std::vector<std::string> inputs = Corpus();
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
