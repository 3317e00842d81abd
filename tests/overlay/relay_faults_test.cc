// The relay under loss, dead links, overload and hostile input.
#include "overlay/relay.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "tests/overlay/relay_traffic.h"
#include "tests/overlay/toy_net.h"

namespace tombolo {
namespace {

// Two ways from 0 to 7: over 6, the better one, which is dead, and over 5.
void LinkTwoWaysAround(ToyNet& net) {
  net.Link(0, 6);
  net.Link(6, 7);
  net.Link(0, 5);
  net.Link(5, 7);
  net.toys[6].up = false;
}

TEST(RelayTest, LossAndDeadLinksCostFewCopiesAndNoMessage) {
  ToyNet net(512);
  net.LinkAllBuckets();
  net.loss = Percent(2);
  Rng rng(5);
  for (std::size_t i = 0; i < net.toys.size(); ++i) {
    for (const Link& link : net.toys[i].links.rows()) {
      const std::size_t other = net.IndexOf(link.peer);
      if (i < other && rng.Chance(Percent(5))) net.dead.insert({i, other});
    }
  }
  const Totals totals = SendMany(net, 3000);
  EXPECT_GE(totals.delivered, totals.sends - 3);
  const double hops = static_cast<double>(totals.hops);
  const double ratio = static_cast<double>(net.data_messages) / hops;
  RecordProperty("copies_per_hop_permille", static_cast<int>(ratio * 1000));
  EXPECT_LT(ratio, 1.15);
  EXPECT_GT(ratio, 1.02);
  net.ExpectQuiet();
}

TEST(RelayTest, LostAcknowledgementsMakeNoSecondCopy) {
  ToyNet net(2);
  net.Link(0, 1);
  net.Send(0, net.toys[1].id, 1);
  net.dead.insert({0, 1});  // the message is in flight; its acknowledgement will be lost
  net.Run(Duration::Milliseconds(900));
  net.dead.clear();
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  EXPECT_EQ(net.data_messages, 1U);
  net.ExpectQuiet();
}

TEST(RelayTest, LostMessageIsResentOverTheSameLink) {
  ToyNet net(2);
  net.Link(0, 1);
  net.dead.insert({0, 1});
  net.Send(0, net.toys[1].id, 1);
  net.Run(Duration::Milliseconds(900));
  net.dead.clear();
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  EXPECT_EQ(net.data_messages, 2U);
  EXPECT_EQ(net.Count<MessageArrived>(1), 1U);
  EXPECT_FALSE(net.toys[0].links.rows()[0].suspect);
  net.ExpectQuiet();
}

// A receipt carries no bytes; who hands it back with some gives us a share to get rid of.
TEST(RelayTest, BytesSlippedIntoAReceiptThatIsHandedBackAreReleased) {
  ToyNet net(2);
  net.Link(0, 1);
  ToyNet::Toy& toy = net.toys[1];
  const PeerRef liar = net.toys[0].ref;
  Forward message{};
  message.id = 5;
  message.origin = net.toys[0].id;
  message.target = toy.id;
  message.wants_receipt = true;
  toy.relay.OnForward(liar, message, toy.links.rows(), net.Part(1));
  Forward receipt = std::get<Forward>(net.out.sends().back().message);
  ASSERT_EQ(receipt.kind, ForwardKind::kReceipt);
  net.out.Clear();
  toy.relay.OnHopAck(liar, {receipt.hop, HopStatus::kAccepted}, toy.links.rows(), net.Part(1));
  receipt.detouring = true;
  receipt.payload = net.NewPayload();
  toy.relay.OnForward(liar, receipt, toy.links.rows(), net.Part(1));
  net.Drain(1);
  net.Run();
  net.ExpectQuiet();
}

TEST(RelayTest, EvictedLinksAreNotWaitedFor) {
  ToyNet net(8);
  LinkTwoWaysAround(net);
  net.Send(0, net.toys[7].id, 1);
  net.toys[0].links.Hangup(net.toys[6].ref, HangupReason::kFull, net.Part(0));
  net.Drain(0);
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  // After one time-out, without a probe over a link that is gone.
  EXPECT_LT(net.toys[0].events.back().first, Time{} + Duration::Milliseconds(1500));
  net.ExpectQuiet();
}

TEST(RelayTest, DeadTargetEndsInFailure) {
  ToyNet net(64);
  net.LinkAllBuckets();
  net.toys[40].up = false;
  net.Send(3, net.toys[40].id, 1);
  net.Run();
  EXPECT_TRUE(net.Failure(3, 1).has_value());
  net.ExpectQuiet();
}

TEST(RelayTest, DeadlineEndsTheSend) {
  ToyNet net(2);
  net.Link(0, 1);
  net.toys[1].up = false;
  net.Send(0, net.toys[1].id, 1, 1, true, Duration::Milliseconds(300));
  net.Run();
  EXPECT_EQ(net.Failure(0, 1), FailReason::kDeadline);
  EXPECT_EQ(net.toys[0].events.back().first, Time{} + Duration::Milliseconds(300));
  net.ExpectQuiet();
}

TEST(RelayTest, DuplicatingNetworkDeliversOnce) {
  ToyNet net(128);
  net.LinkAllBuckets();
  net.duplicate = Percent(30);
  const Totals totals = SendMany(net, 300);
  EXPECT_EQ(totals.delivered, totals.sends);
  EXPECT_EQ(net.data_messages, totals.hops);
  std::size_t arrived = 0;
  for (std::size_t i = 0; i < net.toys.size(); ++i) arrived += net.Count<MessageArrived>(i);
  EXPECT_EQ(arrived, totals.sends);
  net.ExpectQuiet();
}

TEST(RelayTest, LinkDownMovesTheMessageOnAtOnce) {
  ToyNet net(8);
  LinkTwoWaysAround(net);
  net.Send(0, net.toys[7].id, 1);
  net.Unlink(0, 6);
  net.Run(Duration::Milliseconds(400));
  EXPECT_TRUE(net.IsDelivered(0, 1));
  net.Run();
  net.ExpectQuiet();
}

TEST(RelayTest, AttemptLostWithARelayIsRepeatedElsewhere) {
  ToyNet net(8);
  net.Link(0, 6);
  net.Link(6, 7);
  net.Link(0, 5);
  net.Link(5, 7);
  net.Send(0, net.toys[7].id, 1);
  // The first relay takes the message and dies with it.
  while (net.toys[6].relay.remembered() == 0 && net.toys[5].relay.remembered() == 0) {
    net.Run(Duration::Milliseconds(1));
    net.now = net.now + Duration::Milliseconds(1);
  }
  const std::size_t first = net.toys[6].relay.remembered() > 0 ? 6 : 5;
  net.dead.insert({first, 7});
  net.Run(Duration::Milliseconds(60));
  net.toys[first].up = false;
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
}

TEST(RelayTest, SuspectLinksComeLastAndRecover) {
  ToyNet net(3);
  net.config.relay.detours = 4;
  net.Link(0, 1);
  net.Link(1, 2);
  net.Link(0, 2);
  net.dead.insert({0, 2});
  net.Send(0, net.toys[2].id, 1);
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  const Link* link = net.toys[0].links.Find(net.toys[2].ref, net.Part(0));
  ASSERT_NE(link, nullptr);
  EXPECT_TRUE(link->suspect);
  net.dead.clear();
  net.Inject(2, 0, HopAck{0, HopStatus::kUnknown});
  EXPECT_FALSE(link->suspect);
  net.ExpectQuiet();
}

// Its round trip takes three hundred times as long as those that the sender has seen.
TEST(RelayTest, AFarLinkIsNotSuspectedForThePaceOfANearOne) {
  ToyNet net(3);
  net.Link(0, 1);
  net.Link(0, 2);
  net.delays = {{{0, 1}, Duration::Microseconds(500)}, {{0, 2}, Duration::Milliseconds(150)}};
  for (std::uint32_t i = 0; i < 50; ++i) {
    net.Send(0, net.toys[1].id, i);
    net.Run();
  }
  net.Send(0, net.toys[2].id, 50);
  const Link* far = net.toys[0].links.Find(net.toys[2].ref, net.Part(0));
  for (int ms = 0; ms < 400; ++ms) {
    net.Run(Duration::Milliseconds(1));
    ASSERT_FALSE(far->suspect) << ms;
  }
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 50));
  EXPECT_EQ(net.data_messages, 51U);
  net.ExpectQuiet();
}

