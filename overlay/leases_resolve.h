// Clients that this peer is looking for. Peer runs the lookup of each and reports here what it
// finds; the newest lease seen is the answer, whichever holder it came from.
//
// A lookup ends when resolve_quorum holders have answered with a lease, or when the k closest peers
// have none more. A client that has moved is found at once if one of the holders asked has heard
// of it: a home says ClientAttached only after all of them have.
//
// Bounds: kMaxResolves under way; more end at once, not found, and count as kOverload. Thread rule:
// one caller at a time.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <optional>
#include <vector>

#include "overlay/command.h"
#include "overlay/event.h"
#include "overlay/leases_held.h"
#include "overlay/node_id.h"
#include "overlay/step.h"

namespace tombolo {

class Resolves {
 public:
  static constexpr std::size_t kMaxResolves = 256;

  // The number of the operation; nullopt if it has ended already.
  std::optional<std::uint32_t> Begin(const ResolveClient& resolve, const PartStep& step) {
    auto slot = std::ranges::find(slots_, false, &Slot::active);
    if (slot == slots_.end() && slots_.size() >= kMaxResolves) {
      step.out.Drop(DropReason::kOverload);
      step.out.Notify(ClientResolved{.request = resolve.request,
                                     .found = false,
                                     .hops = 0,
                                     .messages = 0,
                                     .home = PeerRef::kNone,
                                     .client = resolve.client,
                                     .sequence = 0,
                                     .started = step.now});
      return std::nullopt;
    }
    if (slot == slots_.end()) slot = slots_.insert(slots_.end(), Slot());
    *slot = {resolve.client, step.now, {}, resolve.request, true};
    ++active_;
    return static_cast<std::uint32_t>(slot - slots_.begin());
  }

  // Requires an operation under way, here and below.
  void OnFound(std::uint32_t operation, const LeaseAt& lease, const PartStep& step) {
    LeaseAt& best = slots_[operation].best;
    const bool newer =
        best.home == PeerRef::kNone || lease.sequence > best.sequence ||
        (lease.sequence == best.sequence && step.ids.id(lease.home) > step.ids.id(best.home));
    if (newer) best = lease;
  }

  const NodeId& client(std::uint32_t operation) const { return slots_[operation].client; }

  // `here`: the client is attached to this very peer. Who is only said to be here has left.
  void End(std::uint32_t operation, bool here, std::uint16_t hops, std::uint16_t messages,
           const PartStep& step) {
    assert(slots_[operation].active);
    Slot& slot = slots_[operation];
    if (here) slot.best.home = step.self;
    const bool found = slot.best.home != PeerRef::kNone && (slot.best.home != step.self || here);
    step.out.Notify(ClientResolved{.request = slot.request,
                                   .found = found,
                                   .hops = hops,
                                   .messages = messages,
                                   .home = found ? slot.best.home : PeerRef::kNone,
                                   .client = slot.client,
                                   .sequence = slot.best.sequence,
                                   .started = slot.started});
    slot = Slot();
    --active_;
  }

  // Ends all without a result, as on departure.
  void EndAll(const PartStep& step) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (!slots_[i].active) continue;
      slots_[i].best = {};
      End(i, false, 0, 0, step);
    }
  }

  bool idle() const { return active_ == 0; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(slots_, active_);
    if constexpr (Archive::kReading) {
      const auto active = std::ranges::count(slots_, true, &Slot::active);
      if (active != static_cast<std::int64_t>(active_)) archive.Fail("resolves are miscounted");
    }
  }

 private:
  struct Slot {
    NodeId client;
    Time started;
    LeaseAt best;  // home kNone: nothing yet
    std::uint32_t request = 0;
    bool active = false;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(client, started, best.home, best.sequence, request, active);
    }
  };

  std::vector<Slot> slots_;
  std::uint32_t active_ = 0;
};

}  // namespace tombolo
