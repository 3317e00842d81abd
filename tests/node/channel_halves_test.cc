// The two halves of a channel by themselves.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "node/channel_path.h"
#include "node/channel_receiver.h"
#include "node/channel_sender.h"
#include "tests/node/channel_net.h"

namespace tombolo::node {
namespace {

using Outcome = ChannelReceiver::Outcome;

TEST(ChannelSender, TakesWhatThereIsRoomFor) {
  ChannelSender out;
  EXPECT_EQ(out.Append(std::string(kFirstWindow - 1, 'x')), kFirstWindow - 1);
  EXPECT_EQ(out.Append("abc"), 1U);
  EXPECT_EQ(out.Append("abc"), 0U);
  out.Grow(kFirstWindow + 2);
  EXPECT_EQ(out.Append("abc"), 2U);
  out.Finish();
  out.Grow(2 * kFirstWindow);
  EXPECT_EQ(out.Append("abc"), 0U) << "it has finished";
}

TEST(ChannelSender, SendsWithinItsCreditAndTheEndBeyondIt) {
  ChannelSender out;
  out.Grow(4 * kFirstWindow);
  out.Append(Pattern(kFirstWindow + 10));
  const auto first = out.Next(1000);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->offset, 0U);
  EXPECT_EQ(first->size, 1000U);
  out.Sent(*first);
  const auto second = out.Next(kFirstWindow);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->size, kFirstWindow - 1000);
  out.Sent(*second);
  EXPECT_FALSE(out.Next(1000));
  EXPECT_TRUE(out.is_held_back());
  out.Credit(kFirstWindow + 10);
  out.Credit(3);  // late news
  out.Finish();
  const auto last = out.Next(1000);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->size, 10U);
  EXPECT_TRUE(last->fin);
  out.Sent(*last);
  EXPECT_FALSE(out.Next(1000));
  EXPECT_FALSE(out.Acknowledge(kFirstWindow + 12)) << "nobody can have more than the end";
  EXPECT_FALSE(out.done());
  EXPECT_TRUE(out.Acknowledge(kFirstWindow + 11));
  EXPECT_TRUE(out.done());
}

TEST(ChannelSender, CopiesFromAnywhere) {
  const std::string all = Pattern(100'000);
  ChannelSender out;
  out.Grow(200'000);
  for (std::size_t at = 0; at < all.size(); at += 777) out.Append(all.substr(at, 777));
  out.Credit(200'000);
  Rng rng(1);
  std::size_t acked = 0;
  while (const auto piece = out.Next(1 + rng.Below(40'000))) {
    std::string copy;
    out.Copy(*piece, copy);
    EXPECT_EQ(copy, all.substr(static_cast<std::size_t>(piece->offset), piece->size));
    out.Sent(*piece);
    acked += rng.Below(static_cast<std::uint32_t>(out.in_flight()) + 1);
    ASSERT_TRUE(out.Acknowledge(acked));
    if (rng.Below(4) == 0) {
      const ChannelSender::Piece first = out.First();
      copy.clear();
      out.Copy(first, copy);
      EXPECT_EQ(copy, all.substr(acked, first.size));
    }
    if (rng.Below(8) == 0) out.Rewind();
  }
}

TEST(ChannelReceiver, PutsPiecesInOrderWhateverTheirOrder) {
  const std::string all = Pattern(3000);
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Rng rng(seed);
    ChannelReceiver in;
    std::string got;
    while (!in.ended()) {
      const std::size_t at = rng.Below(3000);
      const std::size_t size = std::min<std::size_t>(rng.Below(300), 3000 - at);
      std::vector<std::string> ready;
      const Outcome outcome = in.Take(at, all.substr(at, size), at + size == 3000, ready);
      ASSERT_NE(outcome, Outcome::kBroken);
      for (const std::string& bytes : ready) got += bytes;
      ASSERT_EQ(got, all.substr(0, got.size()));
      ASSERT_LE(in.held(), ChannelReceiver::kMaxHeld);
    }
    EXPECT_EQ(got, all);
    EXPECT_EQ(in.acked(), 3001U);
    EXPECT_EQ(in.held(), 0U);
  }
}

TEST(ChannelReceiver, GrantsWhatWasConsumedAndTellsInQuarters) {
  ChannelReceiver in;
  std::vector<std::string> ready;
  in.Take(0, std::string(kFirstWindow, 'x'), false, ready);
  EXPECT_EQ(in.Take(kFirstWindow, "x", false, ready), Outcome::kBroken);
  EXPECT_FALSE(in.Consume(kFirstWindow / 4 - 1));
  EXPECT_TRUE(in.Consume(1));
  EXPECT_EQ(in.Limit(), kFirstWindow + kFirstWindow / 4);
  EXPECT_EQ(in.Take(kFirstWindow, "x", false, ready), Outcome::kInOrder);
  EXPECT_EQ(in.with_application(), kFirstWindow - kFirstWindow / 4 + 1);
}

TEST(ChannelReceiver, WantsMoreOnlyWhenUsedUpQuickly) {
  ChannelReceiver in;
  std::vector<std::string> ready;
  std::uint64_t at = 0;
  const auto use_up = [&](Duration span, Time& now) {
    in.Take(at, std::string(kFirstWindow, 'x'), false, ready);
    at += kFirstWindow;
    in.Consume(kFirstWindow);
    in.Limit();
    now = now + span;
    return in.WantsMore(now);
  };
  Time now{5'000'000};
  EXPECT_FALSE(use_up(Duration::Milliseconds(1), now)) << "since when is not known";
  EXPECT_TRUE(use_up(Duration::Milliseconds(999), now));
  EXPECT_FALSE(use_up(Duration::Milliseconds(1000), now));
}

TEST(ChannelPath, RelayedItBeginsSmallGrowsAndYields) {
  ChannelPath path(false);
  EXPECT_EQ(path.window(), ChannelPath::kFirstBytes);
  path.Move(0, path.window());
  EXPECT_EQ(path.allowance(), 0U);
  path.Acknowledged(kMaxFragment);
  EXPECT_EQ(path.window(), ChannelPath::kFirstBytes + kMaxFragment) << "slow start";
  path.LostOne();
  EXPECT_EQ(path.window(), ChannelPath::kFirstBytes / 2);
  path.Acknowledged(kMaxFragment);
  EXPECT_EQ(path.window(), ChannelPath::kFirstBytes / 2 + kMaxFragment / 2) << "avoidance";
  path.LostAll();
  EXPECT_EQ(path.window(), ChannelPath::kLeastBytes);
  path.Move(ChannelPath::kFirstBytes, 1000);
  path.Acknowledged(kMaxFragment);
  EXPECT_EQ(path.window(), ChannelPath::kLeastBytes) << "nobody was held back";
}

TEST(ChannelPath, ALinkIsGivenMoreTime) {
  ChannelPath relayed(false);
  EXPECT_EQ(relayed.timeout(), Duration::Seconds(1));
  relayed.Sample(Duration::Milliseconds(40));
  EXPECT_EQ(relayed.timeout(), Duration::Milliseconds(340));
  ChannelPath linked(true);
  linked.Sample(Duration::Milliseconds(40));
  EXPECT_EQ(linked.timeout(), Duration::Seconds(5));
  relayed.Sample(Duration::Seconds(60));
  EXPECT_EQ(relayed.timeout(), Duration::Seconds(5));
}

}  // namespace
}  // namespace tombolo::node
