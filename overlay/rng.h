// The only source of randomness of the core and of the simulator: SplitMix64 (Steele, Lea, Flood,
// "Fast splittable pseudorandom number generators", OOPSLA 2014) with distributions of our own,
// since those of <random> differ between standard libraries.
//
// Streams are derived with Split, never by adding to a seed, so that adding a peer does not shift
// the choices of the others. Thread rule: plain value; one caller at a time.
#pragma once

#include <cstdint>

namespace tombolo {

// The output function of SplitMix64: a bijection that spreads every input bit over the whole word.
constexpr std::uint64_t Mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Rng {
 public:
  constexpr Rng() = default;
  constexpr explicit Rng(std::uint64_t seed) : state_(seed) {}

  // An independent stream for (seed, stream): equal arguments give equal streams.
  static constexpr Rng Split(std::uint64_t seed, std::uint64_t stream) {
    return Rng(Mix64(Mix64(seed + kGamma) ^ (stream * kGamma + 0x632be59bd9b4e019ULL)));
  }

  constexpr std::uint64_t Next() { return Mix64(state_ += kGamma); }

  // Uniform in [0, bound). Requires bound > 0. The bias of the multiply-shift method, at most
  // bound / 2^32, is below anything that a simulation could notice for the 32-bit bounds in use.
  constexpr std::uint32_t Below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((Next() >> 32) * bound) >> 32);
  }

  // Uniform in [0, bound). Requires bound > 0. For spans of time, wider than 32 bits.
  constexpr std::uint64_t Below64(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
  }

  // True with probability `parts` / 2^32; probabilities are integers so that every machine agrees.
  constexpr bool Chance(std::uint64_t parts) { return (Next() >> 32) < parts; }

  constexpr std::uint64_t state() const { return state_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(state_);
  }

 private:
  static constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15ULL;  // golden ratio, odd
  std::uint64_t state_ = 0;
};

}  // namespace tombolo
