#include "overlay/put_get.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "overlay/archive.h"
#include "tests/overlay/put_get_fixture.h"

namespace tombolo::put_get_test {
namespace {

TEST_F(PutGetTest, AnIdlePartWantsNoTimer) {
  EXPECT_EQ(part_.next_deadline(), kNever);
  EXPECT_TRUE(part_.idle());
  EXPECT_FALSE(part_.OnTimer(host_.step()));
}

TEST_F(PutGetTest, APutStoresAtTheClosestPeersAndCountsTheirAnswers) {
  const Put put = MakePut(7, 4);
  const auto lookup = part_.OnPut(put, host_.step());
  ASSERT_TRUE(lookup);
  EXPECT_EQ(lookup->use, KeyLookup::Use::kPut);
  EXPECT_EQ(lookup->key, put.key);
  const Time started = host_.now();
  host_.Advance(Duration::Seconds(2));
  part_.OnLookupDone(lookup->operation, {.closest = peers_}, host_.step());
  const auto sends = host_.TakeSends();
  ASSERT_EQ(sends.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sends[i].to, peers_[i]);
    const Store store = std::get<Store>(sends[i].message);
    EXPECT_TRUE(PutGet::OwnsRpc(store.rpc));
    EXPECT_EQ(store.record.sequence, 4U);
    EXPECT_EQ(store.record.payload, put.payload);
    EXPECT_EQ(store.record.ttl, kHour * 5 - Duration::Seconds(2));
  }
  const std::uint32_t rpc = std::get<Store>(sends[0].message).rpc;
  Ack(peers_[2], rpc);
  Ack(peers_[0], rpc, StoreStatus::kFull);
  EXPECT_TRUE(host_.TakeEvents<PutDone>().empty());
  Ack(peers_[1], rpc);
  const auto done = host_.TakeEvents<PutDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].request, 7U);
  EXPECT_EQ(done[0].stored, 2);
  EXPECT_EQ(done[0].rejected, 1);
  EXPECT_EQ(done[0].started, started);
  EXPECT_EQ(part_.commands(), 0U);
  EXPECT_EQ(host_.SharesOf(put.payload), 1) << "kept to be republished";
}

// Without buckets nobody is found to hold a record. The origin alone would be a put that no get of
// anybody else can find.
TEST_F(PutGetTest, ARingAloneKeepsNoRecords) {
  host_.config().overlay = OverlayKind::kChord;
  const Put put = MakePut(7);
  EXPECT_FALSE(part_.OnPut(put, host_.step()));
  const auto done = host_.TakeEvents<PutDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].request, 7U);
  EXPECT_EQ(done[0].stored, 0);
  EXPECT_EQ(host_.SharesOf(put.payload), 0);
  EXPECT_FALSE(part_.OnGet({8, TestId(kKey)}, host_.step()));
  const auto got = host_.TakeEvents<GetDone>();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].request, 8U);
  EXPECT_FALSE(got[0].found);
  EXPECT_TRUE(part_.idle());
}

TEST_F(PutGetTest, EveryRefusalCountsAsRejected) {
  for (const StoreStatus status :
       {StoreStatus::kOutdated, StoreStatus::kFull, StoreStatus::kRejected}) {
    const std::uint32_t rpc = PutUpToStores(MakePut(1));
    for (const PeerRef peer : peers_) Ack(peer, rpc, status);
    const auto done = host_.TakeEvents<PutDone>();
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].stored, 0);
    EXPECT_EQ(done[0].rejected, 3);
  }
}

TEST_F(PutGetTest, SilentPeersCountAsRejectedAfterTheTimeout) {
  const std::uint32_t rpc = PutUpToStores(MakePut(1));
  Ack(peers_[0], rpc);
  const Time deadline = host_.now() + host_.config().lookup.rpc_timeout;
  EXPECT_EQ(part_.next_deadline(), deadline);
  Tick(deadline - Duration{1});
  EXPECT_TRUE(host_.TakeEvents<PutDone>().empty());
  Tick(deadline);
  const auto done = host_.TakeEvents<PutDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].stored, 1);
  EXPECT_EQ(done[0].rejected, 2);
  EXPECT_GT(part_.next_deadline(), deadline);
  Ack(peers_[1], rpc);
  EXPECT_EQ(host_.Drops(DropReason::kUnknownRpc), 1U) << "late";
}

TEST_F(PutGetTest, PutsTimeOutOnTheirOwnClocks) {
  PutUpToStores(MakePut(1));
  host_.Advance(Duration::Milliseconds(400));
  Put other = MakePut(2);
  other.key = TestId(0x200);
  PutUpToStores(other);
  Tick(Time{} + Duration::Seconds(1));
  ASSERT_EQ(host_.TakeEvents<PutDone>().size(), 1U);
  EXPECT_EQ(part_.next_deadline(), Time{} + Duration::Milliseconds(1400));
  Tick(part_.next_deadline());
  EXPECT_EQ(host_.TakeEvents<PutDone>().at(0).request, 2U);
}

