// The keys of [faults], and those of [[at]] that cut and heal the network.
#include <array>

#include "sim/partition.h"
#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

constexpr double kYearS = 365.0 * 24 * 3600;
constexpr double kDayS = 24 * 3600;
constexpr double kHourS = 3600;
constexpr double kHourMs = 3600e3;
constexpr double kMaxRate = 1000;

template <auto Member>
Field InFaults(Target& target) {
  return &(target.scenario->world.faults.*Member);
}
template <auto Member>
Field InAction(Target& target) {
  return &(target.action->*Member);
}

using F = FaultOptions;

constexpr std::array kMessages = {
    Key{"faults", "start_s", 0, kYearS, "faults begin, since the world's time 0",
        InFaults<&F::start>},
    Key{"faults", "end_s", 0, kYearS,
        "no fault begins from here on; what has begun runs its course", InFaults<&F::end>},
    Key{"faults", "drop", 0, 1, "probability that a message vanishes", InFaults<&F::drop>},
    Key{"faults", "delay", 0, 1, "probability that a message takes longer", InFaults<&F::delay>},
    Key{"faults", "delay_mean_ms", 0.001, kHourMs, "how much longer, on average",
        InFaults<&F::delay_mean>},
    Key{"faults", "delay_shape", 0, 100,
        "Pareto's, 1.05 to 100, of how much longer; 0 = exponential", InFaults<&F::delay_shape>},
    Key{"faults", "duplicate", 0, 1, "probability that a message arrives twice",
        InFaults<&F::duplicate>},
    Key{"faults", "reorder", 0, 1, "probability that a message is overtaken by others",
        InFaults<&F::reorder>},
    Key{"faults", "spread_ms", 0.001, kHourMs,
        "reordered messages and second copies come up to this much later", InFaults<&F::spread>},
    Key{"faults", "corrupt", 0, 1,
        "probability that a message arrives altered or cut short, and is refused as a whole",
        InFaults<&F::corrupt>},
};

constexpr std::array kLinkFaults = {
    Key{"faults", "flaps_per_s", 0, kMaxRate, "links whose path goes and comes back, several times",
        InFaults<&F::flaps_per_s>},
    Key{"faults", "flap_cycles", 1, 1000, "how often", InFaults<&F::flap_cycles>},
    Key{"faults", "flap_down_s", 0.001, kHourS, "how long a path is gone, on average",
        InFaults<&F::flap_down>},
    Key{"faults", "flap_up_s", 0.001, kHourS, "how long it is there, on average",
        InFaults<&F::flap_up>},
    Key{"faults", "clogs_per_s", 0, kMaxRate, "links on which messages wait",
        InFaults<&F::clogs_per_s>},
    Key{"faults", "clog_s", 0.001, kHourS, "how long, on average", InFaults<&F::clog>},
    Key{"faults", "swizzles_per_s", 0, kMaxRate,
        "peers whose links are clogged one by one and freed in another random order",
        InFaults<&F::swizzles_per_s>},
    Key{"faults", "swizzle_spacing_ms", 0.001, 60'000, "between two links of a swizzle",
        InFaults<&F::swizzle_spacing>},
    Key{"faults", "half_opens_per_s", 0, kMaxRate,
        "links that one end loses and the other believes in until keepalives go unanswered",
        InFaults<&F::half_opens_per_s>},
    Key{"faults", "resets_per_s", 0, kMaxRate,
        "links that both ends lose, and with them what is under way over them",
        InFaults<&F::resets_per_s>},
    Key{"faults", "rebinds_per_s", 0, kMaxRate,
        "peers that get another address: they lose all their links, which the others still believe "
        "in",
        InFaults<&F::rebinds_per_s>},
    Key{"faults", "squeeze_share", 0, 1, "share of peers whose uplink is slower; see [bandwidth]",
        InFaults<&F::squeeze_share>},
    Key{"faults", "squeeze_factor", 1, 1000, "by this factor", InFaults<&F::squeeze_factor>},
    Key{"faults", "partitions_per_s", 0, kMaxRate, "partitions, while the network is whole",
        InFaults<&F::partitions_per_s>},
    Key{"faults", "partition_s", 0.001, kDayS, "length of a partition, on average",
        InFaults<&F::partition>},
    Key{"faults", "partition_islands", 2, kMostIslands, "islands of random sizes",
        InFaults<&F::partition_islands>},
    Key{"faults", "asymmetric_share", 0, 1,
        "share of partitions that let one direction pass: to islands of a higher number",
        InFaults<&F::asymmetric_share>},
    Key{"faults", "isolate_share", 0, 1, "share of partitions that cut off a single peer instead",
        InFaults<&F::isolate_share>},
    Key{"faults", "network_share", 0, 1,
        "share of the other partitions that cut off the peers of one network, as of a provider",
        InFaults<&F::network_share>},
    Key{"faults", "networks", 1, kMostIslands, "networks; each peer is in one, by chance",
        InFaults<&F::networks>},
    Key{"faults", "bridge_nodes", 0, 1000, "random peers that all islands can talk to",
        InFaults<&F::bridge_nodes>},
};

