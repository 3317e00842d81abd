// Every fault that a world can inject, with unit, default and range. All are off by default, and
// then cost nothing and leave no trace in the run.
//
// Probabilities are per message and drawn by a hash of (seed, sender, sender's sequence), shares of
// peers by a hash of (seed, peer): both are independent of the order of events. Rates are those of
// Poisson processes in the whole world. Faults happen from `start` to `end` of the world's time;
// what has begun runs its course, so that by `end` plus the longest of the durations the world is
// whole again. Clocks are wrong from the beginning to the end of the world, and what one has leapt
// it stays ahead.
//
// Mapped, not built twice: `corrupt` stands for truncation. A liar draws each of its lies anew, so
// it tells every asker something else: liars equivocate. Memory that runs out is a bound of the
// configuration (overlay/config.h), which the swarm draws small. What a core cannot suffer, since
// its host sees to it first, is tested at the host:
//   one id used twice    the later start replaces the earlier (tests/node/link_table_test.cc:
//                        ARestartedNodeIsBackAtOnce, LaterStays); two processes with one key are
//                        kept apart by a lock (data_dir_test.cc: OneUserAtATime)
//   bytes drop by drop   deadlines of handshake, hello and request (grpc_limits_test.cc:
//                        ConnectionsThatSayNothingGiveTheirPlacesBack; hello_test.cc:
//                        WhoSaysNothingIsSentAway; http_server_test.cc:
//                        WhoTricklesARequestIsClosedAfterTheDeadline)
//   versions N and N-1   hello_test.cc: AnotherMajorVersionIsSentAwayAnotherMinorIsNot,
//                        AGoodOneIsWelcome, BadMessagesAreCountedAndTheRestIsHeard
//
// Thread rule: plain values. Which classes, and usual strengths: TigerBeetle's VOPR and
// FoundationDB's simulation (swizzle, clogging).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "overlay/time.h"

namespace tombolo::sim {

inline constexpr std::uint32_t kMostUnread = 256;  // messages that wait for a slow reader
inline constexpr Duration kMostLeap = Duration::Hours(24 * 30);

struct FaultOptions {
  Duration start;
  Duration end = Duration::Hours(24 * 365);

  // ---- Messages: probabilities, 0..1.
  double drop = 0;
  double delay = 0;                                   // takes longer, by a random time of
  Duration delay_mean = Duration::Milliseconds(500);  // this mean, 1 us..1 h,
  double delay_shape = 0;  // Pareto's of this shape (1.05..100), or 0 = exponential
  double duplicate = 0;    // arrives a second time, up to `spread` later
  double reorder = 0;      // arrives up to `spread` later, overtaken by others
  Duration spread = Duration::Milliseconds(200);  // 1 us..1 h
  // Arrives altered or cut short. The codec of a node refuses such a message as a whole, as the
  // frame of its link is authenticated; so it is counted at the receiver and goes no further.
  double corrupt = 0;

  // ---- Links. Drawn are a random live peer and one of its links.
  double flaps_per_s = 0;         // 0..1000: a link's path is cut and comes back, several times
  std::uint32_t flap_cycles = 3;  // 1..1000
  Duration flap_down = Duration::Seconds(2);  // mean, 1 ms..1 h
  Duration flap_up = Duration::Seconds(5);    // mean, 1 ms..1 h
  double clogs_per_s = 0;  // 0..1000: what two peers say to each other waits; the link stays up
  Duration clog = Duration::Seconds(1);  // mean, 1 ms..1 h
  // 0..1000: all links of a peer are clogged one by one and freed in another random order.
  double swizzles_per_s = 0;
  Duration swizzle_spacing = Duration::Milliseconds(100);  // 1 us..1 min
  // 0..1000: one end of a link loses it, and the other believes in it until keepalives go
  // unanswered or something comes from the first one anew. What it sends meanwhile vanishes: no
  // reset comes back, as from a middlebox that has lost its state.
  double half_opens_per_s = 0;
  double resets_per_s = 0;  // 0..1000: both ends lose a link, and what is under way over it
  // 0..1000: a peer gets another address, as from a NAT, where it can be dialled at once: all its
  // links are half-open, lost by itself and not by the others.
  double rebinds_per_s = 0;
  double squeeze_share = 0;           // of peers whose uplink is slower; needs a bandwidth model
  std::uint32_t squeeze_factor = 10;  // by this factor, 1..1000

  // ---- Partitions, one after the other.
  double partitions_per_s = 0;                 // 0..1000, while the network is whole
  Duration partition = Duration::Seconds(30);  // mean, 1 ms..24 h
  std::uint32_t partition_islands = 2;         // 2..1000, of random sizes
  double asymmetric_share = 0;  // of partitions let the messages of one direction pass
  double isolate_share = 0;     // of partitions cut off a single peer instead
  double network_share = 0;     // of the others cut off one network, as of a provider: peers belong
  std::uint32_t networks = 16;  // to one of so many, 1..1000, by a hash of (seed, peer)
  std::uint32_t bridge_nodes = 0;  // 0..1000 random peers that everybody can still talk to

