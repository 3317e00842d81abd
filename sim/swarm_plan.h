// What a seed of the swarm stands for: a world, the faults it suffers, the work it does meanwhile.
//
// Everything follows from the seed. Each class of faults draws from a stream of its own, so that
// switching one off leaves all the others as they were: that is how a failure is bisected. Swarm
// testing (Groce et al., ISSTA 2012): a random subset of the classes, at random strengths, finds
// more than all of them at once.
//
// Thread rule: plain values and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/time.h"
#include "sim/options.h"

namespace tombolo::sim {

enum class FaultClass : std::uint8_t {
  // Messages (faults.h).
  kJitter,  // delays vary from message to message
  kDrop,
  kDelay,
  kDuplicate,
  kReorder,
  kCorrupt,
  // Links and paths.
  kHidden,     // peers that cannot be dialled
  kFlap,       // links that come and go
  kClog,       // links that wait, one by one or all of a peer
  kOneWay,     // single directions are cut
  kIsolate,    // single peers are cut off
  kSplit,      // islands
  kHalfSplit,  // islands of which one hears the other, but not the other way round
  kStrangers,  // the world begins as islands that know nothing of each other
  // Peers.
  kCrash,      // they die
  kRestart,    // they die and come back with their state
  kForget,     // ... without any
  kRollback,   // ... with an old one
  kPause,      // they stand still
  kSkew,       // their clocks are wrong
  kLeave,      // they say goodbye
  kJoin,       // newcomers, one by one
  kMassJoin,   // many newcomers at once
  kMassLeave,  // many die at once
  kLiars,      // they name wrong contacts
  kDroppers,   // they drop what they should forward
  kFlooders,   // they send requests without sense
  kLoopy,      // the world begins with rings that go round the id space twice
  // Messages, links and paths; appended, as the number of a class gives it its stream.
  kPareto,       // some delays are far longer than most
  kSqueeze,      // uplinks are slow
  kHalfOpen,     // links that one end has lost
  kReset,        // links that both have, and what is under way
  kRebind,       // peers get other addresses
  kNetworkCut,   // one network is cut off
  kBridgeNodes,  // islands, and peers that talk to all of them
  // Peers.
  kClockJump,    // their clocks leap ahead
  kSlowReaders,  // they take few messages at a time
  kWave,         // many come by day and leave by night
  kMassGoodbye,  // many say goodbye at once
  kFalseDigest,  // they say of their island what is not so
  kSmallCaches,  // they have room for few contacts and records
};
inline constexpr std::array<std::string_view, 41> kFaultClassNames = {
    "jitter",       "drop",      "delay",        "duplicate",    "reorder",      "corrupt",
    "hidden",       "flap",      "clog",         "one_way",      "isolate",      "split",
    "half_split",   "strangers", "crash",        "restart",      "forget",       "rollback",
    "pause",        "skew",      "leave",        "join",         "mass_join",    "mass_leave",
    "liars",        "droppers",  "flooders",     "loopy",        "pareto",       "squeeze",
    "half_open",    "reset",     "rebind",       "network_cut",  "bridge_nodes", "clock_jump",
    "slow_readers", "wave",      "mass_goodbye", "false_digest", "small_caches"};
inline constexpr std::size_t kFaultClasses = kFaultClassNames.size();

// A set of fault classes: bit i is class i.
using FaultSet = std::uint64_t;
constexpr FaultSet Bit(FaultClass fault) { return FaultSet{1} << static_cast<unsigned>(fault); }
inline constexpr FaultSet kAllFaults = (FaultSet{1} << kFaultClasses) - 1;
// "crash, mass_leave"; "none".
std::string FaultNames(FaultSet faults);

enum class StepKind : std::uint8_t {
  kJoin,
  kCrash,
  kLeave,
  kCrashShare,
  kLeaveShare,
  kCut,
  kIsolate,
  kSplit,
  kHeal,
  kLookup,
  kSend,
  kPut,
  kGet,
  kBroadcast,
  kAttach,
  kResolve,
  kEnter,
  kExit,
};
inline constexpr std::array<std::string_view, 18> kStepNames = {
    "join",   "crash", "leave", "crash_share", "leave_share", "cut",    "isolate", "split", "heal",
    "lookup", "send",  "put",   "get",         "broadcast",   "attach", "resolve", "enter", "exit"};

// Something that happens to the world or is asked of it. Peers are meant by number among those that
// are up at that time, so that a plan fits whatever has become of the world.
struct SwarmStep {
  Time at;
  StepKind kind = StepKind::kLookup;
  std::uint32_t who = 0;    // the live peer of this number, modulo the live ones
  std::uint32_t other = 0;  // likewise the target of a send or cut; else a key, client or room
  std::uint32_t parts = 0;  // of shares: in 1/256; of splits: 1 = one direction passes
  Duration span;            // of sends the deadline, of puts and broadcasts how long they live
};

struct SwarmPlan {
  std::uint64_t seed = 1;
  FaultSet faults = 0;  // that the world suffers
  WorldOptions world;
  std::vector<SwarmStep> steps;  // by time
  Time faults_end;               // nothing bad begins any more
  Time calm_from;                // nothing bad goes on any more
  // Two islands meet, and nothing but the merge brings them together: what goes on of itself, in
  // all other plans, is slow in this one.
  bool merge_alone = false;
  std::uint32_t bridges = 1;  // pairs that are introduced where islands have to be

  bool has(FaultClass fault) const { return (faults & Bit(fault)) != 0; }
};

// The plan of a seed without the classes of `off`; a plan about islands that have to merge keeps
// its strangers all the same. Its world passes Validate().
SwarmPlan DrawPlan(std::uint64_t seed, FaultSet off = 0);

// One line: size, overlay, configuration, faults.
std::string Describe(const SwarmPlan& plan);

}  // namespace tombolo::sim
