// 160-bit node ids and the two metrics on them: XOR distance (Maymounkov & Mazieres, "Kademlia",
// IPTPS 2002, section 2.1) and distance on the ring (Stoica et al., "Chord", SIGCOMM 2001).
//
// Keys of lookups, records and rooms live in the same space. Thread rule: plain values.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tombolo {

inline constexpr int kIdBits = 160;

// Ordered as a big-endian number: words[0] holds the most significant 32 bits.
struct NodeId {
  std::array<std::uint32_t, 5> words{};

  // The first 64 bits nearly always tell; the rest is looked at only if they are equal.
  friend constexpr std::strong_ordering operator<=>(const NodeId& a, const NodeId& b) {
    const std::strong_ordering first = a.prefix64() <=> b.prefix64();
    if (first != 0) [[likely]]
      return first;
    return CompareWords(a, b);
  }
  friend constexpr bool operator==(const NodeId& a, const NodeId& b) {
    return a.prefix64() == b.prefix64() && a.words[2] == b.words[2] && a.words[3] == b.words[3] &&
           a.words[4] == b.words[4];
  }

  // The most significant 64 bits; enough to tell honest ids apart, never enough to prove them
  // equal.
  constexpr std::uint64_t prefix64() const {
    return (static_cast<std::uint64_t>(words[0]) << 32) | words[1];
  }

  // Bit `index` counted from the most significant one. Requires 0 <= index < kIdBits.
  constexpr bool bit(int index) const {
    return (words[static_cast<std::size_t>(index) / 32] >> (31 - index % 32)) & 1U;
  }

  // The same id with bit `index` inverted. Requires 0 <= index < kIdBits.
  constexpr NodeId WithFlippedBit(int index) const {
    NodeId flipped = *this;
    flipped.words[static_cast<std::size_t>(index) / 32] ^= 1U << (31 - index % 32);
    return flipped;
  }

  // 40 lower-case hexadecimal digits.
  std::string ToHex() const;

  // Accepts exactly 40 hexadecimal digits of either case; nullopt otherwise.
  static std::optional<NodeId> FromHex(std::string_view text);

 private:
  // Apart, so that a comparison is three instructions wherever it is inlined.
  [[gnu::noinline]] static constexpr std::strong_ordering CompareWords(const NodeId& a,
                                                                       const NodeId& b) {
    return a.words <=> b.words;
  }
};

// XOR distance; compare the results as numbers.
constexpr NodeId Distance(const NodeId& a, const NodeId& b) {
  NodeId distance;
  for (std::size_t i = 0; i < 5; ++i) distance.words[i] = a.words[i] ^ b.words[i];
  return distance;
}

// Length in bits of the common prefix, kIdBits for equal ids. Bucket i of a peer holds the ids that
// share exactly i bits with its own.
constexpr int CommonPrefixLength(const NodeId& a, const NodeId& b) {
  for (std::size_t i = 0; i < 5; ++i) {
    if (const std::uint32_t differing = a.words[i] ^ b.words[i]; differing != 0) {
      return static_cast<int>(i) * 32 + std::countl_zero(differing);
    }
  }
  return kIdBits;
}

// True if `a` is strictly XOR-closer to `target` than `b`.
constexpr bool IsCloser(const NodeId& a, const NodeId& b, const NodeId& target) {
  for (std::size_t i = 0; i < 5; ++i) {
    if (a.words[i] != b.words[i])
      return (a.words[i] ^ target.words[i]) < (b.words[i] ^ target.words[i]);
  }
  return false;
}

// Clockwise distance on the ring: (to - from) mod 2^160.
constexpr NodeId ClockwiseDistance(const NodeId& from, const NodeId& to) {
  NodeId difference;
  std::uint64_t borrow = 0;
  for (std::size_t i = 5; i-- > 0;) {
    const std::uint64_t word = static_cast<std::uint64_t>(to.words[i]) - from.words[i] - borrow;
    difference.words[i] = static_cast<std::uint32_t>(word);
    borrow = (word >> 32) & 1U;
  }
  return difference;
}

// Distance on the ring towards the nearer side.
constexpr NodeId RingDistance(const NodeId& a, const NodeId& b) {
  const NodeId clockwise = ClockwiseDistance(a, b);
  const NodeId counter = ClockwiseDistance(b, a);
  return clockwise < counter ? clockwise : counter;
}

}  // namespace tombolo