  // ---- Peers.
  double crashes_per_s = 0;               // 0..1000: a peer dies and comes back
  Duration down = Duration::Seconds(20);  // mean, 1 ms..24 h
  double forget_share = 0;                // of them come back without any state and join anew
  double rollback_share = 0;              // come back with the state they had at some time
  Duration rollback_age = Duration::Seconds(30);  // before the crash, mean, 1 ms..24 h; all others
                                                  // come back with their last state
  double pauses_per_s = 0;  // 0..1000: a peer stands still; what it gets meanwhile comes at once
  Duration pause = Duration::Seconds(60);        // longest; uniform from 0; 1 ms..1 h
  double skew_share = 0;                         // of peers whose clock is wrong:
  Duration skew_offset = Duration::Minutes(10);  // ahead by up to this, 0..10 days,
  double skew_drift = 0.01;  // and too fast or too slow by up to this share, 0..0.5
  // 0..1000: a clock leaps ahead, as that of a machine that was suspended. Never back: the core's
  // contract is monotonic time. A peer's leaps stop at kMostLeap in all.
  double clock_jumps_per_s = 0;
  Duration clock_jump = Duration::Minutes(1);  // longest; uniform from 0; 1 ms..24 h
  double mass_joins_per_s = 0;                 // 0..1000: many join at once
  double mass_leaves_per_s = 0;                // 0..1000: many say goodbye at once
  double mass_share = 0.1;                     // so many of the live peers, 0..1
  // Day and night, from `start` on: masses join in the first half of each such period alone, and
  // leave in the second; 1 ms..10 days, or 0 = at any time.
  Duration wave;
  // Peers that take so many messages per second; what comes faster waits in order, up to
  // kMostUnread messages. Links stay up.
  double slow_reader_share = 0;
  double read_per_s = 20;  // 0.1..100,000

  // ---- Peers that break the rules (what they are is decided outside the core).
  double liar_share = 0;          // their answers name wrong contacts
  double lie_share = 1;           // so many of the contacts they name
  double false_digest_share = 0;  // say that others than those who are it are their island
  double dropper_share = 0;       // acknowledge messages to forward, and drop them
  double flooder_share = 0;       // send requests without sense
  double flood_per_s = 100;       // each, 0..100,000

  // The first broken rule, naming key, value and allowed range; nullopt if all is well.
  std::optional<std::string> Validate() const;

  bool acts_on_messages() const {
    return drop > 0 || delay > 0 || duplicate > 0 || reorder > 0 || corrupt > 0;
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(start, end, drop, delay, delay_mean, delay_shape, duplicate, reorder, spread, corrupt,
            flaps_per_s, flap_cycles, flap_down, flap_up, clogs_per_s, clog, swizzles_per_s,
            swizzle_spacing, half_opens_per_s, resets_per_s, rebinds_per_s, squeeze_share,
            squeeze_factor);
    archive(partitions_per_s, partition, partition_islands, asymmetric_share, isolate_share,
            network_share, networks, bridge_nodes, crashes_per_s, down, forget_share,
            rollback_share, rollback_age, pauses_per_s, pause, skew_share, skew_offset, skew_drift,
            clock_jumps_per_s, clock_jump, mass_joins_per_s, mass_leaves_per_s, mass_share, wave,
            slow_reader_share, read_per_s);
    archive(liar_share, lie_share, false_digest_share, dropper_share, flooder_share, flood_per_s);
  }
};

// What was injected, as the metrics count it.
enum class Injected : std::uint8_t {
  kDropped,       // messages
  kDelayed,       // messages
  kDuplicated,    // messages
  kReordered,     // messages
  kCorrupted,     // messages
  kClogged,       // messages that waited
  kFlaps,         // links that went down
  kClogs,         // links, those of a swizzle included
  kPartitions,    // isolations included
  kRestarts,      // peers that came back with their last state
  kForgetful,     // peers that came back without any
  kRollbacks,     // peers that came back with an older one
  kPauses,        // peers
  kMassJoins,     // peers that joined in masses
  kMassLeaves,    // peers that left in masses
  kLies,          // wrong contacts in messages
  kSwallowed,     // messages to forward that droppers kept
  kFloods,        // requests without sense
  kHalfOpens,     // links, those of a peer with a new address included
  kResets,        // links
  kRebinds,       // peers
  kUnheard,       // messages over half-open links, or under way over links that were lost
  kNetworkCuts,   // partitions of this kind
  kClockJumps,    // peers
  kReadLate,      // messages that waited for a slow reader
  kUnread,        // messages that found no room to wait
  kFalseDigests,  // sketches
  kCount,
};
inline constexpr std::size_t kInjectedKinds = static_cast<std::size_t>(Injected::kCount);
inline constexpr std::array<std::string_view, kInjectedKinds> kInjectedNames = {
    "dropped",    "delayed",    "duplicated",   "reordered", "corrupted",    "clogged",
    "flaps",      "clogs",      "partitions",   "restarts",  "forgetful",    "rollbacks",
    "pauses",     "mass_joins", "mass_leaves",  "lies",      "swallowed",    "floods",
    "half_opens", "resets",     "rebinds",      "unheard",   "network_cuts", "clock_jumps",
    "read_late",  "unread",     "false_digests"};

}  // namespace tombolo::sim
