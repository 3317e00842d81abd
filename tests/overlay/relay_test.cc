#include "overlay/relay.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/archive.h"
#include "tests/overlay/relay_traffic.h"
#include "tests/overlay/toy_net.h"

namespace tombolo {
namespace {

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

TEST(RelayTest, RingLinksLeadOutOfLocalMinima) {
  ToyNet net(64);
  net.config.relay.detours = 64;
  net.config.relay.ttl = 200;
  net.LinkRing(2);
  const Totals totals = SendMany(net, 300);
  EXPECT_EQ(totals.delivered, totals.sends);
  net.ExpectQuiet();
}

// Every other peer can only open links, to peers that can be dialled: one per bucket and the
// nearest eight on each side. So others have empty buckets that should not be, and the ring has to
// help.
TEST(RelayTest, PeersThatCannotBeDialledAreReached) {
  ToyNet net(512);
  const std::size_t peers = net.toys.size();
  Rng rng(11);
  for (std::size_t i = 0; i < peers; ++i) {
    std::map<int, std::vector<std::size_t>> buckets;
    for (std::size_t j = 0; j < peers; j += 2) {
      if (j != i) buckets[CommonPrefixLength(net.toys[i].id, net.toys[j].id)].push_back(j);
    }
    for (const auto& [bucket, members] : buckets) {
      net.Link(i, members[rng.Below(static_cast<std::uint32_t>(members.size()))]);
    }
    for (std::size_t step = 1; step <= 16; ++step) {
      for (const std::size_t j : {(i + step) % peers, (i + peers - step) % peers}) {
        if (j % 2 == 0) net.Link(i, j);
      }
    }
  }
  const Totals totals = SendMany(net, 2000);
  EXPECT_EQ(totals.delivered, totals.sends);
  EXPECT_LT(net.data_messages, totals.hops + totals.hops / 20);
  RecordProperty("hops", static_cast<int>(totals.hops));
  RecordProperty("copies", static_cast<int>(net.data_messages));
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

TEST(RelayTest, WithoutLinksSendsWaitForTheFirst) {
  ToyNet net(2);
  net.Send(0, net.toys[1].id, 1);
  net.Send(0, net.toys[1].id, 2, 3, false);
  net.Run(Duration::Seconds(20));
  EXPECT_EQ(net.EndOf(0, 1), std::nullopt);
  net.Link(0, 1);
  net.toys[0].relay.OnFirstLink(net.toys[0].links.rows(), net.Part(0));
  net.Drain(0);
  net.Run();
  EXPECT_TRUE(net.IsDelivered(0, 1));
  EXPECT_EQ(net.Count<MessageArrived>(1), 2U);
  net.ExpectQuiet();
}

TEST(RelayTest, WithoutLinksSendsFailAtTheirDeadlineAndWaitNoLongerThanADay) {
  ToyNet net(2);
  net.Send(0, net.toys[1].id, 1);
  net.Send(0, net.toys[1].id, 2, 1, false);
  net.Send(0, net.toys[1].id, 3, 1, true, Duration{kNever.us});
  net.Run(Duration::Seconds(29));
  EXPECT_TRUE(net.toys[0].events.empty());
  net.Run(Duration::Hours(24));
  for (std::uint32_t request = 1; request <= 3; ++request)
    EXPECT_EQ(net.Failure(0, request), FailReason::kNoLinks) << request;
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

TEST(RelayTest, RoundTripsAreLearned) {
  ToyNet net(2);
  net.Link(0, 1);
  net.Send(0, net.toys[1].id, 1);
  net.Run();
  EXPECT_GT(net.toys[0].links.rows()[0].srtt, Duration::Milliseconds(20));
  EXPECT_LT(net.toys[0].links.rows()[0].srtt, Duration::Milliseconds(101));
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
