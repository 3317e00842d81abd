// The faults of a world that are functions of a message, a peer or the time: which message is hit,
// who breaks the rules, which links are clogged, who stands still, and what a wrong clock shows.
//
// The world asks and carries out. What happens to a message is a hash of (seed, sender, sender's
// sequence), what a peer is one of (seed, peer); the world's actions draw from a generator of their
// own, so that faults shift no other random choice.
//
// Bounds: kMostClogs clogged pairs and half-open links at once (further ones are not begun), and
// kMostBreaks of lost ones remembered, a minute each; 16 bytes per peer once a peer has paused, 8
// once a clock has leapt or a slow reader has read. Ownership: a value. Thread rule: one caller at
// a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/rng.h"
#include "overlay/time.h"
#include "sim/faults.h"

namespace tombolo::sim {

// What the faults do to one message.
struct Fate {
  bool dropped = false;
  bool corrupted = false;
  bool delayed = false;
  bool reordered = false;
  bool duplicated = false;
  Duration extra;       // longer on its way
  Duration copy_extra;  // likewise its second copy
};

// What happens to the world at a rate.
enum class FaultRate : std::uint8_t {
  kFlap,
  kClog,
  kSwizzle,
  kPartition,
  kCrash,
  kPause,
  kMassJoin,
  kMassLeave,
  kHalfOpen,
  kReset,
  kRebind,
  kClockJump,
};
inline constexpr std::uint32_t kFaultRates = 12;

class FaultInjector {
 public:
  FaultInjector() = default;
  FaultInjector(const FaultOptions& options, std::uint64_t seed);

  const FaultOptions& options() const { return options_; }
  Rng& rng() { return rng_; }
  bool IsActive(Time now) const {
    return now >= Time{options_.start.us} && now < Time{options_.end.us};
  }
  double RateOf(FaultRate rate) const;
  // False for a mass that the wave does not let join or leave now.
  bool IsTide(FaultRate rate, Time now) const;

  // ---- Messages.

  bool acts_on_messages() const { return on_messages_; }
  Fate FateOf(PeerRef from, std::uint32_t sequence, Time now) const;

  // ---- Clogged pairs.

  // True if a message may suffer anything at all.
  bool touches_messages() const { return on_messages_ || !clogs_.empty() || !half_opens_.empty(); }
  // How long a message between the two has to wait at `now`.
  Duration ClogWait(PeerRef a, PeerRef b, Time now) const {
    return clogs_.empty() ? Duration{0} : FindWait(a, b, now);
  }
  // False if too many are clogged.
  bool Clog(PeerRef a, PeerRef b, Time from, Time until, Time now);

  // ---- Links that are lost.

  // True if it may matter to whom something arrives, and when.
  bool touches_arrivals() const { return on_arrivals_; }
  // `holder` goes on believing in its link to `other`, which has lost it. `sequence`: the next one
  // of `other`, over another connection. False if too many do, or it does already.
  bool HalfOpen(PeerRef holder, PeerRef other, std::uint32_t sequence, Time now);
  bool IsHalfOpen(PeerRef holder, PeerRef other) const {
    return !half_opens_.empty() && FindHalfOpen(holder, other) != half_opens_.end();
  }
  // The sequence-th transmission of `other` has arrived: true if `holder` had to learn from it that
  // its link is an old one, and no longer believes in it.
  bool EndHalfOpen(PeerRef holder, PeerRef other, std::uint32_t sequence);
  // Ends those that `holder` has believed in since then or longer, and names the other ends.
  std::vector<PeerRef> EndHalfOpens(PeerRef holder, Time since);

  // What `from` has sent to `to` before its transmission of this sequence will not arrive.
  void Break(PeerRef from, PeerRef to, std::uint32_t sequence, Time now);
  bool IsBroken(PeerRef from, PeerRef to, std::uint32_t sequence) const;

  // ---- Peers.

