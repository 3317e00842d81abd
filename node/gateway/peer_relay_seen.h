// Remembers which messages have been seen, so that none passes twice: the nonce of peer-relay, with
// its sender. Two generations of fixed size: a key is remembered for at least kLife, unless more
// than kMost come in that time; then the older generation is forgotten early.
//
// Keys are hashed with a secret, so that nobody can make a message of somebody else look seen.
// Memory: 2 * kSlots * 8 bytes, taken with the first message. Thread rule: one caller at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "overlay/node_id.h"
#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::node {

class PeerRelaySeen {
 public:
  static constexpr Duration kLife = Duration::Seconds(60);
  static constexpr std::size_t kMost = 64 * 1024;  // per generation
  static constexpr std::size_t kSlots = 2 * kMost;

  explicit PeerRelaySeen(std::uint64_t secret) : secret_(secret) {}

  // Never 0. `salt` tells uses apart.
  std::uint64_t KeyOf(const NodeId& from, std::string_view nonce, std::uint64_t salt) const {
    std::uint64_t hash = Mix64(secret_ ^ salt);
    hash = Mix64(hash ^ from.prefix64());
    hash = Mix64(hash ^ (std::uint64_t{from.words[2]} << 32 | from.words[3]));
    hash = Mix64(hash ^ from.words[4] ^ std::uint64_t{nonce.size()} << 32);
    for (std::size_t i = 0; i < nonce.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, nonce.data() + i, std::min<std::size_t>(8, nonce.size() - i));
      hash = Mix64(hash ^ word);
    }
    return hash == 0 ? 1 : hash;
  }

  // False if the key has been noted before.
  bool Note(std::uint64_t key, Time now) {
    if (generations_[0].empty()) generations_[0].resize(kSlots);
    if (count_ >= kMost || now > began_ + kLife) Turn(now);
    if (!generations_[1].empty() && generations_[1][Find(generations_[1], key)] == key)
      return false;
    const std::size_t slot = Find(generations_[0], key);
    if (generations_[0][slot] == key) return false;
    generations_[0][slot] = key;
    ++count_;
    return true;
  }

 private:
  using Generation = std::vector<std::uint64_t>;

  // Of the key, or of where it would be: half of the slots are free.
  static std::size_t Find(const Generation& generation, std::uint64_t key) {
    std::size_t slot = key % kSlots;
    while (generation[slot] != 0 && generation[slot] != key) slot = (slot + 1) % kSlots;
    return slot;
  }

  void Turn(Time now) {
    std::swap(generations_[0], generations_[1]);
    generations_[0].assign(kSlots, 0);
    began_ = now;
    count_ = 0;
  }

  const std::uint64_t secret_;
  std::array<Generation, 2> generations_;  // the newer first
  std::size_t count_ = 0;                  // in the newer
  Time began_;
};

}  // namespace tombolo::node
