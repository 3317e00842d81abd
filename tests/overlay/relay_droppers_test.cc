// The relay past peers that say they pass messages on, and keep them.
#include "overlay/relay.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <utility>

#include "tests/overlay/relay_traffic.h"
#include "tests/overlay/toy_net.h"

namespace tombolo {
namespace {

// From 0 to 7 by way of 4, which then has two ways; true if `a` is the better one.
bool LinkTwoWaysBehindOne(ToyNet& net, std::size_t a, std::size_t b) {
  for (const auto& [from, to] : {std::pair<std::size_t, std::size_t>{0, 4}, {4, a}, {4, b}}) {
    net.Link(from, to);
    EXPECT_TRUE(IsCloser(net.toys[to].id, net.toys[from].id, net.toys[7].id));
  }
  net.Link(a, 7);
  net.Link(b, 7);
  return IsCloser(net.toys[a].id, net.toys[b].id, net.toys[7].id);
}

TEST(RelayTest, RepeatedMessagesGoRoundWhoKeepsThem) {
  ToyNet net(8);
  net.droppers = {LinkTwoWaysBehindOne(net, 5, 6) ? std::size_t{5} : std::size_t{6}};
  net.Send(0, net.toys[7].id, 1);
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  EXPECT_EQ(net.Count<MessageArrived>(7), 1U);
}

// Every peer that has a part in a send has it in the message and in the receipt.
TEST(RelayTest, ReceiptsGoBackTheWayTheirMessageCame) {
  ToyNet net(128);
  net.LinkAllBuckets();
  net.Send(3, net.toys[100].id, 1);
  net.Run(Duration::Seconds(20));
  ASSERT_TRUE(net.IsDelivered(3, 1));
  const auto end = std::get<Delivered>(*net.EndOf(3, 1));
  EXPECT_GT(end.hops, 2U) << "there are peers between";
  std::size_t between = 0;
  for (std::size_t i = 0; i < net.toys.size(); ++i) {
    if (i == 3 || i == 100 || net.toys[i].relay.remembered() == 0) continue;
    EXPECT_EQ(net.toys[i].relay.remembered(), 2U) << "peer " << i;
    ++between;
  }
  EXPECT_EQ(between, end.hops - 1U);
}

TEST(RelayTest, ReceiptsTakeAnotherWayWhenTheirOwnIsGone) {
  ToyNet net(8);
  const std::size_t better = LinkTwoWaysBehindOne(net, 5, 6) ? 5 : 6;
  net.Send(0, net.toys[7].id, 1);
  while (net.Count<MessageArrived>(7) == 0) {
    net.Run(Duration::Milliseconds(1));
    net.now = net.now + Duration::Milliseconds(1);
  }
  net.toys[better].up = false;  // with the receipt on its way there
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  EXPECT_EQ(net.data_messages, 3U) << "nothing was sent twice";
}

// Without a receipt that comes back, and attempts that differ, 40 % would be lost here.
TEST(RelayTest, CopiesAndAttemptsGetPastDroppers) {
  ToyNet net(256);
  net.LinkAllBuckets();
  net.LinkRing(4);
  for (std::size_t i = 0; i < net.toys.size(); i += 5) net.droppers.insert(i);
  const Totals totals = SendMany(net, 1000, 4);
  EXPECT_GE(totals.delivered, totals.sends * 99 / 100);
}

}  // namespace
}  // namespace tombolo
