#include "sim/flights.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "overlay/archive.h"

namespace tombolo::sim {
namespace {

// One message of every kind, each byte of it set.
template <class... Kinds>
std::vector<Message> OneOfEach(MessageFamily<Kinds...>) {
  std::vector<Message> messages;
  const auto add = [&](auto body) {
    // 1 is a value of every field, flags included.
    std::memset(static_cast<void*>(&body), 1, sizeof(body));
    messages.push_back(body);
  };
  (add(Kinds{}), ...);
  return messages;
}

bool AreEqual(const Message& a, const Message& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&](const auto& body) {
        const auto& other = std::get<std::remove_cvref_t<decltype(body)>>(b);
        const bool empty = std::is_empty_v<std::remove_cvref_t<decltype(body)>>;
        return empty || std::memcmp(&body, &other, sizeof(body)) == 0;
      },
      a);
}

TEST(Flights, EveryKindOfMessageArrivesAsItWasSent) {
  const std::vector<Message> messages = OneOfEach(AllMessages{});
  ASSERT_EQ(messages.size(), kMessageKinds);
  Flights flights;
  std::vector<std::uint32_t> numbers;
  for (const Message& message : messages) {
    numbers.push_back(flights.Add(FlightKind::kMessage, LinkDownReason::kClosed, message));
  }
  EXPECT_EQ(flights.in_use(), kMessageKinds);
  Writer writer;
  writer(flights);
  Flights loaded;
  Reader reader(writer.bytes());
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_TRUE(AreEqual(flights.Get(numbers[i]).message, messages[i])) << kMessageNames[i];
    EXPECT_TRUE(AreEqual(flights.Take(numbers[i]).message, messages[i])) << kMessageNames[i];
    EXPECT_TRUE(AreEqual(loaded.Take(numbers[i]).message, messages[i])) << kMessageNames[i];
  }
  EXPECT_EQ(flights.in_use(), 0U);
  EXPECT_EQ(loaded.in_use(), 0U);
}

TEST(Flights, KindAndReasonTravelWithSmallAndLargeMessages) {
  Flights flights;
  for (const Message& message : {Message(Ping{7}), Message(Forward{})}) {
    const std::uint32_t number =
        flights.Add(FlightKind::kLinkDown, LinkDownReason::kTimeout, message);
    const Flight flight = flights.Take(number);
    EXPECT_EQ(flight.kind, FlightKind::kLinkDown);
    EXPECT_EQ(flight.reason, LinkDownReason::kTimeout);
    EXPECT_EQ(flight.message.index(), message.index());
    EXPECT_EQ(flights.Add(FlightKind::kMessage, {}, message), number) << "freed last, used first";
  }
}

TEST(Flights, FindsOnlyTheKindThatIsAskedFor) {
  Flights flights;
  FindNode find{5, {}, 2};
  find.target.words[4] = 9;
  const std::uint32_t asks = flights.Add(FlightKind::kMessage, {}, find);
  const std::uint32_t pings = flights.Add(FlightKind::kMessage, {}, Ping{5});
  const std::uint32_t forwards = flights.Add(FlightKind::kMessage, {}, Forward{});
  ASSERT_TRUE(flights.Find<FindNode>(asks));
  EXPECT_EQ(flights.Find<FindNode>(asks)->target, find.target);
  EXPECT_FALSE(flights.Find<FindNode>(pings));
  EXPECT_FALSE(flights.Find<FindNode>(forwards));
}

TEST(Flights, AFlightOfNoKnownKindIsAnErrorOfTheFile) {
  Flights flights;
  flights.Add(FlightKind::kMessage, {}, Ping{5});
  Writer writer;
  writer(flights);
  std::vector<std::uint8_t> bytes = writer.Take();
  const std::size_t index = 8 + 2;  // behind the number of small flights, its kind and reason
  ASSERT_EQ(bytes[index], 0);
  const Message large = Forward{};
  for (const std::size_t kind : {kMessageKinds, large.index()}) {
    bytes[index] = static_cast<std::uint8_t>(kind);
    Flights loaded;
    Reader reader(bytes);
    reader(loaded);
    EXPECT_FALSE(reader.ok()) << kind;
  }
}

}  // namespace
}  // namespace tombolo::sim
