// How long peers stay: the distribution of session lengths, and the residual lengths that a world
// which starts in the middle of things must begin with.
//
// All models are set by their mean, so that the population follows from it (Little: peers = arrival
// rate x mean). A peer found up at a random moment is in a session of length-biased distribution,
// with a uniform share of it still to come; sampling fresh sessions instead makes the first hours
// wrong. The length-biased form of each model is of a known family (see churn.cc), so nothing is
// tabulated.
//
// Thread rule: plain values; draws use the caller's generator.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::sim {

enum class ChurnModel : std::uint8_t { kNone, kExponential, kWeibull, kPareto, kLognormal };

struct ChurnOptions {
  ChurnModel model = ChurnModel::kNone;
  Duration mean = Duration::Seconds(10'000);  // of a session
  double shape = 0.5;         // of Weibull (below 1: many short, few long) and Pareto (above 1)
  double sigma = 1.5;         // of lognormal: standard deviation of the logarithm
  double graceful_share = 0;  // of sessions end with goodbyes instead of a crash
  // Beside the sessions, in the whole world, each a Poisson process: newcomers, and random live
  // peers that crash or say goodbye.
  double join_per_s = 0;
  double crash_per_s = 0;
  double leave_per_s = 0;

  // True if peers come and go by sessions of the model.
  bool enabled() const { return model != ChurnModel::kNone; }

  // The first broken rule, naming key, value and allowed range; nullopt if all is well.
  std::optional<std::string> Validate() const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(model, mean, shape, sigma, graceful_share, join_per_s, crash_per_s, leave_per_s);
  }
};

// Published session lengths by name; nullopt for a name that is not among ChurnPresetNames().
std::optional<ChurnOptions> ChurnPreset(std::string_view name);
std::span<const std::string_view> ChurnPresetNames();

// Draws session lengths, at least 1 us, at most 100 years.
class Sessions {
 public:
  // Requires valid options of a model other than kNone.
  explicit Sessions(const ChurnOptions& options);

  // Of a session that begins.
  Duration DrawLifetime(Rng& rng) const;
  // What is left of the session of a peer that is up at a random moment.
  Duration DrawResidual(Rng& rng) const;
  Duration mean() const { return mean_; }

 private:
  double DrawLengthBiasedUs(Rng& rng) const;

  ChurnModel model_;
  Duration mean_;
  double shape_;     // of Weibull and Pareto; sigma of lognormal
  double scale_us_;  // mean, Weibull's lambda, Pareto's least, lognormal's median
};

}  // namespace tombolo::sim