constexpr std::array kPeerFaults = {
    Key{"faults", "crashes_per_s", 0, kMaxRate, "peers that die and come back",
        InFaults<&F::crashes_per_s>},
    Key{"faults", "down_s", 0.001, kDayS, "how long they are gone, on average", InFaults<&F::down>},
    Key{"faults", "forget_share", 0, 1, "share of them that come back without any state",
        InFaults<&F::forget_share>},
    Key{"faults", "rollback_share", 0, 1,
        "share of them that come back with an old state; all others with their last one",
        InFaults<&F::rollback_share>},
    Key{"faults", "rollback_age_s", 0.001, kDayS, "how old that state is at the crash, on average",
        InFaults<&F::rollback_age>},
    Key{"faults", "pauses_per_s", 0, kMaxRate,
        "peers that stand still; what they get meanwhile comes at once",
        InFaults<&F::pauses_per_s>},
    Key{"faults", "pause_s", 0.001, kHourS, "longest pause; they are uniform from 0",
        InFaults<&F::pause>},
    Key{"faults", "skew_share", 0, 1, "share of peers whose clock is wrong, from start to end",
        InFaults<&F::skew_share>},
    Key{"faults", "skew_offset_s", 0, 10 * kDayS, "ahead by up to this", InFaults<&F::skew_offset>},
    Key{"faults", "skew_drift", 0, 0.5, "too fast or too slow by up to this share",
        InFaults<&F::skew_drift>},
    Key{"faults", "clock_jumps_per_s", 0, kMaxRate, "peers whose clock leaps ahead",
        InFaults<&F::clock_jumps_per_s>},
    Key{"faults", "clock_jump_s", 0.001, kDayS, "longest leap; they are uniform from 0",
        InFaults<&F::clock_jump>},
    Key{"faults", "mass_joins_per_s", 0, kMaxRate, "times that many peers join at once",
        InFaults<&F::mass_joins_per_s>},
    Key{"faults", "mass_leaves_per_s", 0, kMaxRate, "times that many peers leave at once",
        InFaults<&F::mass_leaves_per_s>},
    Key{"faults", "mass_share", 0, 1, "how many: a share of the live peers",
        InFaults<&F::mass_share>},
    Key{"faults", "wave_s", 0, 10 * kDayS,
        "a day, from start_s on: masses join in its first half and leave in its second; 0 = at any "
        "time",
        InFaults<&F::wave>},
    Key{"faults", "slow_reader_share", 0, 1,
        "share of peers that take few messages at a time; the others wait",
        InFaults<&F::slow_reader_share>},
    Key{"faults", "read_per_s", 0.1, 100'000,
        "messages that each of them takes; of those that wait, more than 256 are lost",
        InFaults<&F::read_per_s>},
    Key{"faults", "liar_share", 0, 1, "share of peers whose messages name wrong contacts",
        InFaults<&F::liar_share>},
    Key{"faults", "lie_share", 0, 1, "share of the contacts they name that are wrong",
        InFaults<&F::lie_share>},
    Key{"faults", "false_digest_share", 0, 1,
        "share of peers whose sketches of their island name random peers",
        InFaults<&F::false_digest_share>},
    Key{"faults", "dropper_share", 0, 1,
        "share of peers that acknowledge messages to forward and drop them",
        InFaults<&F::dropper_share>},
    Key{"faults", "flooder_share", 0, 1, "share of peers that send requests without sense",
        InFaults<&F::flooder_share>},
    Key{"faults", "flood_per_s", 0, 100'000, "requests of each of them", InFaults<&F::flood_per_s>},
};

constexpr std::array kAtCuts = {
    Key{"at", "heal", kNoLimit, kNoLimit, "every path is back", InAction<&TimedAction::heal>},
    Key{"at", "partition", 0, 1,
        "shares of the live peers in random islands that cannot talk to each other",
        InAction<&TimedAction::partition>},
    Key{"at", "partition_one_way", kNoLimit, kNoLimit,
        "messages to islands further on in `partition` pass",
        InAction<&TimedAction::partition_one_way>},
    Key{"at", "isolate", 0, kMaxPeers, "numbers of peers that nobody can talk to",
        InAction<&TimedAction::isolate>},
    Key{"at", "cut", 0, kMaxPeers, "two peers that cannot talk to each other",
        InAction<&TimedAction::cut>},
    Key{"at", "cut_one_way", 0, kMaxPeers,
        "two peers: messages of the first do not reach the second",
        InAction<&TimedAction::cut_one_way>},
    Key{"at", "bridge", 0, kMaxPeers,
        "two peers that can talk whatever is cut; the first hears of the second",
        InAction<&TimedAction::bridge>},
    Key{"at", "bridges", 0, 1000, "bridges between random live peers of different islands",
        InAction<&TimedAction::bridges>},
};

}  // namespace

KeyLists FaultKeys() { return {kMessages, kLinkFaults, kPeerFaults}; }

KeyLists CutKeys() { return {kAtCuts}; }

}  // namespace tombolo::sim