TEST_F(PutGetTest, AnswersNobodyWaitsForAreCounted) {
  const std::uint32_t rpc = PutUpToStores(MakePut(1));
  const PeerRef stranger = host_.AddPeer(0x999);
  Ack(stranger, rpc);
  Ack(peers_[0], rpc + 1);
  Ack(peers_[0], rpc);
  Ack(peers_[0], rpc);  // repeated
  EXPECT_EQ(host_.Drops(DropReason::kUnknownRpc), 3U);
  EXPECT_EQ(part_.commands(), 1U);
}

TEST_F(PutGetTest, AnOriginAmongTheClosestHoldsTheRecordItself) {
  struct Case {
    const char* name;
    std::uint32_t self;
    std::size_t heard;
    std::size_t stores;
    int own;
  };
  const Case cases[] = {
      {"far from the key", kSelf, 3, 3, 0},
      {"second closest", 0x103, 3, 2, 1},
      {"few peers", kSelf, 2, 2, 1},
      {"alone", kSelf, 0, 0, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    RecordTestHost host(c.self);
    host.config().table.k = 3;
    // 0x101 and 0x102 are closer to 0x100 than 0x103; 0x104 is not.
    std::vector<PeerRef> peers;
    for (const std::uint32_t head : {0x101U, 0x102U, 0x104U}) peers.push_back(host.AddPeer(head));
    peers.resize(c.heard);
    PutGet part;
    const Put put{1, TestId(kKey), host.NewPayload(), 1, kHour};
    const auto lookup = part.OnPut(put, host.step());
    part.OnLookupDone(lookup->operation, {.closest = peers}, host.step());
    const auto sends = host.TakeSends();
    EXPECT_EQ(sends.size(), c.stores);
    for (const OutgoingMessage& send : sends) {
      part.OnStoreAck(send.to, {std::get<Store>(send.message).rpc, StoreStatus::kStored},
                      host.step());
    }
    const auto done = host.TakeEvents<PutDone>();
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].stored, c.stores + static_cast<std::size_t>(c.own));
    EXPECT_EQ(done[0].rejected, 0);
    EXPECT_EQ(part.Find(put.key, host.now())->payload, put.payload);
  }
}

TEST_F(PutGetTest, ImpossiblePutsEndAtOnce) {
  host_.config().store.max_value_bytes = 100;
  host_.config().store.max_records = 1;
  PutUpToStores(MakePut(1, 5));
  struct Case {
    const char* name;
    std::uint32_t key;
    std::uint32_t bytes;
    std::uint64_t sequence;
    Duration ttl;
    std::uint32_t overload;
  };
  const Case cases[] = {
      {"too large", kKey, 101, 6, kHour, 0},
      {"no time to live", kKey, 10, 6, Duration{0}, 0},
      {"older than published", kKey, 10, 4, kHour, 0},
      {"publishes too much", kKey + 1, 10, 1, kHour, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::uint32_t before = host_.Drops(DropReason::kOverload);
    const Put put{9, TestId(c.key), host_.NewPayload(c.bytes), c.sequence, c.ttl};
    EXPECT_FALSE(part_.OnPut(put, host_.step()));
    const auto done = host_.TakeEvents<PutDone>();
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].request, 9U);
    EXPECT_EQ(done[0].stored, 0);
    EXPECT_EQ(done[0].rejected, 1);
    EXPECT_EQ(host_.SharesOf(put.payload), 0);
    EXPECT_EQ(host_.Drops(DropReason::kOverload) - before, c.overload);
    EXPECT_EQ(part_.published().size(), 1U);
  }
}

TEST_F(PutGetTest, OfOneKeyTheNewestIsPublished) {
  const Put first = MakePut(1, 1, kHour * 2);
  const Put again = MakePut(2, 1, kHour);
  const Put newer = MakePut(3, 2, kHour);
  PutUpToStores(first);
  PutUpToStores(again);
  EXPECT_EQ(host_.SharesOf(again.payload), 0) << "equal sequence: the bytes published stay";
  EXPECT_EQ(part_.Find(first.key, host_.now())->payload, first.payload);
  EXPECT_EQ(part_.Find(first.key, host_.now())->ttl, kHour * 2);
  PutUpToStores(newer);
  EXPECT_EQ(host_.SharesOf(first.payload), 0);
  EXPECT_EQ(part_.Find(first.key, host_.now())->payload, newer.payload);
  EXPECT_EQ(part_.Find(first.key, host_.now())->ttl, kHour);
  EXPECT_EQ(part_.commands(), 3U) << "all three are answered";
}

