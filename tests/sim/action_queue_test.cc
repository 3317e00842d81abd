#include "sim/action_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "overlay/archive.h"
#include "overlay/rng.h"

namespace tombolo::sim {
namespace {

std::vector<std::uint32_t> PopAll(ActionQueue queue) {
  std::vector<std::uint32_t> subjects;
  while (queue.next_time() != kNever) subjects.push_back(queue.Pop().subject);
  return subjects;
}

TEST(ActionQueue, IsEmptyAtFirst) { EXPECT_EQ(ActionQueue().next_time(), kNever); }

TEST(ActionQueue, ActionsComeOutByTimeAndThenInTheOrderOfScheduling) {
  ActionQueue queue;
  Rng rng(3);
  std::vector<std::pair<std::int64_t, std::uint32_t>> expected;
  for (std::uint32_t i = 0; i < 500; ++i) {
    const auto at = static_cast<std::int64_t>(rng.Below(40));
    queue.Schedule(Time{at}, Action::Kind::kWorkload, i);
    expected.emplace_back(at, i);
  }
  std::stable_sort(expected.begin(), expected.end());
  EXPECT_EQ(queue.next_time(), Time{expected[0].first});
  const std::vector<std::uint32_t> popped = PopAll(queue);
  ASSERT_EQ(popped.size(), expected.size());
  for (std::size_t i = 0; i < popped.size(); ++i) EXPECT_EQ(popped[i], expected[i].second);
}

TEST(ActionQueue, KeepsTheOrderOfTiesAfterSavingAndLoading) {
  ActionQueue queue;
  for (const std::uint32_t i : {0U, 1U}) queue.Schedule(Time{7}, Action::Kind::kArrival, i);
  Writer writer;
  writer(queue);
  const auto bytes = writer.Take();
  ActionQueue loaded;
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end());
  loaded.Schedule(Time{7}, Action::Kind::kSessionEnd, 2);
  EXPECT_EQ(PopAll(loaded), (std::vector<std::uint32_t>{0, 1, 2}));
}

}  // namespace
}  // namespace tombolo::sim
