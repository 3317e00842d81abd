// What peers name when they are asked who is close to an id.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/peer.h"
#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

TEST(Answers, NameMoreContactsOnRequestButNoMoreThanTwiceK) {
  ToyOverlay toy;
  toy.Grow(60);
  const PeerRef asked{3};
  for (const auto& [more, named] : {std::pair{0U, 4U}, {1U, 5U}, {4U, 8U}, {5U, 8U}, {~0U, 8U}}) {
    toy.log.clear();
    toy.Deliver(PeerRef{1}, asked, FindNode{12, toy.ids.id(PeerRef{7}), more});
    EXPECT_EQ(toy.lists.Get(ListOf(toy.log.at(0).message)).size(), named) << more;
  }
}

TEST(Answers, DoNotNameTheAskerButAnotherInItsPlace) {
  ToyOverlay toy;
  toy.Grow(60);
  const PeerRef asked{3};
  for (std::uint32_t i = 4; i < 60; ++i) {
    const PeerRef asker{i};
    const NodeId& target = toy.ids.id(asker);
    for (const Message& question :
         {Message(FindNode{12, target, 0}), Message(FindValue{12, target}),
          Message(FindLease{12, target})}) {
      toy.log.clear();
      toy.Deliver(asker, asked, question);
      const auto named = toy.lists.Get(ListOf(toy.SentBy<Nodes>(asked).at(0).message));
      EXPECT_EQ(named.size(), 4U);
      EXPECT_EQ(std::ranges::find(named, asker), named.end());
    }
  }
}

TEST(Answers, RepeatTheNumberOfTheirRequest) {
  ToyOverlay toy;
  toy.Grow(20);
  toy.log.clear();
  const PeerRef asked{3};
  const NodeId target = toy.ids.id(PeerRef{7});
  toy.Deliver(PeerRef{1}, asked, Ping{11});
  toy.Deliver(PeerRef{1}, asked, FindNode{12, target});
  toy.Deliver(PeerRef{1}, asked, FindValue{13, target});
  ASSERT_EQ(toy.log.size(), 3U);
  EXPECT_EQ(std::get<Pong>(toy.log[0].message).rpc, 11U);
  EXPECT_EQ(std::get<Nodes>(toy.log[1].message).rpc, 12U);
  EXPECT_EQ(std::get<Nodes>(toy.log[2].message).rpc, 13U);
  std::vector<PeerRef> contacts(5);
  contacts.resize(toy.at(asked).table().Closest(toy.ids.id(asked), target, 5, toy.ids, contacts));
  ASSERT_EQ(std::erase(contacts, PeerRef{1}), 1U);
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(toy.log[i].to, PeerRef{1});
    const auto list = toy.lists.Get(ListOf(toy.log[i].message));
    EXPECT_EQ(std::vector<PeerRef>(list.begin(), list.end()), contacts);
  }
}

}  // namespace
}  // namespace tombolo
