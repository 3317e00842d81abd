// Peers that cannot be dialled, among those who can: what they may stand in the way of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/peer.h"
#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

constexpr Duration kHour = Duration::Hours(1);

NodeId IdOf(std::uint32_t top) { return NodeId{{top, 0, 0, 0, 0}}; }

// The host's part of a link that `hidden` opens, at both ends. What they do at once is not carried
// out.
void OpenLink(ToyOverlay& toy, PeerRef hidden, PeerRef to) {
  toy.at(to).LinkUp(hidden, {.outbound = false, .dialable = false}, toy.step());
  toy.at(hidden).LinkUp(to, {.outbound = true, .dialable = true}, toy.step());
  toy.out.Clear();
}

class HiddenPeers : public testing::Test {
 protected:
  HiddenPeers() { toy_.config.links.max_links = 64; }

  PeerRef AddMember(std::uint32_t top, bool dialable) {
    const PeerRef peer = toy_.AddPeer(IdOf(top), {.dialable = dialable});
    toy_.Join(peer, {});
    return peer;
  }

  ToyOverlay toy_;
};

TEST_F(HiddenPeers, TakeNobodysPlaceInAnAnswer) {
  const PeerRef asked = AddMember(1, true);
  std::vector<PeerRef> hidden;
  std::vector<PeerRef> dialable;
  for (std::uint32_t i = 0; i < 6; ++i) {
    hidden.push_back(AddMember(0x40000000U + i * 0x08000000U, false));
    OpenLink(toy_, hidden.back(), asked);
  }
  for (std::uint32_t i = 0; i < 6; ++i) {
    dialable.push_back(AddMember(0x80000000U + i * 0x14000000U, true));
    toy_.Deliver(dialable.back(), asked, Ping{1});
  }
  toy_.log.clear();
  toy_.Deliver(dialable[5], asked, FindNode{7, IdOf(0x40000000U), 0});
  ASSERT_EQ(toy_.log.size(), 1U);
  const auto named = toy_.lists.Get(ListOf(toy_.log[0].message));
  const auto can_be_dialled = [&](PeerRef peer) { return toy_.ids.dialable(peer); };
  // k = 4 of each sort; four fit into a bucket, which the asker is not in.
  EXPECT_EQ(std::ranges::count_if(named, can_be_dialled), 4);
  EXPECT_EQ(named.size(), 8U);
  toy_.log.clear();
  toy_.Deliver(hidden[0], asked, FindNode{8, IdOf(0x40000000U), 0});
  const auto others = toy_.lists.Get(ListOf(toy_.log.at(0).message));
  EXPECT_EQ(std::ranges::find(others, hidden[0]), others.end());
  EXPECT_EQ(others.size(), 7U);
}

// All who could be dialled have failed, as while a path was cut. Nobody asks a peer that nobody
// knows; those that have dialled it do know others.
TEST_F(HiddenPeers, LeadAPeerBackThatHasLostAllOthers) {
  const PeerRef lost = AddMember(0x10000000U, true);
  const PeerRef other = AddMember(0xa0000000U, true);
  const PeerRef hidden = AddMember(0x60000000U, false);
  OpenLink(toy_, hidden, lost);
  OpenLink(toy_, hidden, other);
  ASSERT_EQ(toy_.at(lost).table().live_count(), 1U);
  toy_.RunFor(kHour * 2);
  const auto found = toy_.at(lost).table().live(0);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], other);
}

// The same where others are alive, but nobody who can be dialled in the half of the id space that
// was cut off.
TEST_F(HiddenPeers, LeadAPeerBackIntoABucketOfWhichTheyAreAllThatIsLeft) {
  const PeerRef lost = AddMember(0x10000000U, true);
  const PeerRef beside = AddMember(0x20000000U, true);
  const PeerRef other = AddMember(0xa0000000U, true);
  const PeerRef hidden = AddMember(0xe0000000U, false);
  OpenLink(toy_, hidden, lost);
  OpenLink(toy_, hidden, other);
  toy_.Deliver(beside, lost, Ping{1});
  ASSERT_EQ(toy_.at(lost).table().live_count(), 2U);
  toy_.RunFor(kHour * 2);
  const auto found = toy_.at(lost).table().live(0);
  EXPECT_NE(std::ranges::find(found, other), found.end());
}

