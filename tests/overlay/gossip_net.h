// A toy host for broadcasts: gossip parts alone, joined by links, in virtual time. Messages may be
// lost, repeated and overtake each other. It counts the shares of every payload and fails on a
// wrong release.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/config.h"
#include "overlay/directory.h"
#include "overlay/gossip.h"
#include "overlay/step.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {

class GossipNet {
 public:
  struct Toy {
    PeerRef ref = PeerRef::kNone;
    NodeId id;
    Rng rng;
    Gossip gossip;
    bool up = true;
    std::vector<BroadcastArrived> arrived;
    std::vector<Event> events;  // all others
    std::set<std::size_t> links;
  };
  struct Sent {
    std::size_t from;
    std::size_t to;
    Message message;
  };

  // Peer i has the i-th smallest id; `order` says which ref it gets.
  explicit GossipNet(std::size_t peers, std::uint64_t seed = 1, std::vector<std::size_t> order = {})
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

  void Link(std::size_t a, std::size_t b) {
    if (a == b || !toys[a].links.insert(b).second) return;
    toys[b].links.insert(a);
    toys[a].gossip.OnLinkUp(toys[b].ref, Part(a));
    Drain(a);
    toys[b].gossip.OnLinkUp(toys[a].ref, Part(b));
    Drain(b);
  }

  void Unlink(std::size_t a, std::size_t b) {
    toys[a].links.erase(b);
    toys[b].links.erase(a);
    toys[a].gossip.OnLinkDown(toys[b].ref, Part(a));
    Drain(a);
    toys[b].gossip.OnLinkDown(toys[a].ref, Part(b));
    Drain(b);
  }

  // A ring, and `extra` links of every peer to random others.
  void LinkAtRandom(std::size_t extra) {
    for (std::size_t i = 0; i < toys.size(); ++i) {
      Link(i, (i + 1) % toys.size());
      for (std::size_t k = 0; k < extra; ++k) {
        Link(i, rng_.Below(static_cast<std::uint32_t>(toys.size())));
      }
    }
  }

  Payload NewPayload(std::uint32_t bytes = 100) {
    shares_.push_back(1);
    return {static_cast<std::uint32_t>(shares_.size() - 1), bytes};
  }

  tombolo::Broadcast Command(std::uint32_t request = 0) {
    tombolo::Broadcast command;
    command.request = request;
    command.payload = NewPayload();
    command.ttl = Duration::Minutes(2);
    return command;
  }

  void Broadcast(std::size_t from, const tombolo::Broadcast& command) {
    toys[from].gossip.Broadcast(command, Part(from));
    Drain(from);
  }
  void Broadcast(std::size_t from) { Broadcast(from, Command()); }

  void Inject(std::size_t from, std::size_t to, const Message& message) {
    Receive(to, toys[from].ref, message);
  }

  void CatchUp(std::size_t at, std::size_t with) {
    toys[at].gossip.CatchUpWith(toys[with].ref, Part(at));
    Drain(at);
  }

  void RunFor(Duration span) {
    const Time end = now + span;
    while (true) {
      const Time flight = flights_.empty() ? kNever : flights_.begin()->first.first;
      std::size_t due = 0;
      for (std::size_t i = 1; i < toys.size(); ++i) {
        if (Deadline(i) < Deadline(due)) due = i;
      }
      const Time next = std::min(flight, Deadline(due));
      if (next > end) break;
      now = std::max(now, next);
      if (flight <= Deadline(due)) {
        const Sent sent = flights_.begin()->second;
        flights_.erase(flights_.begin());
        Arrive(sent);
      } else {
        const Time before = Deadline(due);
        toys[due].gossip.Tick(Part(due));
        EXPECT_GT(Deadline(due), before) << "a timer that does not go away";
        Drain(due);
      }
    }
    now = end;
  }

  // Until nothing is kept any more.
  void RunDry() {
    RunFor(config.gossip.seen_ttl + config.gossip.compare_interval * 2);
    for (std::size_t i = 0; i < shares_.size(); ++i) EXPECT_EQ(shares_[i], 0) << "payload " << i;
    for (const Toy& toy : toys) EXPECT_TRUE(!toy.up || toy.gossip.kept().empty());
  }

  // Peers that are up and have handed `times` broadcasts to their application.
  std::size_t Having(std::size_t times) const {
    return static_cast<std::size_t>(std::count_if(toys.begin(), toys.end(), [&](const Toy& toy) {
      return toy.up && toy.arrived.size() == times;
    }));
  }

  template <class M>
  std::size_t Count() const {
    return static_cast<std::size_t>(std::count_if(log.begin(), log.end(), [](const Sent& sent) {
      return std::holds_alternative<M>(sent.message);
    }));
  }