  // True if what `peer` says must be looked at.
  bool Misleads(PeerRef peer, Time now) const {
    return odd_peers_ && (IsLiar(peer, now) || HasFalseDigest(peer, now));
  }
  bool HasFalseDigest(PeerRef peer, Time now) const {
    return Is(options_.false_digest_share, 7, peer, now);
  }
  // When `peer` takes a message that arrives now; kNever if too many wait.
  Time ReadTime(PeerRef peer, Time now);
  // The islands that peers of these numbers are in when the network of `peer` is cut off: 1 is it.
  std::vector<std::uint16_t> CutOff(PeerRef peer, std::uint32_t peers) const;

  bool IsLiar(PeerRef peer, Time now) const { return Is(options_.liar_share, 1, peer, now); }
  bool IsDropper(PeerRef peer, Time now) const { return Is(options_.dropper_share, 2, peer, now); }
  bool IsFlooder(PeerRef peer) const { return Drawn(options_.flooder_share, 3, peer); }
  // By how much the uplink of `peer` is slower than it should be.
  std::uint32_t SqueezeOf(PeerRef peer, Time now) const {
    return Is(options_.squeeze_share, 4, peer, now) ? options_.squeeze_factor : 1;
  }

  // The time that the clock of `peer` shows, and when it will show `local` or more.
  Time LocalTime(PeerRef peer, Time host) const { return odd_clocks_ ? Skewed(peer, host) : host; }
  Time HostTime(PeerRef peer, Time local) const {
    return odd_clocks_ ? Unskewed(peer, local) : local;
  }
  // The clock of `peer` leaps ahead.
  void Leap(PeerRef peer, Duration span);

  // `peer` stands still until then.
  void Pause(PeerRef peer, Time from, Time until);
  bool IsPaused(PeerRef peer, Time now) const {
    return Index(peer) < pauses_.size() && now < pauses_[Index(peer)].until;
  }
  Time paused_until(PeerRef peer) const { return pauses_[Index(peer)].until; }
  Time paused_from(PeerRef peer) const { return pauses_[Index(peer)].from; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(options_, seed_, rng_, clogs_, pauses_, half_opens_, breaks_, leaps_, read_at_);
    if constexpr (Archive::kReading) Prepare();
  }

 private:
  struct Clogged {
    std::uint64_t pair;
    Time from;
    Time until;
  };
  struct Standstill {
    Time from;
    Time until;
  };
  // A clock that shows offset + (1 + drift) * time.
  struct Clock {
    Duration offset;
    std::int64_t drift_ppm = 0;
  };

  struct HalfOpened {
    std::uint64_t path;  // from the holder to the other end
    Time since;
    std::uint32_t sequence = 0;
  };
  struct Broken {
    std::uint64_t path;
    Time at;
    std::uint32_t sequence = 0;
  };

  std::vector<HalfOpened>::const_iterator FindHalfOpen(PeerRef holder, PeerRef other) const;
  std::uint32_t NetworkOf(PeerRef peer) const;
  static bool BeforePair(const Clogged& clog, std::uint64_t pair) { return clog.pair < pair; }
  void Prepare();
  Duration FindWait(PeerRef a, PeerRef b, Time now) const;
  Duration DrawDelay(Rng& rng) const;
  bool Drawn(double share, std::uint64_t stream, PeerRef peer) const;
  bool Is(double share, std::uint64_t stream, PeerRef peer, Time now) const {
    return odd_peers_ && share > 0 && IsActive(now) && Drawn(share, stream, peer);
  }
  Clock ClockOf(PeerRef peer) const;
  Time Skewed(PeerRef peer, Time host) const;
  Time Unskewed(PeerRef peer, Time local) const;

  FaultOptions options_;
  std::uint64_t seed_ = 0;
  Rng rng_;
  bool on_messages_ = false;
  bool on_arrivals_ = false;
  bool odd_peers_ = false;  // some lie, drop or are slow
  bool odd_clocks_ = false;
  std::vector<Clogged> clogs_;          // by pair; those that are over go when the next one begins
  std::vector<Standstill> pauses_;      // the last one by peer
  std::vector<HalfOpened> half_opens_;  // by path
  std::vector<Broken> breaks_;          // by path, the last one of each
  std::vector<Duration> leaps_;         // in all, by peer
  std::vector<Time> read_at_;           // by slow reader: when it can take the next message
};

}  // namespace tombolo::sim
