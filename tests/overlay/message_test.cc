#include "overlay/message.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tombolo {
namespace {

constexpr Payload kPayload{.handle = 7, .bytes = 100};

Record ExampleRecord() { return {{}, kPayload, 1, Duration::Hours(1)}; }

Forward ExampleForward() {
  Forward forward{};
  forward.payload = kPayload;
  return forward;
}

GossipPush ExamplePush() {
  GossipPush push{};
  push.payload = kPayload;
  return push;
}

// Sizes as the comment in message.h counts them: 8 bytes of framing, 4 per rpc number, 20 per id,
// 8 each for a sequence and a time to live, 26 per contact.
struct SizeCase {
  Message message;
  std::uint32_t bytes;
  bool has_payload;
};

std::vector<SizeCase> SizeCases(ListHandle three_contacts) {
  return {
      {Ping{1}, 8 + 4, false},
      {Pong{1}, 8 + 4, false},
      {FindNode{1, {}}, 8 + 4 + 20, false},
      {FindValue{1, {}}, 8 + 4 + 20, false},
      {Nodes{1, ListHandle::kEmpty}, 8 + 4, false},
      {Nodes{1, three_contacts}, 8 + 4 + 3 * 26, false},
      {Value{1, ExampleRecord()}, 8 + 4 + 20 + 8 + 8 + 100, true},
      {Store{1, ExampleRecord()}, 8 + 4 + 20 + 8 + 8 + 100, true},
      {StoreAck{1, StoreStatus::kFull}, 8 + 4 + 1, false},
      {Leave{}, 8, false},
      {Evict{HangupReason::kFull, 0, {}}, 8 + 2, false},
      {Evict{HangupReason::kFull, 2, {}}, 8 + 2 + 2 * 26, false},
      {ExampleForward(), 8 + 72 + 100, true},
      {Forward{}, 8 + 72, false},
      {HopAck{1, HopStatus::kAccepted}, 8 + 4 + 1, false},
      {HopProbe{1, 2}, 8 + 4 + 8, false},
      {ExamplePush(), 8 + 46 + 100, true},
      {GossipHave{{}, {}, 3}, 8 + 1 + 3 * 9, false},
      {GossipGraft{{}, 4}, 8 + 1 + 4 * 8, false},
      {GossipPrune{1}, 8 + 8, false},
      {GossipCount{1, 2}, 8 + 12, false},
      {UnifyLookup{1, {}, 2, 3}, 8 + 4 + 26 + 1 + 1, false},
      {UnifyTry{1, {}, {}}, 8 + 4 + 26 + 26, false},
      {UnifyDetected{1, {}, 2}, 8 + 4 + 26 + 1, false},
  };
}

TEST(Message, SizesFollowTheCompactEncoding) {
  ContactLists lists;
  const std::vector<PeerRef> three(3);
  for (const SizeCase& c : SizeCases(lists.Add(three))) {
    EXPECT_EQ(WireBytes(c.message, lists), c.bytes) << kMessageNames[c.message.index()];
  }
}

TEST(Message, PayloadsAreFoundInTheKindsThatCarryOne) {
  for (const SizeCase& c : SizeCases(ListHandle::kEmpty)) {
    EXPECT_EQ(PayloadOf(c.message), c.has_payload ? kPayload : Payload{})
        << kMessageNames[c.message.index()];
  }
}

TEST(Message, ListsAreFoundInTheKindsThatCarryOne) {
  const auto handle = static_cast<ListHandle>(3);
  EXPECT_EQ(ListOf(Nodes{1, handle}), handle);
  RingNeighbours neighbours{};
  neighbours.contacts = handle;
  EXPECT_EQ(ListOf(neighbours), handle);
  MergeMeet meet{};
  meet.contacts = handle;
  EXPECT_EQ(ListOf(meet), handle);
  for (const SizeCase& c : SizeCases(handle)) {
    const Nodes* nodes = std::get_if<Nodes>(&c.message);
    EXPECT_EQ(ListOf(c.message), nodes != nullptr ? nodes->contacts : ListHandle::kEmpty);
  }
}

TEST(Message, NamesAreThoseOfTheKinds) {
  EXPECT_EQ(kMessageNames[Message(Ping{}).index()], "ping");
  EXPECT_EQ(kMessageNames[Message(HopProbe{}).index()], "hop_probe");
  EXPECT_EQ(kMessageNames[Message(MergeRefreshed{}).index()], "merge_refreshed");
  const std::set<std::string_view> distinct(kMessageNames.begin(), kMessageNames.end());
  EXPECT_EQ(distinct.size(), kMessageKinds);
  EXPECT_FALSE(distinct.contains(""));
}

}  // namespace
}  // namespace tombolo