TEST_F(PutGetTest, AnExpiredPublicationBlocksNoOlderSequence) {
  PutUpToStores(MakePut(1, 9, kHour));
  host_.Advance(kHour);
  const Put older = MakePut(2, 3);
  EXPECT_NE(PutUpToStores(older), 0U);
  EXPECT_EQ(part_.Find(older.key, host_.now())->sequence, 3U);
  EXPECT_EQ(host_.Shares(), 1);
}

TEST_F(PutGetTest, APutOvertakenDuringItsLookupSpreadsTheNewerRecord) {
  const auto first = part_.OnPut(MakePut(1, 1), host_.step());
  const Put newer = MakePut(2, 2);
  part_.OnPut(newer, host_.step());
  part_.OnLookupDone(first->operation, {.closest = peers_}, host_.step());
  EXPECT_EQ(std::get<Store>(host_.TakeSends().at(0).message).record.payload, newer.payload);
}

TEST_F(PutGetTest, APutThatExpiresDuringItsLookupStoresNothing) {
  const auto lookup = part_.OnPut(MakePut(1, 1, Duration::Seconds(1)), host_.step());
  host_.Advance(Duration::Seconds(1));
  part_.OnLookupDone(lookup->operation, {.closest = peers_}, host_.step());
  EXPECT_TRUE(host_.TakeSends().empty());
  const auto done = host_.TakeEvents<PutDone>();
  EXPECT_EQ(done.at(0).stored, 0);
  EXPECT_EQ(done.at(0).rejected, 1);
}

TEST_F(PutGetTest, ThePublicationIsRepublishedUntilItExpires) {
  const Put put = MakePut(1, 1, kHour * 3 + kHour / 2);
  const std::uint32_t rpc = PutUpToStores(put);
  for (const PeerRef peer : peers_) Ack(peer, rpc);
  for (int hour = 1; hour <= 3; ++hour) {
    EXPECT_FALSE(Tick(Time{} + kHour * hour - Duration{1}));
    const auto lookup = Tick(Time{} + kHour * hour);
    ASSERT_TRUE(lookup) << hour;
    EXPECT_EQ(lookup->use, KeyLookup::Use::kRepublish);
    const auto record = part_.Find(lookup->key, host_.now());
    ASSERT_TRUE(record);
    part_.Republish(*record, peers_, host_.step());
    const auto sends = host_.TakeSends();
    ASSERT_EQ(sends.size(), 3U);
    const Store store = std::get<Store>(sends[0].message);
    EXPECT_EQ(store.record.ttl, put.ttl - kHour * hour);
    EXPECT_TRUE(PutGet::OwnsRpc(store.rpc));
    Ack(peers_[0], store.rpc);
  }
  EXPECT_EQ(host_.Drops(DropReason::kUnknownRpc), 0U) << "answers to republications are expected";
  EXPECT_EQ(part_.next_deadline(), Time{} + put.ttl);
  EXPECT_FALSE(Tick(part_.next_deadline()));
  EXPECT_EQ(host_.Shares(), 0);
  EXPECT_TRUE(part_.idle());
  EXPECT_EQ(part_.next_deadline(), kNever);
}

TEST_F(PutGetTest, TheOriginAnswersStoresOfWhatItPublishes) {
  struct Case {
    std::uint64_t sequence;
    std::optional<StoreStatus> answer;
  };
  PutUpToStores(MakePut(1, 5));
  for (const Case& c :
       {Case{4, StoreStatus::kOutdated}, Case{5, StoreStatus::kStored}, Case{6, std::nullopt}}) {
    SCOPED_TRACE(c.sequence);
    const Record record = MakeRecord(c.sequence);
    EXPECT_EQ(part_.Answer(record, host_.step()), c.answer);
    EXPECT_EQ(host_.SharesOf(record.payload), c.answer ? 0 : 1);
  }
  EXPECT_FALSE(part_.Answer({TestId(5), host_.NewPayload(), 1, kHour}, host_.step()));
}

TEST_F(PutGetTest, CommandsWhoseLookupIsRefusedEndWithoutSuccess) {
  const auto put = part_.OnPut(MakePut(1), host_.step());
  part_.OnLookupRefused(put->operation, host_.step());
  const auto put_done = host_.TakeEvents<PutDone>();
  ASSERT_EQ(put_done.size(), 1U);
  EXPECT_EQ(put_done[0].stored, 0);
  EXPECT_EQ(put_done[0].rejected, 1);
  part_.OnLookupRefused(StartGet(2), host_.step());
  EXPECT_FALSE(host_.TakeEvents<GetDone>().at(0).found);
  EXPECT_EQ(part_.commands(), 0U);
}

