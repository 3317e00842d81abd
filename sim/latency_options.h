// How long a message takes from one peer to another: the choice of a model and its parameters.
//
// All times are one way, half of a round trip. Every model but `constant` gives each pair of peers
// a delay of its own that stays; jitter varies it per message, asymmetry tilts it between the two
// directions.
//
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "overlay/time.h"
#include "sim/latency_points.h"
#include "sim/rtt_matrix.h"

namespace tombolo::sim {

enum class LatencyModel : std::uint8_t {
  kConstant,     // `one_way` between all
  kUniform,      // per pair, uniform from `shortest` to `longest`
  kLognormal,    // per pair, of median `median`; log has standard deviation `sigma`
  kCoordinates,  // peers at points (shipped: 490 PlanetLab hosts), distance plus access delays
  kMatrix,       // measured between hosts, from a file; peer i is on host i % hosts
  kCloud,        // shipped matrix of 28 public cloud regions; peer i is in region i % 28
};

struct LatencyOptions {
  LatencyModel model = LatencyModel::kConstant;
  Duration one_way = Duration::Milliseconds(50);
  Duration shortest = Duration::Milliseconds(10);
  Duration longest = Duration::Milliseconds(150);
  // 75 ms of round trip, sigma .6: a common fit of internet paths.
  Duration median = Duration::Microseconds(37'500);
  double sigma = 0.6;

  std::string
      file;  // RTT matrix, or points for kCoordinates (none: the shipped ones); see LoadFile
  RttUnit unit = RttUnit::kMilliseconds;  // of the numbers in a matrix file
  RttMatrix matrix;
  LatencyPoints points;

  // Added to every message: (jitter_fraction * delay of the pair + jitter) on average, gamma
  // distributed with shape 2 (most messages a little late, few very late).
  double jitter_fraction = 0;
  Duration jitter;
  // One direction of a pair takes up to this share longer, the other as much shorter; the round
  // trip stays the same.
  double asymmetry = 0;
  // No message is faster. A larger one lets parallel runs look further ahead.
  Duration floor = Duration::Microseconds(1);

  // Reads `file`, if one is named and the model uses it, into `matrix` or `points`. Returns what is
  // wrong, "FILE:LINE: what, what is allowed", or nullopt.
  std::optional<std::string> LoadFile();

  // The first broken rule, naming key, value and allowed range; nullopt if all is well.
  std::optional<std::string> Validate() const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(model, one_way, shortest, longest, median, sigma, file, unit, matrix, points,
            jitter_fraction, jitter, asymmetry, floor);
  }
};

}  // namespace tombolo::sim
