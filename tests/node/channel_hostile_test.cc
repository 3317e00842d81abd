// Segments that no honest node sends: they end a channel at most, and never harm another.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/node/channel_net.h"

namespace tombolo::node {
namespace {

constexpr std::uint64_t kGiant = std::numeric_limits<std::uint64_t>::max();

class Hostile : public testing::Test {
 protected:
  Hostile() {
    net_.filter = [this](const NodeId&, Segment& segment) {
      if (!segment.service().empty()) channel_ = segment.channel();
      return true;
    };
    std::tie(here_, there_) = net_.Open();
    here_->Send("0123456789", false);
    net_.network.RunFor(Duration::Seconds(1));
    net_.filter = nullptr;
  }
  Segment Of(std::uint64_t channel) const {
    Segment segment;
    segment.set_channel(channel);
    segment.set_limit(kFirstWindow);
    return segment;
  }
  // As the opener, to the accepting side.
  void Say(Segment segment) {
    net_.at(1).table.Receive(net_.at(0).id, segment, net_.network.now());
    net_.network.RunFor(Duration::Milliseconds(100));
  }
  void SayData(std::uint64_t offset, const std::string& data, bool fin = false) {
    Segment segment = Of(channel_);
    segment.set_offset(offset);
    segment.set_data(data);
    segment.set_fin(fin);
    Say(std::move(segment));
  }
  std::uint64_t count(ChannelCount which) { return net_.at(1).table.count(which); }
  void ExpectBroken() {
    EXPECT_EQ(there_->reset, ResetReason::kProtocol);
    EXPECT_EQ(here_->reset, ResetReason::kProtocol) << "the other side is told";
    EXPECT_EQ(count(ChannelCount::kBroken), 1U);
    EXPECT_EQ(net_.at(1).table.memory(), 0U);
  }

