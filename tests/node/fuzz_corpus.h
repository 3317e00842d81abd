// The inputs that a fuzzer has kept, for tests that taste them all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "overlay/rng.h"

namespace tombolo::node {

// Of one folder below tests/fuzz/corpus, in order of their names. Tests run in the source tree.
inline std::vector<std::string> FuzzCorpus(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/corpus/" + folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// One of the inputs, with a part of another, cut short, or with some bytes changed; the first byte,
// which says what is tried, more seldom than the others.
inline std::string Mutant(const std::vector<std::string>& inputs, Rng& rng) {
  const auto below = [&](std::size_t bound) {
    return rng.Below(static_cast<std::uint32_t>(bound));
  };
  std::string input = inputs[below(inputs.size())];
  const std::string& other = inputs[below(inputs.size())];
  if (rng.Below(8) == 0) input[0] = static_cast<char>(rng.Next());
  if (rng.Below(4) == 0) input += other.substr(below(other.size()));
  if (rng.Below(4) == 0) input.resize(1 + below(input.size()));
  for (std::uint32_t left = rng.Below(6); left > 0 && input.size() > 1; --left) {
    input[1 + below(input.size() - 1)] = static_cast<char>(rng.Next());
  }
  return input;
}

}  // namespace tombolo::node
