// What a run looks like over time: counts and means per interval. Thread rule: one caller at a
// time.
#pragma once

#include <string>

#include "sim/histogram.h"
#include "sim/metrics.h"
#include "sim/world.h"

namespace tombolo::sim {

// Turns the ever growing metrics of a world into a row per interval.
class SeriesRecorder {
 public:
  SeriesRecorder(const World& world, Duration interval);

  Duration interval() const { return series_.interval(); }

  // Adds what happened since the last call. To be called at the end of each interval.
  void Record(const World& world);

  // To be called after World::ResetMetrics: what was counted before no longer counts.
  void Rebase(const World& world);

  const TimeSeries& series() const { return series_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(start_, series_, last_);
  }

 private:
  Time start_;
  TimeSeries series_;
  std::vector<double> last_;
};

// Comma-separated, a header first: time_s, the columns, and mean latencies made from their sums.
std::string SeriesCsv(const TimeSeries& series);

}  // namespace tombolo::sim
