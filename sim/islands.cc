#include "sim/islands.h"

#include <utility>

#include "overlay/rng.h"

namespace tombolo::sim {

Islands::Islands(const WorldOptions& options) : of_(options.peers, 0) {
  begin_.push_back(0);
  if (options.islands.empty()) begin_.push_back(options.peers);
  for (const std::uint32_t size : options.islands) begin_.push_back(begin_.back() + size);

  // A shuffled list of who is where (Fisher and Yates).
  for (std::size_t island = 0; island < count(); ++island) {
    for (std::uint32_t i = begin_[island]; i < begin_[island + 1]; ++i)
      of_[i] = static_cast<std::uint8_t>(island);
  }
  Rng rng = Rng::Split(options.seed, 0x69736c616e6473);
  for (std::uint32_t i = options.peers; count() > 1 && i > 1; --i)
    std::swap(of_[i - 1], of_[rng.Below(i)]);

  std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
  members_.resize(options.peers);
  for (std::uint32_t i = 0; i < options.peers; ++i) members_[next[of_[i]]++] = PeerRef{i};
}

}  // namespace tombolo::sim
