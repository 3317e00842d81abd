// A host of whole peers in virtual time, small enough to be obviously right. Links need no set-up:
// every message to a peer that is up arrives, later by a delay that follows from the two ids. Ties
// are broken by sending order and by id, so that nothing depends on how refs were given out.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/peer.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {

class ToyOverlay {
 public:
  struct Sent {
    Time at;
    PeerRef from;
    PeerRef to;
    Message message;
  };
  struct Happened {
    Time at;
    PeerRef peer;
    Event event;
  };

  ToyOverlay() {
    config.table.k = 4;
    config.links.max_links = 0;
    config.links.reserved = 0;
  }

  // Refs are given out in the order of the calls. The seed of a peer follows from its id.
  PeerRef AddPeer(const NodeId& id, PeerAttributes attributes = {}) {
    const PeerRef peer = ids.Add(id, attributes);
    peers.emplace_back(peer, id, Mix64(id.prefix64()));
    up.push_back(true);
    by_id_[id] = peer;
    return peer;
  }
  Peer& at(PeerRef peer) { return peers[Index(peer)]; }
  PeerRef RefOf(const NodeId& id) const { return by_id_.at(id); }
  Step step() { return {now, config, ids, lists, out}; }

  void Execute(PeerRef peer, const Command& command) {
    at(peer).Execute(command, step());
    Settle(peer);
  }
  void Join(PeerRef peer, const std::vector<PeerRef>& bootstrap) {
    const ListHandle list = lists.Add(bootstrap);
    Execute(peer, tombolo::Join{list});
    lists.Release(list);
  }
  // As if `from` had sent it just in time to arrive now. A share of its payload passes to `to`.
  void Deliver(PeerRef from, PeerRef to, const Message& message) {
    at(to).Receive(from, message, step());
    Settle(to);
  }
  void Tick(PeerRef peer) {
    at(peer).Tick(step());
    Settle(peer);
  }

  // Processes what happens up to and including `end`.
  void RunUntil(Time end) {
    while (RunNext(end)) {
    }
    now = std::max(now, end);
  }
  void RunFor(Duration span) { RunUntil(now + span); }

  // `count` peers of random ids join one after the other through the first.
  void Grow(std::uint32_t count, std::uint64_t seed = 1) {
    Rng rng(seed);
    for (std::uint32_t i = 0; i < count; ++i) AddPeer(RandomId(rng));
    for (std::uint32_t i = 0; i < count; ++i) {
      Join(PeerRef{i}, i == 0 ? std::vector<PeerRef>() : std::vector<PeerRef>{PeerRef{0}});
      RunFor(Duration::Seconds(2));
    }
  }

  // Bytes of which a peer is about to get one share.
  Payload NewPayload() {
    shares_[next_handle_] = 1;
    return {next_handle_++, 10};
  }
  int shares() const {
    int sum = 0;
    for (const auto& [handle, count] : shares_) sum += count;
    return sum;
  }
  std::uint32_t dropped(DropReason reason) const {
    return drops_[static_cast<std::size_t>(reason)];
  }

  template <class E>
  std::vector<E> EventsOf(PeerRef peer) const {
    std::vector<E> found;
    for (const Happened& h : events) {
      if (const E* event = std::get_if<E>(&h.event); event != nullptr && h.peer == peer) {
        found.push_back(*event);
      }
    }
    return found;
  }
  // What `from` sent of one kind since the log was cleared.
  template <class M>
  std::vector<Sent> SentBy(PeerRef from) const {
    std::vector<Sent> found;
    for (const Sent& sent : log) {
      if (sent.from == from && std::holds_alternative<M>(sent.message)) found.push_back(sent);
    }
    return found;
  }

  // The result of the last lookup of `peer`, which must have ended.
  std::vector<PeerRef> LookUp(PeerRef peer, const NodeId& target) {
    Execute(peer, Lookup{99, target});
    RunFor(Duration::Seconds(20));
    return results.empty() ? std::vector<PeerRef>() : results.back();
  }
  // The true k closest peers that are up, without `except`.
  std::vector<PeerRef> Truth(const NodeId& target, PeerRef except) const {
    std::vector<PeerRef> live;
    for (std::uint32_t i = 0; i < peers.size(); ++i) {
      if (up[i] && PeerRef{i} != except) live.push_back(PeerRef{i});
    }
    return DumbClosest(live, target, static_cast<std::size_t>(config.table.k), ids);
  }