  template <class E>
  std::vector<E> EventsOf(std::size_t peer) const {
    std::vector<E> found;
    for (const Event& event : toys[peer].events) {
      if (const E* body = std::get_if<E>(&event)) found.push_back(*body);
    }
    return found;
  }

  std::uint32_t dropped(DropReason reason) const { return drops[static_cast<std::size_t>(reason)]; }

  PartStep Part(std::size_t i) {
    return PartStep{{now, config, directory, lists, out}, toys[i].ref, toys[i].id, toys[i].rng};
  }

  // What a part wants done, in the order that outbox.h prescribes.
  void Drain(std::size_t i) {
    for (const OutgoingMessage& sent : out.sends()) Post({i, IndexOf(sent.to), sent.message});
    for (const Payload& payload : out.shares()) Share(payload, +1);
    for (const Event& event : out.events()) Tell(i, event);
    for (const Payload& payload : out.releases()) Share(payload, -1);
    for (std::size_t reason = 0; reason < kDropReasons; ++reason) {
      drops[reason] += out.drops()[reason];
    }
    out.Clear();
  }

  std::size_t IndexOf(PeerRef ref) const { return index_of_[Index(ref)]; }
  int shares_of(const Payload& payload) const { return shares_[payload.handle]; }

  Config config;
  Directory directory;
  ContactLists lists;
  Outbox out;
  Time now;
  std::vector<Toy> toys;
  std::uint64_t loss = 0;       // parts of 2^32, of every message
  std::uint64_t duplicate = 0;  // likewise: arrives a second time, later
  std::uint64_t jitter_us = 0;  // messages overtake each other
  std::vector<Sent> log;
  std::array<std::uint32_t, kDropReasons> drops{};

 private:
  Time Deadline(std::size_t i) const {
    return toys[i].up ? toys[i].gossip.next_deadline() : kNever;
  }

  void Tell(std::size_t i, const Event& event) {
    const BroadcastArrived* arrived = std::get_if<BroadcastArrived>(&event);
    if (arrived == nullptr) return toys[i].events.push_back(event);
    for (const BroadcastArrived& before : toys[i].arrived) {
      EXPECT_FALSE(before.origin == arrived->origin && before.sequence == arrived->sequence)
          << "handed over twice";
    }
    toys[i].arrived.push_back(*arrived);
    Share(arrived->payload, -1);
  }

  // Without a link, nothing.
  void Post(const Sent& sent) {
    log.push_back(sent);
    EXPECT_NE(sent.from, sent.to);
    if (!PayloadOf(sent.message).empty()) {
      EXPECT_GT(shares_[PayloadOf(sent.message).handle], 0) << "sent without a share";
    }
    if (!toys[sent.from].links.contains(sent.to) || rng_.Chance(loss)) return;
    Fly(sent);
    if (rng_.Chance(duplicate)) Fly(sent);
  }

  void Fly(const Sent& sent) {
    Share(PayloadOf(sent.message), +1);
    const std::uint64_t late = jitter_us == 0 ? 0 : rng_.Below64(jitter_us);
    const Time at = now + Duration::Milliseconds(50) + Duration{static_cast<std::int64_t>(late)};
    flights_.emplace(std::pair(at, sequence_++), sent);
  }

  void Arrive(const Sent& sent) {
    const bool linked = toys[sent.to].links.contains(sent.from);
    if (!toys[sent.to].up || !linked) return Share(PayloadOf(sent.message), -1);
    Receive(sent.to, toys[sent.from].ref, sent.message);
  }

  void Receive(std::size_t at, PeerRef from, const Message& message) {
    Gossip& gossip = toys[at].gossip;
    const PartStep part = Part(at);
    if (const auto* push = std::get_if<GossipPush>(&message)) gossip.OnPush(from, *push, part);
    if (const auto* have = std::get_if<GossipHave>(&message)) gossip.OnHave(from, *have, part);
    if (const auto* graft = std::get_if<GossipGraft>(&message)) gossip.OnGraft(from, *graft, part);
    if (const auto* prune = std::get_if<GossipPrune>(&message)) gossip.OnPrune(from, *prune, part);
    if (const auto* count = std::get_if<GossipCount>(&message)) gossip.OnCount(from, *count, part);
    Drain(at);
  }

  void Share(const Payload& payload, int change) {
    if (payload.empty()) return;
    shares_[payload.handle] += change;
    EXPECT_GE(shares_[payload.handle], 0) << "payload " << payload.handle << " released too often";
  }

  std::vector<std::size_t> index_of_;
  std::vector<int> shares_;
  std::map<std::pair<Time, std::uint64_t>, Sent> flights_;
  std::uint64_t sequence_ = 0;
  Rng rng_;
};

}  // namespace tombolo
