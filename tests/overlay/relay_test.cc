#include "overlay/relay.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/archive.h"
#include "tests/overlay/toy_net.h"

namespace tombolo {
namespace {

constexpr std::uint64_t Percent(std::uint64_t share) {
  return (std::uint64_t{1} << 32) / 100 * share;
}

struct Totals {
  std::size_t sends = 0;
  std::size_t delivered = 0;
  std::size_t failed = 0;
  std::size_t hops = 0;
};

// Sends between random pairs, one after the other or some at a time, and waits for all.
Totals SendMany(ToyNet& net, std::size_t count, int copies = 1) {
  Rng rng(7);
  Totals totals;
  std::vector<std::size_t> origins;
  for (std::uint32_t request = 0; request < count; ++request) {
    const auto peers = static_cast<std::uint32_t>(net.toys.size());
    const std::size_t from = rng.Below(peers);
    const std::size_t to = (from + 1 + rng.Below(peers - 1)) % peers;
    origins.push_back(from);
    net.Send(from, net.toys[to].id, request, copies);
    net.Run(Duration::Milliseconds(50));
  }
  net.Run();
  for (std::uint32_t request = 0; request < count; ++request) {
    const auto end = net.EndOf(origins[request], request);
    EXPECT_TRUE(end.has_value()) << "request " << request << " ended in silence";
    if (!end) continue;
    ++totals.sends;
    if (const auto* delivered = std::get_if<Delivered>(&*end)) {
      ++totals.delivered;
      totals.hops += delivered->hops;
    } else {
      ++totals.failed;
    }
  }
  return totals;
}

// Section 1.3 of the science notes: 3.85 hops at 1,000 peers with one link per bucket, used both
// ways.
TEST(RelayTest, CompleteBucketsDeliverEverythingOverOneCopyPerHop) {
  for (const auto& [peers, low, high] : {std::tuple<std::size_t, double, double>{256, 2.6, 3.2},
                                         std::tuple<std::size_t, double, double>{1024, 3.6, 4.1}}) {
    ToyNet net(peers);
    net.LinkAllBuckets();
    const Totals totals = SendMany(net, 500);
    EXPECT_EQ(totals.delivered, totals.sends);
    EXPECT_EQ(net.data_messages, totals.hops);
    const double mean = static_cast<double>(totals.hops) / static_cast<double>(totals.sends);
    EXPECT_GT(mean, low) << peers;
    EXPECT_LT(mean, high) << peers;
    net.ExpectQuiet();
  }
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

TEST(RelayTest, RingLinksLeadOutOfLocalMinima) {
  ToyNet net(64);
  net.config.relay.detours = 64;
  net.config.relay.ttl = 200;
  net.LinkRing(2);
  const Totals totals = SendMany(net, 300);
  EXPECT_EQ(totals.delivered, totals.sends);
  net.ExpectQuiet();
}

TEST(RelayTest, WithoutDetoursALocalMinimumEndsInUnreachable) {
  ToyNet net(64);
  net.config.relay.detours = 0;
  net.LinkRing(2);
  const Totals totals = SendMany(net, 300);
  EXPECT_GT(totals.failed, 0U);
  EXPECT_EQ(totals.failed + totals.delivered, 300U);
  net.ExpectQuiet();
}

TEST(RelayTest, DeadEndsHandTheMessageBack) {
  // 0 - a dead end that is nearest to the target, and a long way round.
  ToyNet net(16);
  const std::size_t target = 15;
  net.Link(0, 14);  // nearest to the target, knows nobody else
  net.Link(0, 3);
  net.Link(3, 5);
  net.Link(5, target);
  net.Send(0, net.toys[target].id, 1);
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  net.ExpectQuiet();
}

TEST(RelayTest, DeadEndsInTheMiddleHandTheMessageBack) {
  ToyNet net(16);
  const std::size_t target = 15;
  net.Link(0, 8);
  net.Link(8, 14);  // from here everything looks best over 14, 12, 13: a blind alley
  net.Link(14, 12);
  net.Link(12, 13);
  net.Link(8, 2);
  net.Link(2, target);
  net.Send(0, net.toys[target].id, 1);
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  EXPECT_EQ(net.Count<MessageArrived>(target), 1U);
  net.ExpectQuiet();
}

TEST(RelayTest, AbsentTargetEndsInUnreachable) {
  ToyNet net(128);
  net.LinkAllBuckets();
  net.LinkRing(4);
  Rng rng(99);
  for (std::uint32_t i = 0; i < 20; ++i) net.Send(i, RandomId(rng), i, i % 2 == 0 ? 1 : 3);
  net.Run();
  for (std::uint32_t i = 0; i < 20; ++i)
    EXPECT_EQ(net.Failure(i, i), FailReason::kUnreachable) << i;
  // Four attempts of a greedy path and sixteen detours each, some of them refused, three copies at
  // most.
  EXPECT_LT(net.data_messages, 20U * 2 * 4 * 60);
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

TEST(RelayTest, WithoutLinksSendsFailAtOnce) {
  ToyNet net(2);
  net.Send(0, net.toys[1].id, 1);
  EXPECT_EQ(net.Failure(0, 1), FailReason::kNoLinks);
  net.ExpectQuiet();
}

TEST(RelayTest, SendingToOneselfDeliversAtOnce) {
  ToyNet net(1);
  net.Send(0, net.toys[0].id, 1);
  EXPECT_TRUE(net.IsDelivered(0, 1));
  EXPECT_EQ(net.Count<MessageArrived>(0), 1U);
  net.ExpectQuiet();
}

TEST(RelayTest, TtlBoundsThePath) {
  ToyNet net(64);
  net.LinkRing(1);
  net.config.relay.ttl = 5;
  net.Send(0, net.toys[20].id, 1);
  net.Run();
  EXPECT_EQ(net.Failure(0, 1), FailReason::kUnreachable);
  EXPECT_GT(net.drops[static_cast<std::size_t>(DropReason::kTtlExceeded)], 0U);
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

TEST(RelayTest, CopiesTakeDisjointPathsAndArriveOnce) {
  ToyNet net(256);
  for (int i = 0; i < 4; ++i) net.LinkAllBuckets();
  const Totals totals = SendMany(net, 200, 4);
  EXPECT_EQ(totals.delivered, totals.sends);
  EXPECT_GT(net.data_messages, 2 * totals.hops);
  std::size_t arrived = 0;
  for (std::size_t i = 0; i < net.toys.size(); ++i) arrived += net.Count<MessageArrived>(i);
  EXPECT_EQ(arrived, totals.sends);
  net.ExpectQuiet();
}

TEST(RelayTest, FireAndForgetIsSilentOnceTaken) {
  ToyNet net(64);
  net.LinkAllBuckets();
  net.Send(1, net.toys[50].id, 1, 1, false);
  net.Send(2, net.toys[50].id, 2, 3, false);
  net.Run();
  EXPECT_EQ(net.Count<MessageArrived>(50), 2U);
  EXPECT_FALSE(net.EndOf(1, 1).has_value());
  EXPECT_FALSE(net.EndOf(2, 2).has_value());
  net.ExpectQuiet();
}

TEST(RelayTest, FireAndForgetFailsIfNobodyTakesIt) {
  ToyNet net(2);
  net.Link(0, 1);
  net.toys[1].up = false;
  net.Send(0, net.toys[1].id, 1, 1, false);
  net.Run();
  EXPECT_EQ(net.Failure(0, 1), FailReason::kUnreachable);
  net.ExpectQuiet();
}

TEST(RelayTest, LinkDownMovesTheMessageOnAtOnce) {
  ToyNet net(8);
  net.Link(0, 6);
  net.Link(6, 7);
  net.Link(0, 5);
  net.Link(5, 7);
  net.toys[6].up = false;
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

TEST(RelayTest, RoundTripsAreLearned) {
  ToyNet net(2);
  net.Link(0, 1);
  net.Send(0, net.toys[1].id, 1);
  net.Run();
  EXPECT_GT(net.toys[0].links.rows()[0].srtt, Duration::Milliseconds(20));
  EXPECT_LT(net.toys[0].links.rows()[0].srtt, Duration::Milliseconds(101));
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
  Totals totals;
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
  for (const std::size_t target : {0, 3}) {  // in our name
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

// Everything a run shows, without refs.
std::vector<std::tuple<std::size_t, std::int64_t, std::size_t, std::uint32_t>> Record(
    const ToyNet& net) {
  std::vector<std::tuple<std::size_t, std::int64_t, std::size_t, std::uint32_t>> record;
  for (std::size_t i = 0; i < net.toys.size(); ++i) {
    for (const auto& [at, event] : net.toys[i].events) {
      const auto* delivered = std::get_if<Delivered>(&event);
      record.emplace_back(i, at.us, event.index(), delivered ? delivered->hops : 0U);
    }
  }
  record.emplace_back(0, 0, net.data_messages, 0);
  record.emplace_back(0, 0, net.control_messages, 0);
  return record;
}

TEST(RelayTest, RefsDecideNothing) {
  const auto run = [](std::vector<std::size_t> order) {
    ToyNet net(96, 3, std::move(order));
    net.LinkAllBuckets();
    net.LinkRing(2);
    net.loss = Percent(3);
    net.dead.insert({16, 17});
    SendMany(net, 200, 2);
    return Record(net);
  };
  std::vector<std::size_t> order(96);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = (i * 37 + 11) % order.size();
  EXPECT_EQ(run({}), run(order));
}

TEST(RelayTest, StateSurvivesSavingAndCopying) {
  const auto run = [](bool disturb) {
    ToyNet net(48);
    net.LinkAllBuckets();
    net.loss = Percent(5);
    for (std::uint32_t i = 0; i < 40; ++i) net.Send(i, net.toys[47 - i % 7].id, i);
    net.Run(Duration::Milliseconds(60));
    for (ToyNet::Toy& toy : net.toys) {
      if (!disturb) continue;
      Writer writer;
      writer(toy.relay, toy.links, toy.requests);
      const auto bytes = writer.Take();
      toy.relay = Relay();
      toy.links = Links();
      Reader reader(bytes);
      reader(toy.relay, toy.links, toy.requests);
      EXPECT_TRUE(reader.ok()) << reader.error();
      EXPECT_TRUE(reader.at_end());
    }
    net.Run();
    net.ExpectQuiet();
    return Record(net);
  };
  EXPECT_EQ(run(false), run(true));
}

}  // namespace
}  // namespace tombolo
