#include "overlay/rooms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/archive.h"
#include "overlay/config.h"
#include "overlay/directory.h"
#include "overlay/outbox.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {
namespace {

// Homes made of this part alone; every message arrives 10 ms later unless `drop` says otherwise.
class RoomsTest : public testing::Test {
 protected:
  struct Home {
    NodeId id;
    Rng rng;
    Rooms rooms;
    std::vector<RoomChanged> heard;
  };

  void Grow(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      homes_.push_back({RandomId(rng_), Rng(i), {}, {}});
      ids_.Add(homes_.back().id);
    }
  }
  PartStep Step(std::size_t i) {
    return {{now_, config_, ids_, lists_, out_},
            PeerRef{static_cast<std::uint32_t>(i)},
            homes_[i].id,
            homes_[i].rng};
  }
  void Drain(std::size_t i) {
    for (const OutgoingMessage& sent : out_.sends()) {
      ++sent_;
      if (drop_ && drop_(i, Index(sent.to), sent.message)) continue;
      flights_.insert({now_ + Duration::Milliseconds(10), {i, Index(sent.to), sent.message}});
    }
    for (const Event& event : out_.events())
      homes_[i].heard.push_back(std::get<RoomChanged>(event));
    for (std::size_t reason = 0; reason < kDropReasons; ++reason)
      drops_[reason] += out_.drops()[reason];
    out_.Clear();
  }
  bool Join(std::size_t home, const NodeId& client) {
    const bool joined = homes_[home].rooms.Join(room_, client, Step(home));
    Drain(home);
    return joined;
  }
  void Leave(std::size_t home, const NodeId& client) {
    homes_[home].rooms.Leave(room_, client, Step(home));
    Drain(home);
  }
  // As a holder of the room's lease would.
  void Introduce(std::size_t home, std::size_t other) {
    const PeerRef peer{static_cast<std::uint32_t>(other)};
    homes_[home].rooms.OnHomes(room_, {&peer, 1}, Step(home));
    Drain(home);
  }
  void Receive(std::size_t from, std::size_t to, const Message& message) {
    Rooms& rooms = homes_[to].rooms;
    const PeerRef peer{static_cast<std::uint32_t>(from)};
    const PartStep step = Step(to);
    std::visit(
        [&](const auto& body) {
          if constexpr (requires { rooms.On(peer, body, step); }) rooms.On(peer, body, step);
        },
        message);
    Drain(to);
  }
  void RunFor(Duration span) {
    const Time end = now_ + span;
    for (;;) {
      std::size_t due = 0;
      for (std::size_t i = 1; i < homes_.size(); ++i) {
        if (homes_[i].rooms.next_deadline() < homes_[due].rooms.next_deadline()) due = i;
      }
      const Time timer = homes_[due].rooms.next_deadline();
      const Time flight = flights_.empty() ? kNever : flights_.begin()->first;
      if (std::min(timer, flight) > end) break;
      now_ = std::max(now_, std::min(timer, flight));
      if (flight <= timer) {
        const auto [from, to, message] = flights_.begin()->second;
        flights_.erase(flights_.begin());
        Receive(from, to, message);
      } else {
        homes_[due].rooms.OnTimer(Step(due));
        Drain(due);
      }
    }
    now_ = end;
  }
  std::set<NodeId> Seen(std::size_t home) const {
    std::set<NodeId> seen;
    for (const RoomMember& member : homes_[home].rooms.View(room_, PeerRef::kNone))
      seen.insert(member.client);
    return seen;
  }
  // How often a home heard that a client joined or left.
  int Heard(std::size_t home, const NodeId& client, bool joined) const {
    return static_cast<int>(
        std::ranges::count_if(homes_[home].heard, [&](const RoomChanged& change) {
          return change.client == client && change.joined == joined;
        }));
  }
  void Cut(std::size_t boundary) {
    drop_ = [boundary](std::size_t from, std::size_t to, const Message&) {
      return (from < boundary) != (to < boundary);
    };
  }

