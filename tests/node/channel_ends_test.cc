// Channels between two tables: their ends, and the limits of their number and memory.
#include "node/channel_table.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/node/channel_net.h"

namespace tombolo::node {
namespace {

// ---- Ends that are no good ones.

TEST(Channels, AResetTellsReasonAndText) {
  ChannelNet net;
  const auto [here, there] = net.Open();
  here->Send("hello", false);
  net.network.RunFor(Duration::Seconds(1));
  there->table.Reset(there->number, "I have heard enough");
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(here->reset, ResetReason::kCancelled);
  EXPECT_EQ(here->text, "I have heard enough");
  EXPECT_FALSE(there->over()) << "who resets knows";
  EXPECT_EQ(CountOf(net, 0, ChannelCount::kResetThere), 1U);
  EXPECT_EQ(CountOf(net, 1, ChannelCount::kResetHere), 1U);
  ExpectNothingLeft(net);
}

TEST(Channels, AResetThatGetsLostIsRepeatedWhenAsked) {
  ChannelNet net;
  net.is_linked = false;
  const auto [here, there] = net.Open();
  net.network.RunFor(Duration::Seconds(1));
  net.filter = [](const NodeId&, Segment& segment) { return !segment.has_reset(); };
  there->table.Reset(there->number);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_FALSE(here->over());
  net.filter = nullptr;
  net.network.RunFor(net.options.silence / 4 + Duration::Seconds(1));
  EXPECT_EQ(here->reset, ResetReason::kCancelled);
}

TEST(Channels, AServiceThatNobodyAcceptsIsRefused) {
  ChannelNet net;
  net.Add();
  net.Add();
  ChannelEnd end(net.at(0).table);
  ASSERT_TRUE(net.at(0).table.Open(net.at(1).id, "nowhere", end).ok());
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(end.reset, ResetReason::kNoService);
  EXPECT_EQ(CountOf(net, 1, ChannelCount::kRefusedService), 1U);
  ASSERT_TRUE(net.at(1).table.Accept("picky", [](auto, const auto&) { return nullptr; }).ok());
  ChannelEnd other(net.at(0).table);
  ASSERT_TRUE(net.at(0).table.Open(net.at(1).id, "picky", other).ok());
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(other.reset, ResetReason::kRefused);
  EXPECT_FALSE(net.at(1).table.Accept("picky", [](auto, const auto&) { return nullptr; }).ok());
  ExpectNothingLeft(net);
}

TEST(Channels, ThePeerThatDiesIsNoticedWithinTheBound) {
  for (const bool stalled : {false, true}) {
    ChannelNet net;
    net.is_linked = false;
    const auto [here, there] = net.Open();
    there->stalled = stalled;
    here->Send(Pattern(stalled ? 8 * kMegabyte : 1), false);
    net.network.RunFor(Duration::Minutes(3));
    EXPECT_FALSE(here->over()) << "quiet is not dead";
    net.filter = [](const NodeId&, Segment&) { return false; };
    const auto over = [a = here] { return a->over(); };
    EXPECT_TRUE(net.network.RunUntilTrue(over, net.options.silence + Duration::Seconds(1)));
    EXPECT_EQ(here->reset, ResetReason::kTimeout);
    net.network.RunFor(net.options.silence + Duration::Seconds(1));
    EXPECT_EQ(there->reset, ResetReason::kTimeout);
    EXPECT_EQ(CountOf(net, 0, ChannelCount::kTimeouts), 1U);
    EXPECT_EQ(CountOf(net, 1, ChannelCount::kTimeouts), 1U);
    ExpectNothingLeft(net);
  }
}

TEST(Channels, AnOpenThatNobodyAnswersEndsInTime) {
  ChannelNet net;
  net.filter = [](const NodeId&, Segment&) { return false; };
  const auto [here, there] = net.Open();
  net.network.RunFor(net.options.silence + Duration::Seconds(1));
  EXPECT_EQ(here->reset, ResetReason::kTimeout);
  ExpectNothingLeft(net);
}

TEST(Channels, ANodeThatWasStartedAnewKnowsNoOldChannel) {
  ChannelNet net;
  const auto [here, there] = net.Open();
  here->Send("hello", false);
  net.network.RunFor(Duration::Seconds(1));
  net.nodes[1] = std::make_unique<ChannelNode>(net, net.at(1).id, net.options);
  here->Send("still there?", false);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(here->reset, ResetReason::kUnknown);
}

TEST(Channels, AStoppingNodeResetsAllAndTellsBothSides) {
  ChannelNet net;
  const auto [here, there] = net.Open();
  net.network.RunFor(Duration::Seconds(1));
  net.at(0).table.ResetAll(ResetReason::kLeaving);
  EXPECT_EQ(here->reset, ResetReason::kLeaving);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(there->reset, ResetReason::kLeaving);
  ChannelEnd late(net.at(0).table);
  EXPECT_FALSE(net.at(0).table.Open(net.at(1).id, "s", late).ok());
  ExpectNothingLeft(net);
}

TEST(Channels, CallsOnAChannelThatIsOverDoNothing) {
  ChannelNet net;
  const auto [here, there] = net.Open();
  net.network.RunFor(Duration::Seconds(1));
  here->table.Reset(here->number);
  EXPECT_EQ(here->table.Write(here->number, "x"), 0U);
  here->table.Consume(here->number, 1);
  here->table.Finish(here->number);
  here->table.Reset(here->number);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(CountOf(net, 0, ChannelCount::kResetHere), 1U);
}

// ---- Limits.

TEST(Channels, BeyondTheLimitsOfNumberTheyAreRefusedAtBothEnds) {
  ChannelNet net;
  net.options.max_channels = 5;
  net.Add();
  net.options.max_channels = 4096;
  net.options.max_per_peer = 3;
  net.Add();
  std::vector<ChannelEnd*> opened;
  for (int i = 0; i < 5; ++i) opened.push_back(net.Open().first);
  net.network.RunFor(Duration::Seconds(1));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(opened[i]->reset.has_value(), i >= 3) << i;
  }
  EXPECT_EQ(opened[4]->reset, ResetReason::kOverload);
  EXPECT_EQ(CountOf(net, 1, ChannelCount::kRefusedFull), 2U);
  net.Open();
  net.Open();
  ChannelEnd one_more(net.at(0).table);
  const auto refused = net.at(0).table.Open(net.at(1).id, "s", one_more);
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status()));
}