  ChannelNet net_;
  std::uint64_t channel_ = 0;
  ChannelEnd* here_ = nullptr;
  ChannelEnd* there_ = nullptr;
};

TEST_F(Hostile, DataBeyondTheWindowEndsTheChannel) {
  SayData(kFirstWindow + 10 - 5, "123456");
  ExpectBroken();
}

TEST_F(Hostile, DataAtTheEdgeOfTheWindowDoesNot) {
  SayData(kFirstWindow - 6, "123456");
  EXPECT_FALSE(there_->over());
  EXPECT_EQ(count(ChannelCount::kHeld), 1U);
}

TEST_F(Hostile, GiantOffsetsEndTheChannel) {
  SayData(kGiant, "x");
  ExpectBroken();
}

TEST_F(Hostile, OffsetsThatWrapAroundEndTheChannel) {
  SayData(kGiant - 2, "12345678");
  ExpectBroken();
}

TEST_F(Hostile, AcknowledgementsOfWhatWasNeverSentEndTheChannel) {
  Segment segment = Of(channel_);
  segment.set_acked(kGiant);
  Say(std::move(segment));
  ExpectBroken();
}

TEST_F(Hostile, AGiantLimitIsHarmless) {
  Segment segment = Of(channel_);
  segment.set_limit(kGiant);
  Say(std::move(segment));
  there_->Send(Pattern(100'000), false);
  net_.network.RunFor(Duration::Seconds(1));
  // The honest opener has granted less, and ends it.
  EXPECT_EQ(here_->reset, ResetReason::kProtocol);
  EXPECT_EQ(there_->reset, ResetReason::kProtocol);
  EXPECT_EQ(net_.at(1).table.memory(), 0U);
}

TEST_F(Hostile, DataBehindTheEndEndsTheChannel) {
  // The opener does not hear what it is said to have sent.
  net_.filter = [](const NodeId&, Segment& segment) { return segment.has_reset(); };
  SayData(10, "end", true);
  EXPECT_TRUE(there_->ended);
  SayData(13, "more");
  ExpectBroken();
  EXPECT_EQ(there_->got, "0123456789end");
}

TEST_F(Hostile, AnEndInFrontOfWhatHasComeEndsTheChannel) {
  SayData(3, "", true);
  ExpectBroken();
}

TEST_F(Hostile, ASecondEndElsewhereEndsTheChannel) {
  SayData(20, "far", true);
  SayData(10, "near", true);
  ExpectBroken();
}

TEST_F(Hostile, ManySmallPiecesBehindAGapAreBounded) {
  for (std::uint64_t i = 0; i < 200; ++i) SayData(20 + 2 * i, "x");
  EXPECT_EQ(count(ChannelCount::kHeld), ChannelReceiver::kMaxHeld);
  EXPECT_EQ(count(ChannelCount::kDropped), 200 - ChannelReceiver::kMaxHeld);
  EXPECT_FALSE(there_->over());
}

TEST_F(Hostile, OverlappingPiecesBehindAGapHoldNoMoreThanAWindow) {
  const std::string large(kFirstWindow / 2, 'x');
  for (std::uint64_t i = 0; i < 50; ++i) SayData(20 + i, large);
  EXPECT_EQ(count(ChannelCount::kHeld), 2U);
  EXPECT_EQ(count(ChannelCount::kDropped), 48U);
  // They are put together all the same.
  SayData(10, std::string(10, 'x'));
  EXPECT_EQ(there_->got, "0123456789" + std::string(10 + large.size() + 1, 'x'));
}

TEST_F(Hostile, UnknownChannelsAreAnsweredOnceAndResetsNever) {
  int answers = 0;
  net_.filter = [&](const NodeId&, Segment& segment) {
    answers += segment.has_reset() ? 1 : 0;
    return true;
  };
  Say(Of(42));
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(count(ChannelCount::kUnknown), 1U);
  Segment reset = Of(43);
  reset.mutable_reset()->set_reason(3);
  Say(std::move(reset));
  EXPECT_EQ(answers, 1);
  EXPECT_FALSE(there_->over());
}

TEST_F(Hostile, AnotherNodeCannotSpeakForThePeer) {
  Segment reset = Of(channel_);
  reset.mutable_reset()->set_reason(1);
  net_.at(1).table.Receive(NodeId{{77}}, reset, net_.network.now());
  net_.network.RunFor(Duration::Seconds(1));
  EXPECT_FALSE(there_->over());
}

TEST_F(Hostile, SegmentsThatMayNotBeAreDroppedAndCounted) {
  Segment segment = Of(7);
  segment.set_service(std::string(kMaxServiceBytes + 1, 's'));
  Say(segment);
  segment = Of(channel_);
  segment.set_data(std::string(64 * 1024 + 1, 'x'));
  Say(segment);
  segment = Of(channel_);
  segment.mutable_reset()->set_text(std::string(kMaxResetBytes + 1, 'x'));
  Say(segment);
  Segment own = Of(channel_);
  net_.at(1).table.Receive(net_.at(1).id, own, net_.network.now());
  EXPECT_EQ(count(ChannelCount::kMalformed), 4U);
  EXPECT_FALSE(there_->over());
}

TEST_F(Hostile, AReasonOfANewerVersionIsNone) {
  Segment segment = Of(channel_);
  segment.mutable_reset()->set_reason(4711);
  Say(segment);
  EXPECT_EQ(there_->reset, ResetReason::kUnspecified);
}

TEST_F(Hostile, ALateOpenDoesNotOpenAgain) {
  Segment open = Of(channel_);
  open.set_service("s");
  here_->table.Reset(here_->number);
  net_.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(there_->reset, ResetReason::kCancelled);
  Say(open);
  EXPECT_EQ(net_.at(1).table.size(), 0U);
  EXPECT_EQ(count(ChannelCount::kAccepted), 1U);
  // What is remembered of it is bounded in time.
  net_.network.RunFor(ChannelTable::kRememberClosed);
  net_.at(1).table.Tick(net_.network.now());
  ChannelEnd again(net_.at(1).table);
  net_.at(1).table.Withdraw("s");
  EXPECT_TRUE(net_.at(1)
                  .table.Accept("s", [&](ChannelNumber n, const NodeId&) { return again.Begin(n); })
                  .ok());
  Say(open);
  EXPECT_EQ(count(ChannelCount::kAccepted), 2U);
}

// Whatever comes, nothing breaks, and no limit is passed.
TEST_F(Hostile, NoiseHarmsNothing) {
  net_.options.max_memory = 1 << 20;
  ChannelNode& target = net_.Add();
  ASSERT_TRUE(target.table
                  .Accept("s",
                          [&](ChannelNumber number, const NodeId&) {
                            net_.ends.push_back(std::make_unique<ChannelEnd>(target.table));
                            net_.ends.back()->number = number;
                            return net_.ends.back().get();
                          })
                  .ok());
  Rng rng(3);
  const auto number = [&]() -> std::uint64_t {
    const std::uint32_t kind = rng.Below(8);
    if (kind == 0) return rng.Next();
    if (kind == 1) return kGiant - rng.Below(3);
    return rng.Below(kind < 5 ? 40 : 40'000);
  };
  for (int i = 0; i < 200'000; ++i) {
    Segment segment;
    segment.set_channel(rng.Below(20));
    if (rng.Below(3) == 0) segment.set_service("s");
    segment.set_offset(number());
    if (rng.Below(2) == 0) segment.set_data(std::string(rng.Below(30), 'x'));
    segment.set_fin(rng.Below(20) == 0);
    segment.set_acked(rng.Below(10) == 0 ? number() : 0);
    segment.set_limit(number());
    segment.set_held(rng.Below(6));
    segment.set_ask(rng.Below(2) == 0);
    if (rng.Below(50) == 0) segment.mutable_reset()->set_reason(rng.Below(12));
    target.table.Receive(NodeId{{100 + rng.Below(3)}}, segment, net_.network.now());
    if (rng.Below(10) == 0) net_.network.RunFor(Duration::Milliseconds(rng.Below(50)));
    ASSERT_LE(target.table.memory(), net_.options.max_memory);
  }
  net_.network.RunFor(Duration::Minutes(2));
  EXPECT_EQ(target.table.size(), 0U);
  EXPECT_EQ(target.table.memory(), 0U);
}

}  // namespace
}  // namespace tombolo::node
