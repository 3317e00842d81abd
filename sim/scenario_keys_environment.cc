// The keys of what surrounds the peers: [latency], [bandwidth], [churn].
#include <algorithm>
#include <array>

#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

constexpr double kYearS = 365.0 * 24 * 3600;
constexpr double kLongestMs = 100'000;

template <auto Member>
Field InLatency(Target& target) {
  return &(target.scenario->world.latency.*Member);
}
template <auto Member>
Field InBandwidth(Target& target) {
  return &(target.scenario->world.bandwidth.*Member);
}
template <auto Member>
Field InChurn(Target& target) {
  return &(target.scenario->world.churn.*Member);
}

// "internet" is the shipped set of coordinates, which is what coordinates without a file are.
Field LatencyModelOf(Target& target) {
  LatencyModel& model = target.scenario->world.latency.model;
  ChoiceField field = Choose(
      model, {"constant", "uniform", "lognormal", "coordinates", "matrix", "cloud", "internet"});
  field.set = [&model, set = field.set, internet = field.names.size() - 1](std::size_t index) {
    if (index == internet) {
      model = LatencyModel::kCoordinates;
    } else {
      set(index);
    }
  };
  return field;
}

Field LatencyFile(Target& target) { return PathField{&target.scenario->world.latency.file}; }
Field Unit(Target& target) {
  return Choose(target.scenario->world.latency.unit, {"ms", "s", "us"});
}

Field BandwidthModelOf(Target& target) {
  return Choose(target.scenario->world.bandwidth.model,
                {"none", "fixed", "dsl", "cable", "fibre", "cloud", "mixed"});
}

Field ChurnModelOf(Target& target) {
  return Choose(target.scenario->world.churn.model,
                {"none", "exponential", "weibull", "pareto", "lognormal"});
}

// Sets model, shape and mean at once; keys that follow it change single ones.
Field Preset(Target& target) {
  std::vector<std::string_view> names = {""};
  names.insert(names.end(), ChurnPresetNames().begin(), ChurnPresetNames().end());
  ChurnOptions& churn = target.scenario->world.churn;
  const auto set = [&churn](std::size_t index) {
    if (index == 0) return;
    const ChurnOptions preset = *ChurnPreset(ChurnPresetNames()[index - 1]);
    churn.model = preset.model;
    churn.mean = preset.mean;
    churn.shape = preset.shape;
    churn.sigma = preset.sigma;
  };
  return ChoiceField{std::move(names), [] { return std::size_t{0}; }, set};
}

constexpr std::array kLatency = {
    Key{"latency", "model", kNoLimit, kNoLimit,
        "one delay; per pair uniform or lognormal; points in space (a file, or the shipped "
        "\"internet\"); measured "
        "round trips between hosts from a file; or between cloud regions",
        LatencyModelOf},
    Key{"latency", "file", kNoLimit, kNoLimit,
        "of matrix: round-trip times, full matrix (tabs or commas) or rows \"i,j rtt\"; of "
        "coordinates: points",
        LatencyFile},
    Key{"latency", "unit", kNoLimit, kNoLimit, "of the numbers in a matrix file", Unit},
    Key{"latency", "one_way_ms", 0.001, kLongestMs, "of constant",
        InLatency<&LatencyOptions::one_way>},
    Key{"latency", "shortest_ms", 0.001, kLongestMs, "of uniform, one way",
        InLatency<&LatencyOptions::shortest>},
    Key{"latency", "longest_ms", 0.001, kLongestMs, "of uniform, one way",
        InLatency<&LatencyOptions::longest>},
    Key{"latency", "median_ms", 0.001, kLongestMs, "of lognormal, one way",
        InLatency<&LatencyOptions::median>},
    Key{"latency", "sigma", 0, 3, "of lognormal: standard deviation of the logarithm",
        InLatency<&LatencyOptions::sigma>},
    Key{"latency", "jitter_fraction", 0, 10,
        "mean of what each message adds, as a share of its pair's delay",
        InLatency<&LatencyOptions::jitter_fraction>},
    Key{"latency", "jitter_ms", 0, kLongestMs, "mean of what each message adds",
        InLatency<&LatencyOptions::jitter>},
    Key{"latency", "asymmetry", 0, 0.9,
        "one direction takes up to this share longer, the other shorter",
        InLatency<&LatencyOptions::asymmetry>},
    Key{"latency", "floor_ms", 0.001, kLongestMs, "no message is faster",
        InLatency<&LatencyOptions::floor>},
};

constexpr std::array kBandwidth = {
    Key{"bandwidth", "model", kNoLimit, kNoLimit, "uplink of each peer; none = unlimited",
        BandwidthModelOf},
    Key{"bandwidth", "up_bytes_per_s", 1, 1e12, "of fixed",
        InBandwidth<&BandwidthOptions::up_bytes_per_s>},
    Key{"bandwidth", "queue_ms", 0, 60'000,
        "longest wait before transmission; what would wait longer is lost",
        InBandwidth<&BandwidthOptions::queue>},
    Key{"bandwidth", "dsl_share", 0, 1, "of mixed", InBandwidth<&BandwidthOptions::dsl_share>},
    Key{"bandwidth", "cable_share", 0, 1, "of mixed", InBandwidth<&BandwidthOptions::cable_share>},
    Key{"bandwidth", "fibre_share", 0, 1, "of mixed", InBandwidth<&BandwidthOptions::fibre_share>},
    Key{"bandwidth", "cloud_share", 0, 1, "of mixed", InBandwidth<&BandwidthOptions::cloud_share>},
};

constexpr std::array kChurn = {
    Key{"churn", "model", kNoLimit, kNoLimit, "distribution of session lengths", ChurnModelOf},
    Key{"churn", "preset", kNoLimit, kNoLimit, "published sessions: sets model, shape and mean_s",
        Preset},
    Key{"churn", "mean_s", 0.001, 10 * kYearS, "of a session", InChurn<&ChurnOptions::mean>},
    Key{"churn", "shape", 0.1, 100, "of weibull (0.1 to 20) and pareto (1.05 to 100)",
        InChurn<&ChurnOptions::shape>},
    Key{"churn", "sigma", 0, 4, "of lognormal: standard deviation of the logarithm",
        InChurn<&ChurnOptions::sigma>},
    Key{"churn", "join_per_s", 0, 1e5, "newcomers beside the sessions, in the whole world",
        InChurn<&ChurnOptions::join_per_s>},
    Key{"churn", "crash_per_s", 0, 1e5, "random live peers that crash",
        InChurn<&ChurnOptions::crash_per_s>},
    Key{"churn", "leave_per_s", 0, 1e5, "random live peers that say goodbye",
        InChurn<&ChurnOptions::leave_per_s>},
    Key{"churn", "graceful_share", 0, 1,
        "share of sessions that end with a goodbye instead of a crash",
        InChurn<&ChurnOptions::graceful_share>},
};

}  // namespace

KeyLists EnvironmentKeys() { return {kLatency, kBandwidth, kChurn}; }

}  // namespace tombolo::sim
