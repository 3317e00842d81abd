// Records that survive: nobody is told of one before it is durable, and it is there again
// afterwards.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "node/host.h"
#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

// A disk that writes when the test says so.
class TestDisk final : public DurableRecords {
 public:
  std::uint64_t Keep(DurableRecord record) override {
    records.push_back(std::move(record));
    return records.size();
  }
  std::vector<DurableRecord> records;
};

class DurableHosts : public testing::Test {
 protected:
  void SetUp() override {
    net.Grow(3);
    for (std::size_t i = 0; i < 3; ++i) net.at(i).host.set_durable(&disks[i]);
  }
  void PutAt(std::size_t node, std::uint64_t sequence = 1) {
    Put put;
    put.request = 7;
    put.key = NodeId{{1, 2, 3, 4, 5}};
    put.sequence = sequence;
    put.ttl = Duration::Hours(1);
    ASSERT_TRUE(net.at(node).host.Execute(put, "value " + std::to_string(sequence)).ok());
    net.network.RunFor(Duration::Milliseconds(300));
  }
  void Write(std::size_t node, bool kept = true) {
    net.at(node).host.Durable(disks[node].records.size(), kept);
    net.network.RunFor(Duration::Milliseconds(100));
  }
  std::vector<PutDone> Done(std::size_t node) {
    std::vector<PutDone> done;
    for (const auto& [event, bytes] : net.at(node).Heard<PutDone>()) done.push_back(event);
    return done;
  }

  TestNetwork net;
  TestDisk disks[3];
};

TEST_F(DurableHosts, APutEndsWhenItsHoldersAndItsOriginHaveIt) {
  PutAt(0);
  for (const TestDisk& disk : disks) {
    ASSERT_EQ(disk.records.size(), 1U);
    EXPECT_EQ(disk.records[0].value, "value 1");
    EXPECT_EQ(disk.records[0].sequence, 1U);
    EXPECT_GT(disk.records[0].ttl, Duration::Minutes(59));
  }
  Write(1);
  Write(2);
  EXPECT_TRUE(Done(0).empty()) << "the origin has not written it yet";
  Write(0);
  ASSERT_EQ(Done(0).size(), 1U);
  EXPECT_EQ(Done(0)[0].stored, 3U);
}

TEST_F(DurableHosts, AHolderThatDoesNotWriteIsNotCounted) {
  PutAt(0);
  Write(0);
  Write(1);
  net.network.RunFor(Duration::Seconds(10));  // beyond the deadline of answers
  ASSERT_EQ(Done(0).size(), 1U);
  EXPECT_EQ(Done(0)[0].stored, 2U);
  EXPECT_EQ(Done(0)[0].rejected, 1U);
}

TEST_F(DurableHosts, AFullDiskIsNoAcknowledgement) {
  PutAt(0);
  Write(0);
  Write(1, false);
  Write(2, false);
  net.network.RunFor(Duration::Seconds(10));
  ASSERT_EQ(Done(0).size(), 1U);
  EXPECT_EQ(Done(0)[0].stored, 1U);
  EXPECT_EQ(net.at(1).host.counters().records_not_kept, 1U);
}

TEST_F(DurableHosts, AnOriginWhoseDiskIsFullClaimsNothing) {
  PutAt(0);
  Write(1);
  Write(2);
  Write(0, false);
  ASSERT_EQ(Done(0).size(), 1U);
  EXPECT_EQ(Done(0)[0].stored, 0U);
  EXPECT_EQ(Done(0)[0].rejected, 3U);
}

TEST_F(DurableHosts, NorDoesOneWhoseDiskIsFullBeforeTheHoldersAnswer) {
  PutAt(0);
  Write(0, false);
  EXPECT_TRUE(Done(0).empty());
  Write(1);
  Write(2);
  ASSERT_EQ(Done(0).size(), 1U);
  EXPECT_EQ(Done(0)[0].stored, 0U);
  EXPECT_EQ(Done(0)[0].rejected, 3U);
}

TEST_F(DurableHosts, AnOlderRecordIsNotWrittenOverANewerOne) {
  PutAt(0, 2);
  PutAt(1, 1);
  for (const TestDisk& disk : disks) {
    for (const DurableRecord& record : disk.records) EXPECT_EQ(record.sequence, 2U);
  }
}

TEST_F(DurableHosts, RestoredRecordsAreFoundByOthers) {
  HostOptions options = net.OptionsFor(3);
  options.restored = {{NodeId{{9, 9, 9, 9, 9}}, 4, Duration::Hours(1), "from before"}};
  net.Add(options);
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.at(3).host.HeldKeys(), (std::vector<NodeId>{NodeId{{9, 9, 9, 9, 9}}}));
  ASSERT_TRUE(net.at(1).host.Execute(Get{1, NodeId{{9, 9, 9, 9, 9}}}).ok());
  net.network.RunFor(Duration::Seconds(5));
  const auto got = net.at(1).Heard<GetDone>();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].first.found);
  EXPECT_EQ(got[0].second, "from before");
}

}  // namespace
}  // namespace tombolo::node
