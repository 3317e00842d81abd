// What the hosts of parts have in common: peers with ids in order, virtual time, what is in the
// air, and the shares of every payload, which it counts and fails on a wrong release.
//
// A Toy is a peer: `ref`, `id`, `rng`, `up`. A Flight is whatever arrives somewhere later.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "overlay/config.h"
#include "overlay/directory.h"
#include "overlay/outbox.h"
#include "overlay/rng.h"
#include "overlay/step.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {

template <class Toy, class Flight>
class ToyHost {
 public:
  // Peer i has the i-th smallest id; `order` says which ref it gets.
  ToyHost(std::size_t peers, std::uint64_t seed, std::vector<std::size_t> order)
      : toys(peers), rng_(Rng::Split(seed, 1)) {
    if (order.empty()) {
      order.resize(peers);
      std::iota(order.begin(), order.end(), std::size_t{0});
    }
    std::vector<NodeId> ids(peers);
    Rng id_rng = Rng::Split(seed, 0);
    for (NodeId& id : ids) id = RandomId(id_rng);
    std::sort(ids.begin(), ids.end());
    std::vector<std::size_t> by_ref(peers);
    for (std::size_t i = 0; i < peers; ++i) by_ref[order[i]] = i;
    index_of_.resize(peers);
    for (const std::size_t i : by_ref) {
      toys[i].ref = directory.Add(ids[i]);
      toys[i].id = ids[i];
      toys[i].rng = Rng::Split(seed, 100 + i);
      index_of_[Index(toys[i].ref)] = i;
    }
  }

  std::size_t IndexOf(PeerRef ref) const { return index_of_[Index(ref)]; }

  PartStep Part(std::size_t i) {
    return PartStep{{now, config, directory, lists, out}, toys[i].ref, toys[i].id, toys[i].rng};
  }

  Payload NewPayload(std::uint32_t bytes = 100) {
    shares_.push_back(1);
    return {static_cast<std::uint32_t>(shares_.size() - 1), bytes};
  }
  int shares_of(const Payload& payload) const { return shares_[payload.handle]; }

  std::uint32_t dropped(DropReason reason) const { return drops[static_cast<std::size_t>(reason)]; }

  Config config;
  Directory directory;
  ContactLists lists;
  Outbox out;
  Time now;
  std::vector<Toy> toys;
  std::uint64_t loss = 0;       // parts of 2^32, of every message
  std::uint64_t duplicate = 0;  // likewise: arrives a second time, later
  std::array<std::uint32_t, kDropReasons> drops{};

 protected:
  // Arrivals and timers in order of time, arrivals first, up to `end`. deadline(i) is that of a
  // peer; tick(i) must change it.
  template <class Deadline, class Tick, class Arrive>
  void RunUntil(Time end, const Deadline& deadline, const Tick& tick, const Arrive& arrive) {
    while (true) {
      const Time flight = flights_.empty() ? kNever : flights_.begin()->first.first;
      std::size_t due = 0;
      for (std::size_t i = 1; i < toys.size(); ++i) {
        if (deadline(i) < deadline(due)) due = i;
      }
      const Time timer = deadline(due);
      const Time next = std::min(flight, timer);
      if (next > end || next == kNever) return;
      now = std::max(now, next);
      if (flight <= timer) {
        const Flight arrived = flights_.begin()->second;
        flights_.erase(flights_.begin());
        arrive(arrived);
      } else {
        tick(due);
        EXPECT_GT(deadline(due), timer) << "a timer that does not go away";
      }
    }
  }

  void Fly(Time at, const Flight& flight) { flights_.emplace(std::pair(at, sequence_++), flight); }

  void Share(const Payload& payload, int change) {
    if (payload.empty()) return;
    shares_[payload.handle] += change;
    EXPECT_GE(shares_[payload.handle], 0) << "payload " << payload.handle << " released too often";
  }
  void ExpectNoShares() const {
    for (std::size_t i = 0; i < shares_.size(); ++i) EXPECT_EQ(shares_[i], 0) << "payload " << i;
  }

  void CountDrops() {
    for (std::size_t reason = 0; reason < kDropReasons; ++reason)
      drops[reason] += out.drops()[reason];
  }

  Rng rng_;

 private:
  std::vector<std::size_t> index_of_;
  std::vector<int> shares_;
  std::map<std::pair<Time, std::uint64_t>, Flight> flights_;
  std::uint64_t sequence_ = 0;
};

}  // namespace tombolo
