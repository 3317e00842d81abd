#include "overlay/acked_sends.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "overlay/archive.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {
namespace {

constexpr PeerRef kFirst{1};
constexpr PeerRef kSecond{2};
constexpr PeerRef kOther{3};

class AckedSendsTest : public testing::Test {
 protected:
  AckedSendsTest() {
    for (int i = 0; i < 4; ++i) ids_.Add(RandomId(rng_));
  }

  PartStep Step() { return {{now_, config_, ids_, lists_, out_}, PeerRef{0}, id_, rng_}; }

  void Send(std::vector<PeerRef> receivers, bool brief = false) {
    AckedSend send;
    send.message = MergeFill{0, 1, 3, {}};
    send.contacts = {kOther};
    send.receivers = std::move(receivers);
    send.brief = brief;
    sends_.Send(std::move(send), Step());
  }

  // Goes to the next deadline; what was said there.
  std::vector<PeerRef> Next() {
    out_.Clear();
    now_ = sends_.next_deadline();
    sends_.Tick(Step(), silent_);
    std::vector<PeerRef> to;
    for (const OutgoingMessage& sent : out_.sends()) {
      to.push_back(sent.to);
      last_rpc_ = std::get<MergeFill>(sent.message).rpc;
    }
    return to;
  }

  Config config_;
  Directory ids_;
  ContactLists lists_;
  Outbox out_;
  Time now_;
  Rng rng_{1};
  NodeId id_;
  AckedSends sends_;
  std::vector<SilentSend> silent_;
  std::uint32_t last_rpc_ = 0;
};

TEST_F(AckedSendsTest, CarriesItsListAndEndsWithTheAcknowledgement) {
  Send({kFirst});
  ASSERT_EQ(out_.sends().size(), 1U);
  const auto& fill = std::get<MergeFill>(out_.sends()[0].message);
  ASSERT_EQ(lists_.Get(fill.contacts).size(), 1U);
  EXPECT_EQ(lists_.Get(fill.contacts)[0], kOther);
  EXPECT_FALSE(sends_.Acked(kSecond, fill.rpc, Step())) << "not a receiver";
  EXPECT_FALSE(sends_.Acked(kFirst, fill.rpc + 16, Step())) << "not a message of ours";
  EXPECT_TRUE(sends_.Acked(kFirst, fill.rpc, Step()));
  EXPECT_FALSE(sends_.Acked(kFirst, fill.rpc, Step())) << "a second time";
  EXPECT_TRUE(sends_.idle());
}

TEST_F(AckedSendsTest, GoesRoundItsReceiversAndSuspectsTheSilent) {
  Send({kFirst, kSecond});
  const std::vector<PeerRef> one{kFirst};
  const std::vector<PeerRef> two{kSecond};
  EXPECT_EQ(Next(), one);
  EXPECT_EQ(Next(), one);
  EXPECT_FALSE(sends_.IsSuspect(kFirst, now_));
  EXPECT_EQ(Next(), two);
  EXPECT_TRUE(sends_.IsSuspect(kFirst, now_));
  sends_.Heard(kFirst);
  EXPECT_FALSE(sends_.IsSuspect(kFirst, now_));
  EXPECT_EQ(Next(), two);
  EXPECT_EQ(Next(), two);
  EXPECT_TRUE(silent_.empty());
  EXPECT_EQ(Next(), one) << "round again";
  ASSERT_EQ(silent_.size(), 1U);
  EXPECT_FALSE(silent_[0].ended);
  EXPECT_TRUE(sends_.Acked(kSecond, last_rpc_, Step())) << "late, but from a receiver";
}

TEST_F(AckedSendsTest, GivesUpAfterAllTries) {
  Send({kFirst});
  std::size_t tries = 1;
  while (sends_.next_deadline() != kNever && (silent_.empty() || !silent_.back().ended)) {
    tries += Next().size();
  }
  EXPECT_EQ(tries, static_cast<std::size_t>(AckedSends::kMaxTries));
  ASSERT_EQ(silent_.size(), 2U) << "silent once, then ended";
  EXPECT_TRUE(sends_.rows().empty());
}

// The turns of many receivers are all its tries.
TEST_F(AckedSendsTest, SaysOnceThatAllAreSilentHoweverManyTheyAre) {
  for (std::size_t count = 1; count <= AckedSends::kMaxReceivers; ++count) {
    silent_.clear();
    Send(std::vector<PeerRef>(count, kFirst));
    while (!sends_.rows().empty()) Next();
    const auto said = std::count_if(silent_.begin(), silent_.end(),
                                    [](const SilentSend& silent) { return silent.all_silent; });
    EXPECT_EQ(said, 1) << count;
    EXPECT_TRUE(silent_.back().ended) << count;
  }
}

TEST_F(AckedSendsTest, ABriefMessageEndsWithItsTurn) {
  Send({kFirst}, true);
  for (int i = 0; i < AckedSends::kTurn; ++i) Next();
  ASSERT_EQ(silent_.size(), 1U);
  EXPECT_TRUE(silent_[0].ended);
  EXPECT_TRUE(sends_.rows().empty());
}

TEST_F(AckedSendsTest, TheTimeOutFollowsTheRoundTrip) {
  Send({kFirst});
  EXPECT_EQ(sends_.next_deadline(), now_ + config_.heal.initial_rto);
  now_ = now_ + Duration::Milliseconds(40);
  sends_.Acked(kFirst, std::get<MergeFill>(out_.sends()[0].message).rpc, Step());
  Send({kFirst});
  EXPECT_EQ(sends_.next_deadline(), now_ + Duration::Milliseconds(60));
}

TEST_F(AckedSendsTest, WhatExceedsTheRateWaits) {
  config_.heal.burst = 2;
  config_.heal.rate = 10;
  for (int i = 0; i < 5; ++i) Send({kFirst});
  EXPECT_EQ(out_.sends().size(), 3U) << "the burst, and one at the rate";
  EXPECT_EQ(sends_.rows().size(), 5U);
  EXPECT_EQ(sends_.next_deadline(), now_ + Duration::Milliseconds(100));
  EXPECT_EQ(Next().size(), 1U);
  EXPECT_TRUE(silent_.empty());
}

TEST_F(AckedSendsTest, RowsAreBounded) {
  for (std::size_t i = 0; i < AckedSends::kMaxRows + 3; ++i) Send({kFirst});
  EXPECT_EQ(sends_.rows().size(), AckedSends::kMaxRows);
  EXPECT_EQ(out_.drops()[static_cast<std::size_t>(DropReason::kOverload)], 3U);
}

TEST_F(AckedSendsTest, SavesAndLoads) {
  Send({kFirst, kSecond});
  for (int i = 0; i < 4; ++i) Next();
  const std::vector<std::uint8_t> bytes = Saved(sends_);
  AckedSends loaded;
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok()) << reader.error();
  EXPECT_EQ(Saved(loaded), bytes);
  EXPECT_EQ(loaded.next_deadline(), sends_.next_deadline());
}

}  // namespace
}  // namespace tombolo
