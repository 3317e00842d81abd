#include "sim/churn.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "sim/distribution.h"
#include "sim/math.h"
#include "sim/number_table.h"

namespace tombolo::sim {
namespace {

constexpr double kMaxRate = 1e5;  // joins, crashes or departures per second
constexpr Duration kShortestMean = Duration::Milliseconds(1);
constexpr Duration kLongestMean = Duration::Hours(24 * 365 * 10);
constexpr double kLongestUs = 100.0 * 365 * 86'400e6;

struct Preset {
  std::string_view name;
  double shape;
  double scale_s;
};

// Weibull fits of measured sessions.
constexpr std::array<Preset, 6> kPresets = {{
    // Stutzbach and Rejaie, "Understanding churn in peer-to-peer networks", IMC 2006: BitTorrent
    // torrents
    // (scales read as minutes).
    {"bittorrent-redhat", 0.34, 21.3 * 60},
    {"bittorrent-debian", 0.38, 42.4 * 60},
    {"bittorrent-flatout", 0.59, 41.9 * 60},
    // Andelfinger's scenario of the BitTorrent DHT.
    {"bittorrent-dht", 0.68, 14'900},
    // KAD, as used for OverSim by Heep after Steiner et al., IMC 2007: mean 10,000 s.
    {"kad", 0.5, 5000},
    // IPFS 2022: the Weibull through two published points, 87.6 % of sessions below 8 h and 2.5 %
    // above
    // 24 h (its median, 57 min, agrees with the published 24 to over 50 min by country).
    {"ipfs-2022", 0.5186, 6970},
}};

constexpr auto kPresetNames = [] {
  std::array<std::string_view, kPresets.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kPresets[i].name;
  return names;
}();

double WeibullMeanOverScale(double shape) { return Gamma(1 + 1 / shape); }

std::optional<std::string> CheckRange(const char* key, double value, double least, double most) {
  if (value >= least && value <= most) return std::nullopt;
  return std::string("churn.") + key + " = " + NumberText(value) + ": allowed are " +
         NumberText(least) + " to " + NumberText(most);
}

Duration Bounded(double us) { return {static_cast<std::int64_t>(std::clamp(us, 1.0, kLongestUs))}; }

}  // namespace

std::optional<std::string> ChurnOptions::Validate() const {
  if (auto broken = CheckRange("graceful_share", graceful_share, 0, 1)) return broken;
  if (auto broken = CheckRange("join_per_s", join_per_s, 0, kMaxRate)) return broken;
  if (auto broken = CheckRange("crash_per_s", crash_per_s, 0, kMaxRate)) return broken;
  if (auto broken = CheckRange("leave_per_s", leave_per_s, 0, kMaxRate)) return broken;
  if (auto broken =
          CheckRange("mean_s", mean.seconds(), kShortestMean.seconds(), kLongestMean.seconds())) {
    return broken;
  }
  switch (model) {
    case ChurnModel::kNone:
    case ChurnModel::kExponential:
      return std::nullopt;
    case ChurnModel::kWeibull:
      return CheckRange("shape", shape, 0.1, 20);
    case ChurnModel::kPareto:
      return CheckRange("shape", shape, 1.05, 100);
    case ChurnModel::kLognormal:
      return CheckRange("sigma", sigma, 0, 4);
  }
  return std::nullopt;
}

std::span<const std::string_view> ChurnPresetNames() { return kPresetNames; }

std::optional<ChurnOptions> ChurnPreset(std::string_view name) {
  const auto preset = std::find_if(kPresets.begin(), kPresets.end(),
                                   [&](const Preset& p) { return p.name == name; });
  if (preset == kPresets.end()) return std::nullopt;
  ChurnOptions options;
  options.model = ChurnModel::kWeibull;
  options.shape = preset->shape;
  options.mean = Bounded(preset->scale_s * 1e6 * WeibullMeanOverScale(preset->shape) + 0.5);
  return options;
}

Sessions::Sessions(const ChurnOptions& options)
    : model_(options.model),
      mean_(options.mean),
      shape_(model_ == ChurnModel::kLognormal ? options.sigma : options.shape),
      scale_us_(static_cast<double>(options.mean.us)) {
  assert(options.enabled());
  if (model_ == ChurnModel::kWeibull) scale_us_ /= WeibullMeanOverScale(shape_);
  if (model_ == ChurnModel::kPareto) scale_us_ *= (shape_ - 1) / shape_;
  if (model_ == ChurnModel::kLognormal) scale_us_ *= Exp(-0.5 * shape_ * shape_);
}

Duration Sessions::DrawLifetime(Rng& rng) const {
  switch (model_) {
    case ChurnModel::kNone:
    case ChurnModel::kExponential:
      return Bounded(Exponential(rng, scale_us_));
    case ChurnModel::kWeibull:
      return Bounded(Weibull(rng, shape_, scale_us_));
    case ChurnModel::kPareto:
      return Bounded(Pareto(rng, shape_, scale_us_));
    case ChurnModel::kLognormal:
      return Bounded(Lognormal(rng, scale_us_, shape_));
  }
  return mean_;
}

Duration Sessions::DrawResidual(Rng& rng) const {
  const double share = Uniform01(rng);
  return Bounded(share * DrawLengthBiasedUs(rng));
}

// From the density x f(x) / mean. With (x / scale)^shape = g that of Weibull becomes a gamma
// density of shape 1 + 1 / shape in g; x times a power law is a power law; x times a lognormal
// density is a lognormal one, its logarithm moved by sigma^2.
double Sessions::DrawLengthBiasedUs(Rng& rng) const {
  switch (model_) {
    case ChurnModel::kNone:
    case ChurnModel::kExponential:
      return GammaDistributed(rng, 2, scale_us_);
    case ChurnModel::kWeibull:
      return scale_us_ * Pow(GammaDistributed(rng, 1 + 1 / shape_, 1), 1 / shape_);
    case ChurnModel::kPareto:
      return Pareto(rng, shape_ - 1, scale_us_);
    case ChurnModel::kLognormal:
      return Lognormal(rng, scale_us_ * Exp(shape_ * shape_), shape_);
  }
  return scale_us_;
}

}  // namespace tombolo::sim