  Config config;
  Directory ids;
  std::vector<Peer> peers;
  std::vector<bool> up;
  ContactLists lists;
  Outbox out;
  Time now;
  std::vector<Sent> log;
  std::vector<std::string> trace;  // the log in terms of ids
  std::vector<Happened> events;
  std::vector<std::vector<PeerRef>> results;  // of lookups, in the order in which they ended

 private:
  Duration Delay(PeerRef a, PeerRef b) const {
    const std::uint64_t mixed = Mix64(ids.id(a).prefix64() ^ ids.id(b).prefix64());
    return Duration::Milliseconds(10) + Duration{static_cast<std::int64_t>(mixed % 5000)};
  }

  bool RunNext(Time end) {
    PeerRef earliest = PeerRef::kNone;
    Time at_time = kNever;
    for (const auto& [id, peer] : by_id_) {
      if (!up[Index(peer)] || at(peer).next_deadline() >= at_time) continue;
      earliest = peer;
      at_time = at(peer).next_deadline();
    }
    const Time arrival = flights_.empty() ? kNever : flights_.begin()->first;
    if (std::min(arrival, at_time) > end) return false;
    if (arrival > at_time) {
      now = std::max(now, at_time);
      Tick(earliest);
      return true;
    }
    const Sent sent = flights_.begin()->second;
    flights_.erase(flights_.begin());
    now = arrival;
    if (up[Index(sent.to)]) {
      Deliver(sent.from, sent.to, sent.message);
    } else {
      GiveUp(PayloadOf(sent.message));
    }
    lists.Release(ListOf(sent.message));
    return true;
  }

  // A host's duties, in the order that outbox.h prescribes.
  void Settle(PeerRef peer) {
    for (const OutgoingMessage& sent : out.sends()) Carry({now, peer, sent.to, sent.message});
    for (const Payload& payload : out.shares()) ++shares_[payload.handle];
    for (const Event& event : out.events()) Tell(peer, event);
    for (const Payload& payload : out.releases()) GiveUp(payload);
    for (std::size_t i = 0; i < kDropReasons; ++i) drops_[i] += out.drops()[i];
    out.Clear();
  }

  void Carry(const Sent& sent) {
    log.push_back(sent);
    trace.push_back(Line(sent));
    if (!PayloadOf(sent.message).empty()) {
      EXPECT_GT(shares_[PayloadOf(sent.message).handle], 0) << "sent without a share";
      ++shares_[PayloadOf(sent.message).handle];
    }
    flights_.insert({now + Delay(sent.from, sent.to), sent});
  }

  std::string Line(const Sent& sent) const {
    std::string line = std::to_string(sent.at.us) + " " + ids.id(sent.from).ToHex() + " " +
                       ids.id(sent.to).ToHex() + " " +
                       std::string(kMessageNames[sent.message.index()]);
    for (const PeerRef peer : lists.Get(ListOf(sent.message))) line += " " + ids.id(peer).ToHex();
    return line;
  }

  void Tell(PeerRef peer, const Event& event) {
    events.push_back({now, peer, event});
    if (const LookupDone* done = std::get_if<LookupDone>(&event)) {
      const auto list = lists.Get(done->closest);
      results.emplace_back(list.begin(), list.end());
      lists.Release(done->closest);
    }
    if (const GetDone* done = std::get_if<GetDone>(&event); done != nullptr && done->found) {
      GiveUp(done->record.payload);
    }
  }

  void GiveUp(const Payload& payload) {
    if (payload.empty()) return;
    EXPECT_GT(shares_[payload.handle], 0) << "share of " << payload.handle << " given up twice";
    --shares_[payload.handle];
  }

  std::map<NodeId, PeerRef> by_id_;
  std::multimap<Time, Sent> flights_;
  std::map<std::uint32_t, int> shares_;
  std::uint32_t next_handle_ = 1;
  std::array<std::uint32_t, kDropReasons> drops_{};
};

}  // namespace tombolo
