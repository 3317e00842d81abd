// Islands of peers that merge, made of the merge part alone: exact tables and rings, a network with
// delay and loss, virtual time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <queue>
#include <span>
#include <vector>

#include "overlay/merge.h"
#include "overlay/message.h"
#include "overlay/rng.h"
#include "overlay/step.h"

namespace tombolo {

class MergeWorld {
 public:
  static constexpr Duration kDelay = Duration::Milliseconds(50);

  struct Options {
    std::vector<std::uint32_t> islands = {64, 64};
    std::uint64_t seed = 1;
    int k = 8;
    std::uint64_t loss = 0;     // parts of 2^32, of every message
    std::uint64_t dead = 0;     // likewise: peers that died unnoticed
    std::uint64_t missing = 0;  // likewise: contacts that tables lack
    bool jitter = false;        // delays of .5 to 1.5 kDelay
  };

  struct Node {
    PeerRef ref = PeerRef::kNone;
    NodeId id;
    std::uint32_t island = 0;
    bool up = true;
    Rng rng;
    RoutingTable table;
    Neighbours ring;
    Merge merge;
    std::uint32_t received = 0;  // without acknowledgements
  };

  explicit MergeWorld(const Options& options) : options_(options), rng_(options.seed) {
    config.overlay = OverlayKind::kBoth;
    config.table.k = options.k;
    std::uint32_t total = 0;
    std::vector<std::uint32_t> of;
    for (std::uint32_t i = 0; i < options.islands.size(); ++i) {
      of.insert(of.end(), options.islands[i], i);
      total += options.islands[i];
    }
    for (std::size_t i = of.size(); i > 1; --i)
      std::swap(of[i - 1], of[rng_.Below(static_cast<std::uint32_t>(i))]);
    std::vector<NodeId> ids(total);
    for (NodeId& id : ids)
      for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(rng_.Next() >> 32);
    std::sort(ids.begin(), ids.end());
    nodes.resize(total);
    for (std::uint32_t i = 0; i < total; ++i) {
      nodes[i].ref = directory.Add(ids[i]);
      nodes[i].id = ids[i];
      nodes[i].island = of[i];
      nodes[i].up = !rng_.Chance(options.dead);
      nodes[i].rng = Rng::Split(options.seed, i);
    }
    for (std::uint32_t island = 0; island < options.islands.size(); ++island) BuildIsland(island);
  }

  PartStep Part(Node& node) {
    return {{now, config, directory, lists, out}, node.ref, node.id, node.rng};
  }
  MergeStep Step(Node& node) {
    return MergeStep{Part(node), node.table, node.ring, 1000 + node.island};
  }

  Node& at(PeerRef ref) { return nodes[Index(ref)]; }

  Node& RandomOf(std::uint32_t island) {
    while (true) {
      Node& node = nodes[rng_.Below(static_cast<std::uint32_t>(nodes.size()))];
      if (node.up && node.island == island) return node;
    }
  }

  void Introduce(Node& node, Node& other) {
    const MergeStep step = Step(node);
    node.merge.Begin(step);
    node.merge.Introduce(other.ref, step);
    Settle(node);
  }

  // `from` asks `node` as a refresh does, and names a peer.
  void Refresh(const Node& from, const Node& node, PeerRef named) {
    MergeRefresh refresh{};
    refresh.contacts = lists.Add({&named, 1});
    queue_.push({now + kDelay, sequence_++, Index(from.ref), Index(node.ref), false, refresh});
  }

  // Runs to `end` or until nothing is left to do.
  void RunUntil(Time end) {
    while (!queue_.empty() && queue_.top().at <= end) {
      const Flight flight = queue_.top();
      queue_.pop();
      now = flight.at;
      Node& node = nodes[flight.to];
      if (flight.timer) {
        if (node.merge.next_deadline() <= now && node.up) Tick(node);
      } else {
        Receive(node, flight);
      }
    }
    now = std::max(now, end);
  }