TEST_F(PutGetTest, CommandsAreBounded) {
  for (std::uint32_t i = 0; i < PutGet::kMaxCommands; ++i) StartGet(i);
  EXPECT_FALSE(part_.OnGet({1000, TestId(kKey)}, host_.step()));
  EXPECT_EQ(host_.TakeEvents<GetDone>().at(0).request, 1000U);
  const Put put = MakePut(1001);
  EXPECT_FALSE(part_.OnPut(put, host_.step()));
  EXPECT_EQ(host_.TakeEvents<PutDone>().at(0).rejected, 1);
  EXPECT_EQ(host_.SharesOf(put.payload), 0);
  EXPECT_EQ(host_.Drops(DropReason::kOverload), 2U);
  part_.OnLookupDone(17, {}, host_.step());
  EXPECT_EQ(StartGet(1002), 17U) << "a free place is used again";
}

TEST_F(PutGetTest, CloseEndsEveryCommandAndGivesEverythingUp) {
  PutUpToStores(MakePut(1));
  Put other = MakePut(2);
  other.key = TestId(5);
  part_.OnPut(other, host_.step());
  part_.OnValue(StartGet(3), MakeRecord(1), host_.step());
  part_.Close(host_.step());
  host_.Settle();
  const auto& events = host_.events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(std::get<PutDone>(events[0]).rejected, 3);
  EXPECT_EQ(std::get<PutDone>(events[1]).rejected, 1);
  EXPECT_FALSE(std::get<GetDone>(events[2]).found);
  EXPECT_EQ(host_.Shares(), 0);
  EXPECT_TRUE(part_.idle());
  EXPECT_EQ(part_.next_deadline(), kNever);
}

// Sends of a put, an origin among the closest and a get, as ids: the refs must not show.
std::vector<std::string> SendsWithOrder(const std::vector<std::uint32_t>& order) {
  RecordTestHost host(0x103);
  host.config().table.k = 3;
  for (const std::uint32_t head : order) host.AddPeer(head);
  std::vector<PeerRef> peers;
  for (const std::uint32_t head : {0x101U, 0x102U, 0x104U}) peers.push_back(host.RefOf(head));
  PutGet part;
  const auto put = part.OnPut({1, TestId(kKey), host.NewPayload(), 1, kHour}, host.step());
  part.OnLookupDone(put->operation, {.closest = peers}, host.step());
  const auto get = part.OnGet({2, TestId(kKey)}, host.step());
  part.OnValue(get->operation, {TestId(kKey), host.NewPayload(), 1, kHour}, host.step());
  part.OnLookupDone(get->operation, {.cache_at = peers[2]}, host.step());
  std::vector<std::string> sends;
  for (const OutgoingMessage& send : host.TakeSends()) {
    const Store store = std::get<Store>(send.message);
    sends.push_back(host.id(send.to).ToHex() + " " + std::to_string(store.rpc) + " " +
                    std::to_string(store.record.payload.handle));
  }
  return sends;
}

TEST(PutGetRefsTest, RefsLeaveNoTrace) {
  const auto sends = SendsWithOrder({0x101, 0x102, 0x104});
  EXPECT_EQ(sends.size(), 3U);
  EXPECT_EQ(SendsWithOrder({0x104, 0x101, 0x102}), sends);
  EXPECT_EQ(SendsWithOrder({0x102, 0x104, 0x101}), sends);
}

TEST_F(PutGetTest, GoesOnAsBeforeAfterSavingAndLoading) {
  const std::uint32_t rpc = PutUpToStores(MakePut(1));
  const std::uint32_t get = StartGet(2);
  const Record record = MakeRecord(1);
  part_.OnValue(get, record, host_.step());
  Writer writer;
  writer(part_);
  part_ = PutGet();
  Reader reader(writer.bytes());
  reader(part_);
  ASSERT_TRUE(reader.ok());
  Writer again;
  again(part_);
  EXPECT_EQ(again.bytes(), writer.bytes());
  for (const PeerRef peer : peers_) Ack(peer, rpc);
  EXPECT_EQ(host_.TakeEvents<PutDone>().at(0).stored, 3);
  part_.OnLookupDone(get, {}, host_.step());
  EXPECT_EQ(host_.TakeEvents<GetDone>().at(0).record.payload, record.payload);
}

TEST_F(PutGetTest, ASavedPartWithMiscountedCommandsIsRefused) {
  StartGet(1);
  Writer writer;
  writer(part_);
  std::vector<std::uint8_t> bytes = writer.Take();
  bytes[bytes.size() - 8] = 2;  // the number of commands, before the last rpc
  PutGet loaded;
  Reader reader(bytes);
  reader(loaded);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace tombolo::put_get_test
