// A host of the lookups of one peer, in virtual time: what its tests share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "overlay/lookup.h"
#include "overlay/routing_table.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo::lookup_test {

inline constexpr Duration kTrip = Duration::Milliseconds(100);  // request and answer
inline constexpr PeerRef kAsker{0};

// The lookups of peer 0 in a network in virtual time, where every peer has a perfect table.
class LookupToy {
 public:
  explicit LookupToy(std::uint64_t seed, std::uint32_t peers = 300) : rng_(seed) {
    config.table.k = 8;
    for (std::uint32_t i = 0; i < peers; ++i) ids.Add(RandomId(rng_));
  }

  // After this the population is fixed.
  void BuildTables() {
    tables_.assign(ids.size(), RoutingTable());
    std::vector<PeerRef> order = Everyone();
    for (std::uint32_t i = 0; i < tables_.size(); ++i) {
      for (std::size_t j = order.size(); j-- > 1;) {
        std::swap(order[j], order[rng_.Below(static_cast<std::uint32_t>(j + 1))]);
      }
      const NodeId& owner = ids.id(PeerRef{i});
      for (const PeerRef peer : order) {
        const int level = CommonPrefixLength(owner, ids.id(peer));
        if (level < kIdBits) tables_[i].Seen(peer, level, config.table, ids);
      }
    }
  }

  bool Start(LookupPurpose purpose, const NodeId& target, std::uint32_t request = 1) {
    if (tables_.empty()) BuildTables();
    return StartFrom(purpose, target, ClosestOf(kAsker, target), request);
  }
  bool StartFrom(LookupPurpose purpose, const NodeId& target, const std::vector<PeerRef>& contacts,
                 std::uint32_t request = 1) {
    const bool started = lookups.Start({purpose, request, target}, contacts, step());
    Pump();
    return started;
  }

  // Answers, silence and time-outs, until nothing is in flight.
  void Run() {
    while (Next() != kNever) RunOne();
  }
  Time Next() const {
    const Time answer = answers_.empty() ? kNever : answers_.begin()->first;
    return std::min(answer, in_flight_.empty() ? kNever : lookups.next_deadline());
  }
  void RunOne() {
    now = Next();
    if (!answers_.empty() && answers_.begin()->first == now) {
      const Question question = answers_.begin()->second;
      answers_.erase(answers_.begin());
      in_flight_.erase(question.to);
      Answer(question);
    } else {
      std::erase_if(in_flight_, [&](const auto& request) { return request.second <= now; });
      lookups.OnTimer(step(), silent);
    }
    Pump();
  }

  // Runs one lookup to its end.
  LookupState Find(LookupPurpose purpose, const NodeId& target) {
    EXPECT_TRUE(Start(purpose, target));
    Run();
    LookupState done;
    EXPECT_TRUE(lookups.TakeFinished(done));
    return done;
  }

  std::vector<PeerRef> Everyone() const {
    std::vector<PeerRef> all;
    for (std::uint32_t i = 0; i < ids.size(); ++i) all.push_back(PeerRef{i});
    return all;
  }
  // The true k closest live peers, without the asker.
  std::vector<PeerRef> Truth(const NodeId& target) const {
    std::vector<PeerRef> live = Everyone();
    std::erase_if(live, [&](PeerRef peer) { return peer == kAsker || dead.count(peer) > 0; });
    return DumbClosest(live, target, static_cast<std::size_t>(config.table.k), ids);
  }
  NodeId RandomTarget() { return RandomId(rng_); }
  void KillShare(std::uint32_t percent) {
    for (const PeerRef peer : Everyone()) {
      if (peer != kAsker && rng_.Below(100) < percent) dead.insert(peer);
    }
  }
  std::uint32_t drops() const {
    return out.drops()[static_cast<std::size_t>(DropReason::kUnknownRpc)];
  }
  PartStep step() { return {{now, config, ids, lists, out}, kAsker, ids.id(kAsker), rng_}; }

  // The answer of a peer with these contacts, from whomever, whenever.
  bool AnswerNodes(PeerRef from, std::uint32_t rpc, const std::vector<PeerRef>& contacts) {
    const ListHandle list = lists.Add(contacts);
    const bool taken = lookups.OnNodes(from, {rpc, list}, step());
    lists.Release(list);
    return taken;
  }

  Config config;
  Directory ids;
  ContactLists lists;
  Outbox out;
  Time now;
  Lookups lookups;
  std::set<PeerRef> dead;
  std::map<PeerRef, std::uint64_t> holders;  // sequence of the record that they hold
  std::map<PeerRef, int> asked;
  std::vector<PeerRef> silent;
  std::vector<std::uint32_t> got;  // requests that a value answered
  std::size_t most_in_flight = 0;
  std::uint32_t last_rpc = 0;

 private:
  struct Question {
    PeerRef to;
    std::uint32_t rpc;
    NodeId target;
    std::uint32_t more;
  };

  std::vector<PeerRef> ClosestOf(PeerRef peer, const NodeId& target, std::uint32_t more = 0) const {
    std::vector<PeerRef> closest(static_cast<std::size_t>(config.table.k) + more);
    closest.resize(
        tables_[Index(peer)].Closest(ids.id(peer), target, closest.size(), ids, closest));
    return closest;
  }

  void Answer(const Question& question) {
    const auto& [to, rpc, target, more] = question;
    const auto held = holders.find(to);
    if (held == holders.end()) {
      EXPECT_TRUE(AnswerNodes(to, rpc, ClosestOf(to, target, more)));
      return;
    }
    const auto request = lookups.OnValue(to, {rpc, {target, {}, held->second, kTrip}}, step());
    ASSERT_TRUE(request);
    got.push_back(*request);
  }

  void Pump() {
    for (const OutgoingMessage& sent : out.sends()) {
      const FindNode* find = std::get_if<FindNode>(&sent.message);
      const FindValue* get = std::get_if<FindValue>(&sent.message);
      ASSERT_TRUE(find != nullptr || get != nullptr);
      last_rpc = find != nullptr ? find->rpc : get->rpc;
      ++asked[sent.to];
      in_flight_[sent.to] = now + config.lookup.rpc_timeout;
      if (dead.count(sent.to) > 0) continue;
      answers_.insert({now + kTrip, find != nullptr
                                        ? Question{sent.to, last_rpc, find->target, find->more}
                                        : Question{sent.to, last_rpc, get->key, 0}});
    }
    most_in_flight = std::max(most_in_flight, in_flight_.size());
    const std::uint32_t dropped = drops();
    out.Clear();
    for (std::uint32_t i = 0; i < dropped; ++i) out.Drop(DropReason::kUnknownRpc);
  }

  Rng rng_;
  std::vector<RoutingTable> tables_;
  std::multimap<Time, Question> answers_;
  std::map<PeerRef, Time> in_flight_;
};

}  // namespace tombolo::lookup_test