  // Live peers whose nearest live successor is not that of the world.
  std::uint32_t WrongNeighbours() const {
    std::vector<const Node*> live;
    for (const Node& node : nodes) {
      if (node.up) live.push_back(&node);
    }
    std::uint32_t wrong = 0;
    for (std::size_t i = 0; i < live.size(); ++i) {
      const Node& next = *live[(i + 1) % live.size()];
      if (FirstLive(live[i]->ring.successors()) != next.ref) ++wrong;
    }
    return wrong;
  }

  // Buckets without a live contact though the world has a peer for them.
  std::uint32_t FalseEmpty() const {
    std::uint32_t count = 0;
    std::vector<const Node*> live;
    for (const Node& node : nodes) {
      if (node.up) live.push_back(&node);
    }
    for (std::size_t i = 0; i < live.size(); ++i) {
      NodeId wanted{};  // bit l: somebody shares exactly l bits
      const auto note = [&](const Node& other) {
        const int level = CommonPrefixLength(live[i]->id, other.id);
        if (!wanted.bit(level)) wanted = wanted.WithFlippedBit(level);
      };
      // In order of ids the range that shares l bits is contiguous around i.
      std::size_t low = i;
      std::size_t high = i;
      while (low > 0 || high + 1 < live.size()) {
        const int left = low > 0 ? CommonPrefixLength(live[i]->id, live[low - 1]->id) : -1;
        const int right =
            high + 1 < live.size() ? CommonPrefixLength(live[i]->id, live[high + 1]->id) : -1;
        const bool down = left >= right;
        const int level = std::max(left, right);
        note(down ? *live[low - 1] : *live[high + 1]);
        // Skips the rest of that subtree.
        if (down) {
          low = Skip(live, i, low, level, true);
        } else {
          high = Skip(live, i, high, level, false);
        }
      }
      for (int level = 0; level < kIdBits; ++level) {
        if (!wanted.bit(level)) continue;
        const auto bucket = live[i]->table.live(level);
        if (std::none_of(bucket.begin(), bucket.end(),
                         [&](PeerRef peer) { return nodes[Index(peer)].up; })) {
          ++count;
        }
      }
    }
    return count;
  }

  template <class Kind>
  std::uint64_t Sent() const {
    return sent[Message(Kind{}).index()];
  }
  std::uint64_t ZipSent() const {
    return Sent<MergeSync>() + Sent<MergeSyncReply>() + Sent<MergeBridge>() + Sent<MergeFill>();
  }
  std::uint64_t RingSent() const { return Sent<MergeLookup>() + Sent<MergeMeet>(); }
  std::uint64_t RefreshSent() const { return Sent<MergeRefresh>() + Sent<MergeRefreshed>(); }
  std::uint32_t Busiest() const {
    std::uint32_t most = 0;
    for (const Node& node : nodes) most = std::max(most, node.received);
    return most;
  }

  Config config;
  Directory directory;
  ContactLists lists;
  Outbox out;
  Time now;
  std::vector<Node> nodes;   // in order of ids
  std::uint32_t mute = ~0U;  // island whose messages are lost, all of them
  std::array<std::uint64_t, kMessageKinds> sent{};
  std::array<std::uint64_t, kDropReasons> drops{};

 private:
  struct Flight {
    Time at;
    std::uint64_t sequence = 0;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    bool timer = false;
    Message message;

    bool operator<(const Flight& other) const {
      if (at != other.at) return at > other.at;
      if (timer != other.timer) return timer;
      return sequence > other.sequence;
    }
  };

  // Of the peers in id order: where the run of those that share exactly `level` bits with live[i]
  // ends, going away from it.
  static std::size_t Skip(const std::vector<const Node*>& live, std::size_t i, std::size_t from,
                          int level, bool down) {
    std::size_t at = from;
    std::size_t step = 1;
    const auto same = [&](std::size_t j) {
      return CommonPrefixLength(live[i]->id, live[j]->id) >= level;
    };
    while (step > 0) {  // gallop
      const bool fits = down ? at >= step : at + step < live.size();
      if (fits && same(down ? at - step : at + step)) {
        at = down ? at - step : at + step;
        step *= 2;
      } else {
        step /= 2;
      }
    }
    return at;
  }

  PeerRef FirstLive(std::span<const PeerRef> side) const {
    for (const PeerRef peer : side) {
      if (nodes[Index(peer)].up) return peer;
    }
    return PeerRef::kNone;
  }