  Config config_;
  Directory ids_;
  ContactLists lists_;
  Outbox out_;
  Time now_;
  Rng rng_{3};
  NodeId room_ = RandomId(rng_);
  std::vector<Home> homes_;
  std::multimap<Time, std::tuple<std::size_t, std::size_t, Message>> flights_;
  std::function<bool(std::size_t, std::size_t, const Message&)> drop_;
  std::array<std::uint32_t, kDropReasons> drops_{};
  std::size_t sent_ = 0;
  const NodeId a_ = RandomId(rng_);
  const NodeId b_ = RandomId(rng_);
  const NodeId c_ = RandomId(rng_);
};

constexpr Duration kSecond = Duration::Seconds(1);

TEST_F(RoomsTest, HomesThatMeetSeeEachOthersMembersOnce) {
  Grow(2);
  Join(0, a_);
  Join(1, b_);
  Introduce(1, 0);
  RunFor(kSecond);
  Join(0, c_);
  RunFor(kSecond);
  for (const std::size_t home : {0U, 1U}) {
    EXPECT_EQ(Seen(home), (std::set{a_, b_, c_}));
    for (const NodeId& client : {a_, b_, c_}) EXPECT_EQ(Heard(home, client, true), 1);
  }
  Leave(0, a_);
  RunFor(kSecond);
  EXPECT_EQ(Heard(1, a_, false), 1);
  RunFor(Duration::Minutes(5));
  EXPECT_EQ(homes_[1].heard.size(), 4U) << "nothing is repeated";
}

TEST_F(RoomsTest, AnIdleRoomCostsTwoDigestsPerPairAndInterval) {
  Grow(2);
  Join(0, a_);
  Join(1, b_);
  Introduce(1, 0);
  RunFor(Duration::Minutes(1));
  sent_ = 0;
  RunFor(Duration::Minutes(4));
  EXPECT_NEAR(static_cast<double>(sent_), 40, 4);
}

TEST_F(RoomsTest, ManyMembersComeInBursts) {
  Grow(2);
  for (int i = 0; i < 501; ++i) Join(0, RandomId(rng_));
  Join(1, b_);
  Introduce(1, 0);
  RunFor(kSecond * 3);
  EXPECT_EQ(Seen(1).size(), 502U);
  EXPECT_EQ(Seen(0), Seen(1));
}

TEST_F(RoomsTest, ViewsConvergeAfterLoss) {
  Grow(4);
  Rng loss(9);
  drop_ = [&](std::size_t, std::size_t, const Message&) { return loss.Chance(1U << 30); };
  for (std::size_t i = 0; i < 4; ++i) Join(i, RandomId(rng_));
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < i; ++j) Introduce(i, j);
  }
  for (int i = 0; i < 200; ++i) {
    Join(static_cast<std::size_t>(i) % 4, RandomId(rng_));
    RunFor(Duration::Milliseconds(50));
  }
  drop_ = nullptr;
  RunFor(kSecond * 30);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(Seen(i).size(), 204U) << i;
}

TEST_F(RoomsTest, AMemberAtTwoHomesJoinsOnceAndLeavesOnce) {
  Grow(3);
  for (std::size_t i = 0; i < 3; ++i) Join(i, RandomId(rng_));
  Introduce(1, 0);
  Introduce(2, 0);
  Introduce(2, 1);
  RunFor(kSecond);
  Join(0, a_);
  RunFor(kSecond);
  Join(1, a_);
  RunFor(kSecond);
  Leave(0, a_);
  RunFor(kSecond);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(Heard(i, a_, true), 1);
    EXPECT_EQ(Heard(i, a_, false), 0);
  }
  Leave(1, a_);
  RunFor(kSecond);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(Heard(i, a_, false), 1);
}

TEST_F(RoomsTest, AfterASplitMembersHearLeftAndJoinedOnceEach) {
  Grow(2);
  Join(0, a_);
  Join(1, b_);
  Introduce(1, 0);
  RunFor(kSecond);
  Cut(1);
  RunFor(Duration::Minutes(2));
  EXPECT_EQ(Seen(0), std::set{a_});
  EXPECT_EQ(Heard(0, b_, false), 1);
  Join(0, c_);
  drop_ = nullptr;
  Introduce(0, 1);
  Introduce(1, 0);
  RunFor(kSecond * 5);
  for (const std::size_t home : {0U, 1U}) EXPECT_EQ(Seen(home), (std::set{a_, b_, c_}));
  EXPECT_EQ(Heard(0, b_, true), 2) << "before the split and after it";
  EXPECT_EQ(Heard(0, b_, false), 1);
  EXPECT_EQ(Heard(1, c_, true), 1);
}

