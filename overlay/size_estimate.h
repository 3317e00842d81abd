// How many peers live in the island of one peer, from how near the nearest peers of random places
// are.
//
// The k peers nearest to a random id, the farthest of them at distance d (as a share of the id
// space), speak for (k - 1) / d peers; one such sample has a relative standard deviation of
// 1 / sqrt(k - 2), 24 % at k = 20. Every lookup that ends gives one sample; the estimate is the
// mean of the last kSamples that are not older than kMaxAge. Integer arithmetic, so that every
// machine agrees.
//
// A drop is noticed when the mean of the last kRecent samples lies more than three standard
// deviations below the mean of those before them. It is noticed once: the older samples are
// forgotten then.
//
// Memory: 8 bytes per sample, at most kSamples; nothing before the first. Thread rule: one caller
// at a time. Errors: none.
//
// Source: docs/ground-truth.md; go-libp2p's netsize works alike, with measurements of
// the last two hours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "overlay/node_id.h"
#include "overlay/time.h"

namespace tombolo {

class SizeEstimate {
 public:
  static constexpr std::size_t kSamples = 32;
  static constexpr std::size_t kRecent = 8;
  static constexpr Duration kMaxAge = Duration::Hours(2);

  // The sample that `count` peers speak for, the farthest of them at XOR distance `farthest` from
  // the id that they are nearest to.
  static std::uint32_t FromFarthest(std::size_t count, const NodeId& farthest);

  // A sample from the `k` peers nearest to some id. True if the island has become smaller.
  bool Add(std::uint32_t peers, std::size_t k, Time now);

  // 0 while there is no sample of late.
  std::uint32_t Mean(Time now) const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(samples_);
  }

 private:
  struct Sample {
    std::uint32_t peers;
    std::int32_t at_s;
  };

  static std::uint64_t MeanOf(const Sample* first, const Sample* last);
  bool Dropped(std::size_t k) const;

  std::vector<Sample> samples_;  // oldest first
};

}  // namespace tombolo