  void BuildIsland(std::uint32_t island) {
    std::vector<std::uint32_t> members;
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].island == island) members.push_back(i);
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
      Node& node = nodes[members[i]];
      const PartStep part = Part(node);
      const std::size_t reach = std::min<std::size_t>(members.size() - 1, 16);
      for (std::size_t j = 1; j <= reach; ++j) {
        node.ring.Learn(nodes[members[(i + j) % members.size()]].ref, part);
        node.ring.Learn(nodes[members[(i + members.size() - j) % members.size()]].ref, part);
      }
    }
    FillTables(members, 0, {});
  }

  // `siblings[l]`: the members that share exactly l bits with all of `members`.
  void FillTables(const std::vector<std::uint32_t>& members, int level,
                  std::vector<std::vector<std::uint32_t>> siblings) {
    if (members.empty()) return;
    if (members.size() == 1) {
      Node& node = nodes[members[0]];
      for (std::size_t l = 0; l < siblings.size(); ++l) {
        std::vector<std::uint32_t>& from = siblings[l];
        const std::size_t count =
            std::min<std::size_t>(from.size(), static_cast<std::size_t>(options_.k));
        for (std::size_t i = 0; i < count; ++i) {
          std::swap(from[i], from[i + rng_.Below(static_cast<std::uint32_t>(from.size() - i))]);
          if (rng_.Chance(options_.missing)) continue;
          node.table.Seen(nodes[from[i]].ref, static_cast<int>(l), config.table, directory);
        }
      }
      return;
    }
    std::array<std::vector<std::uint32_t>, 2> halves;
    for (const std::uint32_t member : members)
      halves[nodes[member].id.bit(level)].push_back(member);
    for (int half : {0, 1}) {
      siblings.push_back(halves[static_cast<std::size_t>(1 - half)]);
      FillTables(halves[static_cast<std::size_t>(half)], level + 1, siblings);
      siblings.pop_back();
    }
  }

  void Receive(Node& node, const Flight& flight) {
    if (node.up) {
      if (!std::holds_alternative<MergeAck>(flight.message)) ++node.received;
      const MergeStep step = Step(node);
      const PeerRef from = nodes[flight.from].ref;
      node.merge.Begin(step);
      node.merge.Heard(from);
      std::visit(
          [&](const auto& body) {
            if constexpr (requires { node.merge.On(from, body, step); })
              node.merge.On(from, body, step);
          },
          flight.message);
      node.ring.Learn(from, step);
      node.table.Seen(from, CommonPrefixLength(node.id, nodes[flight.from].id), config.table,
                      directory);
    }
    lists.Release(ListOf(flight.message));
    if (node.up) Settle(node);
  }

  void Tick(Node& node) {
    std::vector<PeerRef> dead;
    node.merge.Tick(Step(node), dead);
    for (const PeerRef peer : dead) {
      node.table.Failed(peer, CommonPrefixLength(node.id, directory.id(peer)));
      node.ring.Forget(peer);
    }
    Settle(node);
  }

  void Settle(Node& node) {
    node.merge.Announce(Step(node));
    for (const OutgoingMessage& message : out.sends()) {
      ++sent[message.message.index()];
      if (node.island == mute || rng_.Chance(options_.loss)) {
        lists.Release(ListOf(message.message));
        continue;
      }
      Duration delay = kDelay;
      if (options_.jitter)
        delay = kDelay / 2 + Duration{static_cast<std::int64_t>(
                                 rng_.Below64(static_cast<std::uint64_t>(kDelay.us)))};
      queue_.push(
          {now + delay, sequence_++, Index(node.ref), Index(message.to), false, message.message});
    }
    for (std::size_t i = 0; i < kDropReasons; ++i) drops[i] += out.drops()[i];
    out.Clear();
    if (node.merge.next_deadline() != kNever)
      queue_.push(
          {std::max(node.merge.next_deadline(), now), sequence_++, 0, Index(node.ref), true, {}});
  }

  Options options_;
  Rng rng_;
  std::priority_queue<Flight> queue_;
  std::uint64_t sequence_ = 0;
};

}  // namespace tombolo
