#include "overlay/message.h"

#include <gtest/gtest.h>

#include <string>
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
      {ExampleForward(), 8 + 68 + 100, true},
      {Forward{}, 8 + 68, false},
      {HopAck{1, HopStatus::kAccepted}, 8 + 4 + 1, false},
      {HopProbe{1, 2}, 8 + 4 + 8, false},
      {GossipPush{.payload = kPayload}, 8 + 46 + 100, true},
      {GossipHave{{}, {}, 3}, 8 + 1 + 3 * 9, false},
      {GossipGraft{{}, 4}, 8 + 1 + 4 * 8, false},
      {GossipPrune{1}, 8 + 8, false},
      {GossipCount{1, 2}, 8 + 12, false},
  };
}

TEST(Message, SizesFollowTheCompactEncoding) {
  ContactLists lists;
  const std::vector<PeerRef> three(3);
  for (const SizeCase& c : SizeCases(lists.Add(three))) {
    EXPECT_EQ(WireBytes(c.message, lists), c.bytes) << kMessageNames[c.message.index()];
  }
}

TEST(Message, OnlyForwardsValuesAndStoresCarryAPayload) {
  for (const SizeCase& c : SizeCases(ListHandle::kEmpty)) {
    EXPECT_EQ(PayloadOf(c.message), c.has_payload ? kPayload : Payload{})
        << kMessageNames[c.message.index()];
  }
}

TEST(Message, OnlyNodesCarryAList) {
  const auto handle = static_cast<ListHandle>(3);
  for (const SizeCase& c : SizeCases(handle)) {
    const Nodes* nodes = std::get_if<Nodes>(&c.message);
    EXPECT_EQ(ListOf(c.message), nodes != nullptr ? nodes->contacts : ListHandle::kEmpty);
  }
  EXPECT_EQ(ListOf(Nodes{1, handle}), handle);
}

TEST(Message, NamesStandInTheOrderOfTheVariant) {
  const std::vector<std::pair<Message, std::string>> cases = {
      {Ping{}, "ping"},          {Pong{}, "pong"},
      {FindNode{}, "find_node"}, {FindValue{}, "find_value"},
      {Nodes{}, "nodes"},        {Value{}, "value"},
      {Store{}, "store"},        {StoreAck{}, "store_ack"},
      {Leave{}, "leave"},        {Evict{}, "evict"},
      {Forward{}, "forward"},    {HopAck{}, "hop_ack"},
      {HopProbe{}, "hop_probe"},
  };
  ASSERT_EQ(cases.size(), kMessageKinds);
  for (const auto& [message, name] : cases) EXPECT_EQ(kMessageNames[message.index()], name);
}

}  // namespace
}  // namespace tombolo