TEST_F(RoomsTest, AfterAShortSplitMembersHearOnlyWhatHasChanged) {
  Grow(2);
  Join(0, a_);
  Join(1, b_);
  Introduce(1, 0);
  RunFor(kSecond);
  Cut(1);
  RunFor(kSecond * 10);
  Join(0, c_);
  drop_ = nullptr;
  RunFor(kSecond * 20);
  EXPECT_EQ(homes_[1].heard.size(), 3U);
  EXPECT_EQ(Heard(1, c_, true), 1);
  EXPECT_EQ(Heard(1, a_, false), 0);
}

TEST_F(RoomsTest, WhoLeavesLastIsNoHomeAndOthersForgetIt) {
  Grow(2);
  Join(0, a_);
  Join(1, b_);
  Introduce(1, 0);
  RunFor(kSecond);
  Leave(1, b_);
  EXPECT_TRUE(homes_[1].rooms.idle());
  RunFor(kSecond);
  EXPECT_EQ(Seen(0), std::set{a_});
  sent_ = 0;
  RunFor(Duration::Minutes(2));
  EXPECT_EQ(sent_, 0U);
}

TEST_F(RoomsTest, LimitsHold) {
  config_.attach.max_rooms = 1;
  config_.attach.max_members = 2;
  config_.attach.max_homes = 2;
  Grow(3);
  EXPECT_TRUE(Join(0, a_));
  EXPECT_TRUE(Join(0, b_));
  EXPECT_TRUE(Join(0, b_)) << "is a member";
  EXPECT_FALSE(Join(0, c_));
  EXPECT_FALSE(homes_[0].rooms.Join(c_, a_, Step(0)));
  Drain(0);
  EXPECT_EQ(drops_[static_cast<std::size_t>(DropReason::kOverload)], 2U);
  Join(1, c_);
  Introduce(1, 0);
  RunFor(kSecond);
  EXPECT_EQ(Seen(1), (std::set{a_, b_, c_}));
  Introduce(1, 2);
  EXPECT_EQ(drops_[static_cast<std::size_t>(DropReason::kOverload)], 3U);
}

TEST_F(RoomsTest, HostileInputIsDropped) {
  Grow(3);
  Join(0, a_);
  RoomMembers members{};
  members.room = room_;
  members.total = 9;
  members.first = 60'000;
  Receive(1, 0, members);
  members.room = c_;
  Receive(1, 0, members);
  EXPECT_EQ(drops_[static_cast<std::size_t>(DropReason::kUnknownRpc)], 2U);
  RoomVersions versions{};
  versions.count = 255;
  Receive(1, 0, versions);
  Receive(1, 0, RoomGone{c_});
  Receive(1, 0, RoomAsk{room_, 65'535});
  const PeerRef nobody{99};
  homes_[0].rooms.OnHomes(room_, {&nobody, 1}, Step(0));
  Drain(0);
  EXPECT_EQ(Seen(0), std::set{a_});
  // Ids that do not ascend are no members.
  Introduce(0, 1);
  Receive(1, 0, RoomChange{room_, b_, 7, true});
  members.room = room_;
  members.total = 2;
  members.first = 0;
  members.members = {std::max(b_, c_), std::min(b_, c_)};
  Receive(1, 0, members);
  EXPECT_EQ(Seen(0), std::set{a_});
}

TEST_F(RoomsTest, AreTheSameAfterSavingAndLoading) {
  Grow(2);
  Join(0, a_);
  Join(1, b_);
  Introduce(1, 0);
  RunFor(kSecond);
  const auto saved = Saved(homes_[0].rooms);
  Reader reader(saved);
  Rooms copy;
  reader(copy);
  ASSERT_TRUE(reader.ok()) << reader.error();
  EXPECT_EQ(Saved(copy), saved);
  EXPECT_EQ(copy.View(room_, PeerRef{0}).size(), 2U);
}

}  // namespace
}  // namespace tombolo
