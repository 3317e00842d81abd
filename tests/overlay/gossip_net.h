// A toy host for broadcasts: gossip parts alone, joined by links, in virtual time (toy_host.h).
// Messages may be lost, repeated and overtake each other.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/gossip.h"
#include "tests/overlay/toy_host.h"

namespace tombolo {

struct GossipToy {
  PeerRef ref = PeerRef::kNone;
  NodeId id;
  Rng rng;
  Gossip gossip;
  bool up = true;
  std::vector<BroadcastArrived> arrived;
  std::vector<Event> events;  // all others
  std::set<std::size_t> links;
};

struct GossipSent {
  std::size_t from;
  std::size_t to;
  Message message;
};

class GossipNet : public ToyHost<GossipToy, GossipSent> {
 public:
  using Toy = GossipToy;
  using Sent = GossipSent;

  explicit GossipNet(std::size_t peers, std::uint64_t seed = 1, std::vector<std::size_t> order = {})
      : ToyHost(peers, seed, std::move(order)) {}

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
    RunUntil(
        end, [&](std::size_t i) { return Deadline(i); },
        [&](std::size_t i) {
          toys[i].gossip.Tick(Part(i));
          Drain(i);
        },
        [&](const Sent& sent) { Arrive(sent); });
    now = end;
  }

  // Until nothing is kept any more.
  void RunDry() {
    RunFor(config.gossip.seen_ttl + config.gossip.compare_interval * 2);
    ExpectNoShares();
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

  // What a part wants done, in the order that outbox.h prescribes.
  void Drain(std::size_t i) {
    for (const OutgoingMessage& sent : out.sends()) Post({i, IndexOf(sent.to), sent.message});
    for (const Payload& payload : out.shares()) Share(payload, +1);
    for (const Event& event : out.events()) Tell(i, event);
    for (const Payload& payload : out.releases()) Share(payload, -1);
    CountDrops();
    out.Clear();
  }

  std::uint64_t jitter_us = 0;  // messages overtake each other
  std::vector<Sent> log;

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
      EXPECT_GT(shares_of(PayloadOf(sent.message)), 0) << "sent without a share";
    }
    if (!toys[sent.from].links.contains(sent.to) || rng_.Chance(loss)) return;
    Launch(sent);
    if (rng_.Chance(duplicate)) Launch(sent);
  }

  void Launch(const Sent& sent) {
    Share(PayloadOf(sent.message), +1);
    const std::uint64_t late = jitter_us == 0 ? 0 : rng_.Below64(jitter_us);
    const Time at = now + Duration::Milliseconds(50) + Duration{static_cast<std::int64_t>(late)};
    Fly(at, sent);
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
};

}  // namespace tombolo