// It is a neighbour by the link alone, and that does not stay.
TEST_F(HiddenPeers, TakeNobodysPlaceAmongTheNeighboursWhenTurnedAway) {
  toy_.config.overlay = OverlayKind::kBoth;
  toy_.config.ring.successors = 2;
  toy_.config.ring.predecessors = 2;
  toy_.config.links.max_links = 4;
  toy_.config.links.reserved = 0;
  toy_.config.links.per_bucket = 4;  // so that nobody may go
  const PeerRef full = AddMember(0x10000000U, true);
  std::vector<PeerRef> linked;
  for (const std::uint32_t top : {0x20000000U, 0x30000000U, 0xe0000000U, 0xf0000000U}) {
    linked.push_back(AddMember(top, true));
    toy_.at(full).LinkUp(linked.back(), {.outbound = false, .dialable = true}, toy_.step());
  }
  toy_.out.Clear();
  const Neighbours& neighbours = toy_.at(full).ring()->neighbours();
  const std::vector<PeerRef> before(neighbours.all().begin(), neighbours.all().end());
  ASSERT_EQ(before, (std::vector<PeerRef>{linked[0], linked[1], linked[3], linked[2]}));
  const PeerRef hidden = AddMember(0x18000000U, false);
  toy_.at(full).LinkUp(hidden, {.outbound = false, .dialable = false}, toy_.step());
  ASSERT_EQ(toy_.out.hangups().size(), 1U);
  ASSERT_EQ(toy_.out.hangups()[0].peer, hidden);
  EXPECT_EQ(std::vector<PeerRef>(neighbours.all().begin(), neighbours.all().end()), before);
}

// Built as a member of an island in which nobody can be dialled.
TEST_F(HiddenPeers, OpenLinksOnceTheyKnowSomebodyWhoCanBeDialled) {
  const PeerRef hidden = toy_.AddPeer(IdOf(0x10000000U), {.dialable = false});
  const PeerRef other = AddMember(0xa0000000U, true);
  RoutingTable table;
  table.Fill(0, std::vector<PeerRef>{other});
  toy_.at(hidden).Build(std::move(table), Time{} + kHour);
  toy_.RunUntil(Time{} + kHour - Duration{1});
  EXPECT_EQ(toy_.at(hidden).parts(), nullptr);
  toy_.RunFor(Duration::Minutes(1));
  ASSERT_NE(toy_.at(hidden).parts(), nullptr);
  ASSERT_TRUE(toy_.at(hidden).parts()->relaying);
  EXPECT_EQ(toy_.at(hidden).parts()->relaying->links.dialing().size(), 1U);
}

// The home that a client leaves is hidden, so that the new home is the only holder of its lease.
TEST_F(HiddenPeers, HearOfAClientThatHasMovedToTheOnlyOtherPeer) {
  const PeerRef home = AddMember(0x10000000U, false);
  const PeerRef next = AddMember(0xa0000000U, true);
  OpenLink(toy_, home, next);
  const NodeId client = IdOf(0x77000000U);
  toy_.Execute(home, AttachClient{1, client, 0});
  toy_.RunFor(Duration::Seconds(2));
  toy_.Execute(next, AttachClient{2, client, 0});
  toy_.RunFor(Duration::Seconds(2));
  ASSERT_EQ(toy_.EventsOf<ClientAttached>(next).size(), 1U);
  ASSERT_EQ(toy_.EventsOf<LeaseLost>(home).size(), 1U);
  EXPECT_EQ(toy_.EventsOf<LeaseLost>(home)[0].home, next);
  toy_.Execute(home, ResolveClient{3, client});
  toy_.RunFor(Duration::Seconds(2));
  ASSERT_EQ(toy_.EventsOf<ClientResolved>(home).size(), 1U);
  EXPECT_EQ(toy_.EventsOf<ClientResolved>(home)[0].home, next);
}

// A sequence that is behind what the home itself holds for another one loses, as with any holder.
TEST_F(HiddenPeers, KeepAClientThatOthersAttachWithAnOlderSequence) {
  const PeerRef home = AddMember(0x10000000U, false);
  const PeerRef next = AddMember(0xa0000000U, true);
  OpenLink(toy_, home, next);
  const NodeId client = IdOf(0x77000000U);
  toy_.Execute(home, AttachClient{1, client, 9});
  toy_.RunFor(Duration::Seconds(2));
  toy_.Execute(next, AttachClient{2, client, 8});
  toy_.RunFor(Duration::Seconds(2));
  ASSERT_EQ(toy_.EventsOf<LeaseLost>(next).size(), 1U);
  EXPECT_EQ(toy_.EventsOf<LeaseLost>(next)[0].home, home);
  EXPECT_TRUE(toy_.EventsOf<LeaseLost>(home).empty());
}

}  // namespace
}  // namespace tombolo