TEST(RelayTest, TooManySendsFailWithOverload) {
  ToyNet net(2);
  net.config.relay.max_pending = 4;
  net.Link(0, 1);
  for (std::uint32_t i = 0; i < 6; ++i) net.Send(0, net.toys[1].id, i);
  net.Run();
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(net.IsDelivered(0, i));
  EXPECT_EQ(net.Failure(0, 4), FailReason::kOverload);
  EXPECT_EQ(net.Failure(0, 5), FailReason::kOverload);
  net.ExpectQuiet();
}

TEST(RelayTest, FullRelayRefusesAndTheMessageGoesElsewhere) {
  ToyNet net(64);
  net.LinkAllBuckets();
  net.config.relay.max_pending = 8;
  for (std::uint32_t i = 0; i < 60; ++i) net.Send(i, net.toys[63].id, i);
  net.Run();
  for (std::uint32_t i = 0; i < 60; ++i) EXPECT_TRUE(net.EndOf(i, i).has_value());
  EXPECT_GT(net.drops[static_cast<std::size_t>(DropReason::kOverload)], 0U);
  net.ExpectQuiet();
}

TEST(RelayTest, HostileInputIsCountedAndDropped) {
  ToyNet net(4);
  net.Link(0, 1);
  Forward forward{};
  forward.id = 77;
  forward.origin = net.toys[3].id;
  forward.target = net.toys[0].id;
  forward.payload = net.NewPayload();
  net.Inject(2, 0, forward);  // no link
  net.Inject(2, 0, HopAck{1, HopStatus::kAccepted});
  net.Inject(2, 0, HopProbe{1, 77});
  EXPECT_EQ(net.drops[static_cast<std::size_t>(DropReason::kNotLinked)], 3U);
  net.Inject(1, 0, HopAck{1, HopStatus::kAccepted});
  EXPECT_EQ(net.drops[static_cast<std::size_t>(DropReason::kUnknownHop)], 1U);
  for (const std::size_t target : {0U, 3U}) {  // in our name
    forward.origin = net.toys[0].id;
    forward.target = net.toys[target].id;
    forward.payload = net.NewPayload();
    net.Inject(1, 0, forward);
  }
  EXPECT_EQ(net.drops[static_cast<std::size_t>(DropReason::kSelf)], 2U);
  for (const ForwardKind kind : {ForwardKind::kReceipt, ForwardKind::kUnreachable,
                                 ForwardKind::kConnectAccept, static_cast<ForwardKind>(200)}) {
    Forward answer{};
    answer.id = 1000 + static_cast<std::uint64_t>(kind);
    answer.origin = net.toys[3].id;
    answer.target = net.toys[0].id;
    answer.kind = kind;
    answer.copy = 200;
    answer.hops = 255;
    answer.payload = net.NewPayload();
    net.Inject(1, 0, answer);
  }
  EXPECT_EQ(net.drops[static_cast<std::size_t>(DropReason::kUnknownRpc)], 4U);
  forward.origin = net.toys[3].id;
  forward.target = net.toys[2].id;
  forward.id = 5;
  forward.ttl = 255;
  forward.hops = 255;
  forward.detours = 255;
  forward.copy = 255;
  forward.detouring = true;
  forward.wants_receipt = true;
  forward.payload = net.NewPayload();
  net.Inject(1, 0, forward);
  net.Run();
  net.ExpectQuiet();
}

TEST(RelayTest, StopEndsEverything) {
  ToyNet net(16);
  net.LinkAllBuckets();
  for (std::uint32_t i = 0; i < 5; ++i) net.Send(i, net.toys[15].id, i, 2);
  net.Run(Duration::Milliseconds(30));
  for (std::size_t i = 0; i < net.toys.size(); ++i) {
    net.toys[i].relay.Stop(net.Part(i));
    net.toys[i].up = false;
    net.Drain(i);
  }
  net.Run();
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(net.Failure(i, i), FailReason::kLeft);
  net.ExpectQuiet();
}

}  // namespace
}  // namespace tombolo
