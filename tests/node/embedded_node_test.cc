// Nodes inside a program: two of them in this one, over real links on loopback.
#include "node/embedded_node.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/node/scratch_dir.h"

namespace tombolo::node {
namespace {

constexpr std::chrono::seconds kSoon{20};

// What callbacks leave, for the thread of the test to wait for.
template <class T>
class Mailbox {
 public:
  void Put(T value) { promise_.set_value(std::move(value)); }
  T Take() {
    std::future<T> future = promise_.get_future();
    if (future.wait_for(kSoon) != std::future_status::ready) {
      ADD_FAILURE() << "nothing came in time";
      return T{};
    }
    return future.get();
  }

 private:
  std::promise<T> promise_;
};

class EmbeddedNodeTest : public testing::Test {
 protected:
  EmbeddedOptions OptionsOf(const std::string& name) {
    EmbeddedOptions options;
    options.data_dir = scratch_ / name;
    options.listen = "127.0.0.1:0";
    options.log_level = "error";
    return options;
  }
  static std::unique_ptr<EmbeddedNode> Start(EmbeddedOptions options) {
    auto node = EmbeddedNode::Start(std::move(options));
    EXPECT_TRUE(node.ok()) << node.status();
    return node.ok() ? *std::move(node) : nullptr;
  }

  ScratchDir scratch_;
};

TEST_F(EmbeddedNodeTest, TwoJoinSendAndStore) {
  Mailbox<Arrival> message;
  Mailbox<Arrival> broadcast;
  EmbeddedOptions first = OptionsOf("first");
  first.on_message = [&](const Arrival& arrival) { message.Put(arrival); };
  first.on_broadcast = [&](const Arrival& arrival) { broadcast.Put(arrival); };
  const auto founder = Start(first);
  ASSERT_NE(founder, nullptr);

  Mailbox<NodeId> linked;
  EmbeddedOptions second = OptionsOf("second");
  second.bootstrap = {founder->listening()};
  second.settings = {{"limits.links", "8"}};  // the fewest
  second.on_peer = [&](const NodeId& peer) { linked.Put(peer); };
  const auto joiner = Start(second);
  ASSERT_NE(joiner, nullptr);
  EXPECT_EQ(linked.Take(), founder->id());
  EXPECT_TRUE(founder->WaitJoined(kSoon));
  ASSERT_TRUE(joiner->WaitJoined(kSoon));

  Mailbox<SendOutcome> sent;
  joiner->Send(founder->id(), "hello", [&](const SendOutcome& outcome) { sent.Put(outcome); });
  EXPECT_TRUE(sent.Take().delivered);
  const Arrival arrival = message.Take();
  EXPECT_EQ(arrival.origin, joiner->id());
  EXPECT_EQ(arrival.payload, "hello");
  EXPECT_EQ(joiner->contacts(), 1U);

  joiner->Broadcast("to all");
  EXPECT_EQ(broadcast.Take().payload, "to all");

  Mailbox<int> stored;
  const NodeId key = EmbeddedNode::KeyOf("colour");
  joiner->Put(key, "blue", 7, std::chrono::seconds(60), [&](int count) { stored.Put(count); });
  EXPECT_EQ(stored.Take(), 2);
  Mailbox<FoundValue> got;
  founder->Get(key, [&](const FoundValue& value) { got.Put(value); });
  const FoundValue value = got.Take();
  EXPECT_TRUE(value.found);
  EXPECT_EQ(value.value, "blue");
  EXPECT_EQ(value.sequence, 7U);

  Mailbox<std::vector<NodeId>> found;
  joiner->Lookup(founder->id(), [&](const std::vector<NodeId>& closest) { found.Put(closest); });
  EXPECT_EQ(found.Take().front(), founder->id());
}

TEST_F(EmbeddedNodeTest, WhatCannotBeDoneFailsWithAReason) {
  const auto alone = Start(OptionsOf("alone"));
  ASSERT_NE(alone, nullptr);
  Mailbox<std::string> too_large;
  alone->Send(NodeId{}, std::string(70'000, 'x'),
              [&](const SendOutcome& outcome) { too_large.Put(std::string(outcome.reason)); });
  EXPECT_EQ(too_large.Take(), "too_large");
  EXPECT_TRUE(alone->WaitJoined(kSoon));
  Mailbox<std::string> nobody;
  alone->Send(
      NodeId{}, "x", [&](const SendOutcome& outcome) { nobody.Put(std::string(outcome.reason)); },
      std::chrono::milliseconds(200));
  EXPECT_NE(nobody.Take(), "");
}

TEST_F(EmbeddedNodeTest, SpansWithoutAnEndAreCut) {
  const auto alone = Start(OptionsOf("alone"));
  ASSERT_NE(alone, nullptr);
  EXPECT_TRUE(alone->WaitJoined(std::chrono::milliseconds::max()));
  Mailbox<int> stored;
  alone->Put(EmbeddedNode::KeyOf("colour"), "blue", 1, std::chrono::seconds::max(),
             [&](int count) { stored.Put(count); });
  EXPECT_EQ(stored.Take(), 1);
}

TEST_F(EmbeddedNodeTest, StoppedNodeAnswersEveryCall) {
  const auto node = Start(OptionsOf("node"));
  ASSERT_NE(node, nullptr);
  Mailbox<std::string> pending;
  node->Send(NodeId{}, "x",
             [&](const SendOutcome& outcome) { pending.Put(std::string(outcome.reason)); });
  node->Stop();
  node->Stop();
  EXPECT_NE(pending.Take(), "");
  Mailbox<std::string> late;
  node->Send(NodeId{}, "x",
             [&](const SendOutcome& outcome) { late.Put(std::string(outcome.reason)); });
  EXPECT_EQ(late.Take(), "left");
  EXPECT_FALSE(node->WaitJoined(kSoon));
  EXPECT_EQ(node->contacts(), 0U);
}

TEST_F(EmbeddedNodeTest, IdSurvivesAndTheFolderIsForOne) {
  NodeId id;
  {
    const auto node = Start(OptionsOf("node"));
    ASSERT_NE(node, nullptr);
    id = node->id();
    const auto second = EmbeddedNode::Start(OptionsOf("node"));
    EXPECT_FALSE(second.ok());
  }
  const auto again = Start(OptionsOf("node"));
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->id(), id);
}

TEST_F(EmbeddedNodeTest, SettingsAreThoseOfANodeWithoutControl) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"limits.links", "none"}, {"limits.lynx", "64"}, {"control.listen", "127.0.0.1:1"}}) {
    EmbeddedOptions options = OptionsOf("node");
    options.settings = {{name, value}};
    const auto node = EmbeddedNode::Start(options);
    ASSERT_FALSE(node.ok()) << name;
    EXPECT_NE(node.status().message().find(name), std::string::npos) << node.status();
  }
}

TEST(EmbeddedNode, KeyOfANameIsThatOfTheControlApi) {
  EXPECT_EQ(EmbeddedNode::KeyOf("k").ToHex(), "8254c329a92850f6d539dd376f4816ee2764517d");
}

}  // namespace
}  // namespace tombolo::node
