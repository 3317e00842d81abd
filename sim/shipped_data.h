// The measured data that the programs carry with them, as the text of the files in
// python/src/tombolo/data/ (their headers name source, date and licence). CMake embeds them.
//
// Thread rule: constants.
#pragma once

#include <string_view>

namespace tombolo::sim {

// Coordinates plus access delays fitted to 490 PlanetLab hosts (sim/latency_points.h).
std::string_view InternetPointsText();

// Round-trip times between 28 public cloud regions (sim/rtt_matrix.h).
std::string_view CloudMatrixText();

}  // namespace tombolo::sim
