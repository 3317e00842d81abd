// A part for Put and Get with a host and three peers: what the tests of both commands share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "overlay/put_get.h"
#include "tests/overlay/record_test_host.h"

namespace tombolo::put_get_test {

inline constexpr Duration kHour = Duration::Hours(1);
inline constexpr std::uint32_t kKey = 0x100;
inline constexpr std::uint32_t kSelf = 0xf0000000;  // far from the key

class PutGetTest : public testing::Test {
 protected:
  PutGetTest() : host_(kSelf) {
    host_.config().table.k = 3;
    for (const std::uint32_t head : {0x101U, 0x102U, 0x104U}) peers_.push_back(host_.AddPeer(head));
  }

  Put MakePut(std::uint32_t request, std::uint64_t sequence = 1, Duration ttl = kHour * 5) {
    return {request, TestId(kKey), host_.NewPayload(), sequence, ttl};
  }
  Record MakeRecord(std::uint64_t sequence, Duration ttl = kHour) {
    return {TestId(kKey), host_.NewPayload(), sequence, ttl};
  }
  // A Put up to its stores; returns their rpc.
  std::uint32_t PutUpToStores(const Put& put) {
    const auto lookup = part_.OnPut(put, host_.step());
    if (!lookup) return 0;
    part_.OnLookupDone(lookup->operation, {.closest = peers_}, host_.step());
    return std::get<Store>(host_.TakeSends().at(0).message).rpc;
  }
  std::uint32_t StartGet(std::uint32_t request) {
    return part_.OnGet({request, TestId(kKey)}, host_.step())->operation;
  }
  void Ack(PeerRef from, std::uint32_t rpc, StoreStatus status = StoreStatus::kStored) {
    part_.OnStoreAck(from, {rpc, status}, host_.step());
  }
  std::optional<KeyLookup> Tick(Time time) {
    host_.AdvanceTo(time);
    return part_.OnTimer(host_.step());
  }

  RecordTestHost host_;
  std::vector<PeerRef> peers_;  // closest to the key first
  PutGet part_;
};

}  // namespace tombolo::put_get_test
