#include "overlay/seen_cache.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "overlay/archive.h"
#include "tests/overlay/toy_net.h"

namespace tombolo {
namespace {

class SeenCacheTest : public testing::Test {
 protected:
  SeenCacheTest() : net_(1) { net_.config.relay.seen_ttl = Duration::Seconds(60); }

  SeenEntry& Insert(std::uint64_t key) { return cache_.Insert(key, net_.Part(0)); }
  SeenEntry* Find(std::uint64_t key) { return cache_.Find(key, net_.now); }

  ToyNet net_;
  SeenCache cache_;
};

TEST_F(SeenCacheTest, RemembersUntilExpiry) {
  EXPECT_EQ(Find(5), nullptr);
  Insert(5).hop = 9;
  ASSERT_NE(Find(5), nullptr);
  EXPECT_EQ(Find(5)->hop, 9U);
  EXPECT_EQ(Find(6), nullptr);
  net_.now = net_.now + Duration::Seconds(60) - Duration{1};
  EXPECT_NE(Find(5), nullptr);
  net_.now = net_.now + Duration{1};
  EXPECT_EQ(Find(5), nullptr);
}

TEST_F(SeenCacheTest, ForgetsTheOldestAtTheLimitAndCountsIt) {
  net_.config.relay.max_seen = 10;
  for (std::uint64_t key = 0; key < 12; ++key) Insert(key);
  EXPECT_EQ(cache_.size(), 10U);
  EXPECT_EQ(Find(0), nullptr);
  EXPECT_EQ(Find(1), nullptr);
  for (std::uint64_t key = 2; key < 12; ++key) EXPECT_NE(Find(key), nullptr) << key;
  EXPECT_EQ(net_.out.drops()[static_cast<std::size_t>(DropReason::kOverload)], 2U);
}

TEST_F(SeenCacheTest, MemoryFollowsUse) {
  EXPECT_EQ(cache_.capacity(), 0U);
  Insert(1);
  EXPECT_EQ(cache_.capacity(), 8U);
  for (std::uint64_t key = 2; key <= 1000; ++key) Insert(key);
  EXPECT_EQ(cache_.capacity(), 1024U);
  net_.now = net_.now + Duration::Seconds(61);
  for (std::uint64_t key = 2000; key < 2010; ++key) Insert(key);
  EXPECT_LE(cache_.capacity(), 64U);
  for (std::uint64_t key = 2000; key < 2010; ++key) EXPECT_NE(Find(key), nullptr);
}

TEST_F(SeenCacheTest, AgreesWithAPlainTwin) {
  net_.config.relay.max_seen = 300;
  Rng rng(3);
  std::map<std::uint64_t, std::uint32_t> twin;
  std::deque<std::pair<Time, std::uint64_t>> order;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    net_.now = net_.now + Duration::Milliseconds(rng.Below(400));
    while (!order.empty() && order.front().first + Duration::Seconds(60) <= net_.now) {
      twin.erase(order.front().second);
      order.pop_front();
    }
    const std::uint64_t key = rng.Below(1000);
    const auto known = twin.find(key);
    SeenEntry* found = Find(key);
    ASSERT_EQ(found != nullptr, known != twin.end()) << i;
    if (found != nullptr) {
      ASSERT_EQ(found->hop, known->second);
      continue;
    }
    Insert(key).hop = i;
    twin[key] = i;
    order.emplace_back(net_.now, key);
    if (order.size() > 300) {
      twin.erase(order.front().second);
      order.pop_front();
    }
    ASSERT_EQ(cache_.size(), order.size());
  }
}

TEST_F(SeenCacheTest, SavesAndRefusesDamage) {
  for (std::uint64_t key = 0; key < 20; ++key) Insert(key * 31);
  Writer writer;
  writer(cache_);
  auto bytes = writer.Take();
  SeenCache read;
  Reader reader(bytes);
  reader(read);
  ASSERT_TRUE(reader.ok());
  for (std::uint64_t key = 0; key < 20; ++key) EXPECT_NE(read.Find(key * 31, net_.now), nullptr);

  bytes[bytes.size() - 12] = 0xff;  // the count
  SeenCache damaged;
  Reader damaged_reader(bytes);
  damaged_reader(damaged);
  EXPECT_FALSE(damaged_reader.ok());
}

}  // namespace
}  // namespace tombolo
