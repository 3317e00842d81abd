// Channel tables that talk to each other in virtual time, over a link or a relay that loses,
// repeats and delays what it carries, and applications that keep what they hear.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/channel_table.h"
#include "overlay/rng.h"
#include "tests/node/memory_network.h"

namespace tombolo::node {

// Bytes that tell where in the stream they are from.
inline std::string Pattern(std::size_t size, std::uint64_t seed = 1) {
  Rng rng(seed);
  std::string bytes;
  bytes.reserve(size + 8);
  while (bytes.size() < size) {
    const std::uint64_t word = rng.Next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

// The application at one end: sends `to_send`, keeps what comes.
class ChannelEnd final : public ChannelListener {
 public:
  explicit ChannelEnd(ChannelTable& owner) : table(owner) {}

  // The channel is there.
  ChannelListener* Begin(ChannelNumber its) {
    number = its;
    Pump();
    return this;
  }
  void Send(std::string bytes, bool finish) {
    to_send += bytes;
    finishes = finish;
    Pump();
  }
  void Pump() {
    if (number == ChannelNumber{}) return;
    sent += table.Write(number, std::string_view(to_send).substr(sent));
    if (finishes && sent == to_send.size()) table.Finish(number);
  }
  // What was held back while it was stalled.
  void Read() {
    stalled = false;
    table.Consume(number, std::exchange(unread, 0));
  }

  void OnAccepted(ChannelNumber) override { accepted = true; }
  void OnData(ChannelNumber, std::string bytes) override {
    EXPECT_FALSE(ended || over());
    got += bytes;
    unread += bytes.size();
    if (!stalled) Read();
  }
  void OnEnd(ChannelNumber) override {
    EXPECT_FALSE(std::exchange(ended, true));
    if (finishes_in_return) table.Finish(number);
  }
  void OnWritable(ChannelNumber) override {
    ++writables;
    Pump();
  }
  void OnReset(ChannelNumber, ResetReason why, const std::string& with) override {
    EXPECT_FALSE(over());
    reset = why;
    text = with;
  }
  void OnClosed(ChannelNumber) override {
    EXPECT_FALSE(over());
    closed = true;
  }
  bool over() const { return reset || closed; }

  ChannelTable& table;
  ChannelNumber number{};
  std::string to_send;
  std::size_t sent = 0;
  bool finishes = false;
  bool finishes_in_return = false;
  bool stalled = false;
  std::size_t unread = 0;
  std::string got;
  int writables = 0;
  bool accepted = false;
  bool ended = false;
  bool closed = false;
  std::optional<ResetReason> reset;
  std::string text;
};

class ChannelNet;

class ChannelNode final : public ChannelCarrier {
 public:
  ChannelNode(ChannelNet& owner, const NodeId& its_id, const ChannelOptions& options)
      : id(its_id), table(options, id, *this, its_id.words[0]), net_(owner) {}

  bool IsLinked(const NodeId&) const override;
  void CarryOverLink(const NodeId& remote, Segment segment) override { Carry(remote, segment); }
  void CarryRelayed(const NodeId& remote, const Segment& segment) override {
    ++relayed;
    Carry(remote, segment);
  }
  void WantFlush() override;
  void Arrive(const NodeId& from, const std::string& bytes);
  void ArmTimer();

  const NodeId id;
  ChannelTable table;
  std::uint64_t relayed = 0;

 private:
  void Carry(const NodeId& remote, const Segment& segment);

  ChannelNet& net_;
  bool flushing_ = false;
  Time armed_ = kNever;
};

class ChannelNet {
 public:
  explicit ChannelNet(std::uint64_t seed = 1) : rng(seed) {}

  ChannelNode& Add() {
    NodeId id;
    id.words[0] = static_cast<std::uint32_t>(nodes.size() + 1);
    nodes.push_back(std::make_unique<ChannelNode>(*this, id, options));
    return *nodes.back();
  }
  ChannelNode& at(std::size_t index) { return *nodes[index]; }

  // A channel from node 0 to service "s" of node 1, and its two ends.
  std::pair<ChannelEnd*, ChannelEnd*> Open() {
    while (nodes.size() < 2) Add();
    ends.push_back(std::make_unique<ChannelEnd>(at(0).table));
    ChannelEnd* here = ends.back().get();
    ends.push_back(std::make_unique<ChannelEnd>(at(1).table));
    ChannelEnd* there = ends.back().get();
    at(1).table.Withdraw("s");
    EXPECT_TRUE(at(1)
                    .table
                    .Accept("s", [there](ChannelNumber number,
                                         const NodeId&) { return there->Begin(number); })
                    .ok());
    const auto opened = at(0).table.Open(at(1).id, "s", *here);
    EXPECT_TRUE(opened.ok());
    if (opened.ok()) here->number = *opened;
    return {here, there};
  }
  // The link between the first two nodes comes or goes; what is under way on it is lost.
  void SetLinked(bool linked) {
    is_linked = linked;
    ++epoch;
    for (int side = 0; side < 2; ++side) {
      at(static_cast<std::size_t>(side))
          .table.PathChanged(at(static_cast<std::size_t>(1 - side)).id, linked, network.now());
      at(static_cast<std::size_t>(side)).ArmTimer();
    }
  }
  ChannelNode* Find(const NodeId& id) {
    for (const auto& node : nodes) {
      if (node->id == id) return node.get();
    }
    return nullptr;
  }
  // Per 1000 segments.
  bool Happens(std::uint32_t share) { return rng.Below(1000) < share; }

  MemoryNetwork network;
  Rng rng;
  ChannelOptions options;
  bool is_linked = true;
  std::uint64_t epoch = 0;  // of the link
  Duration delay = Duration::Milliseconds(10);
  Duration jitter;                                         // of the relay
  std::uint32_t lost = 0;                                  // per 1000, of what is relayed
  std::uint32_t repeated = 0;                              // likewise
  std::function<bool(const NodeId& to, Segment&)> filter;  // false: lost
  std::uint64_t carried_bytes = 0;
  std::vector<std::unique_ptr<ChannelNode>> nodes;
  std::vector<std::unique_ptr<ChannelEnd>> ends;
};

inline bool ChannelNode::IsLinked(const NodeId&) const { return net_.is_linked; }

inline void ChannelNode::WantFlush() {
  if (std::exchange(flushing_, true)) return;
  net_.network.At(net_.network.now(), [this] {
    flushing_ = false;
    table.Flush(net_.network.now());
    ArmTimer();
  });
}

inline void ChannelNode::ArmTimer() {
  const Time due = table.next_deadline();
  if (due == armed_) return;
  armed_ = due;
  if (due == kNever) return;
  net_.network.At(due, [this, due] {
    if (due != armed_) return;
    armed_ = kNever;
    table.Tick(net_.network.now());
    ArmTimer();
  });
}

inline void ChannelNode::Carry(const NodeId& remote, const Segment& given) {
  Segment segment = given;
  if (net_.filter && !net_.filter(remote, segment)) return;
  net_.carried_bytes += segment.data().size();
  const bool linked = net_.is_linked;
  const std::uint64_t epoch = net_.epoch;
  const auto travel = [&] {
    if (!linked && net_.Happens(net_.lost)) return;
    const auto jitter = static_cast<std::uint64_t>(linked ? 0 : net_.jitter.us);
    const Duration span =
        net_.delay + Duration{static_cast<std::int64_t>(net_.rng.Below64(jitter + 1))};
    net_.network.After(span, [this, remote, linked, epoch, bytes = segment.SerializeAsString()] {
      ChannelNode* other = net_.Find(remote);
      if (other != nullptr && (!linked || epoch == net_.epoch)) other->Arrive(id, bytes);
    });
  };
  travel();
  if (!linked && net_.Happens(net_.repeated)) travel();
}

inline void ChannelNode::Arrive(const NodeId& from, const std::string& bytes) {
  Segment segment;
  EXPECT_TRUE(segment.ParseFromString(bytes));
  table.Receive(from, segment, net_.network.now());
  ArmTimer();
}

inline constexpr std::size_t kMegabyte = 1024 * 1024;

inline std::uint64_t CountOf(ChannelNet& net, std::size_t node, ChannelCount which) {
  return net.at(node).table.count(which);
}

inline void ExpectNothingLeft(ChannelNet& net) {
  for (const auto& node : net.nodes) {
    EXPECT_EQ(node->table.size(), 0U);
    EXPECT_EQ(node->table.memory(), 0U);
    EXPECT_EQ(node->table.next_deadline(), kNever);
  }
}

}  // namespace tombolo::node