TEST(Channels, TheSumOfTheirWindowsIsBounded) {
  ChannelNet net;
  net.options.max_memory = 6 * kFirstWindow;
  std::vector<ChannelEnd*> writers;
  std::vector<ChannelEnd*> readers;
  for (int i = 0; i < 3; ++i) {
    const auto [here, there] = net.Open();
    there->finishes_in_return = true;
    writers.push_back(here);
    readers.push_back(there);
    net.network.RunFor(Duration::Milliseconds(15));
  }
  for (ChannelEnd* writer : writers) writer->Send(Pattern(kMegabyte), true);
  ChannelEnd refused(net.at(0).table);
  EXPECT_FALSE(net.at(0).table.Open(net.at(1).id, "s", refused).ok());
  for (int step = 0; step < 2000; ++step) {
    net.network.RunFor(Duration::Milliseconds(5));
    EXPECT_LE(net.at(0).table.memory(), net.options.max_memory);
    EXPECT_LE(net.at(1).table.memory(), net.options.max_memory);
  }
  for (const ChannelEnd* reader : readers) EXPECT_EQ(reader->got.size(), kMegabyte);
  EXPECT_GT(CountOf(net, 1, ChannelCount::kNotGrown), 0U);
  ExpectNothingLeft(net);
}

TEST(Channels, NamesOfServicesAreChecked) {
  ChannelNet net;
  net.Add();
  ChannelEnd end(net.at(0).table);
  const NodeId other{{9}};
  EXPECT_FALSE(net.at(0).table.Open(other, "", end).ok());
  EXPECT_FALSE(net.at(0).table.Open(other, std::string(65, 'x'), end).ok());
  EXPECT_TRUE(net.at(0).table.Open(other, std::string(64, 'x'), end).ok());
  EXPECT_FALSE(net.at(0).table.Open(net.at(0).id, "s", end).ok()) << "to itself";
}

}  // namespace
}  // namespace tombolo::node
