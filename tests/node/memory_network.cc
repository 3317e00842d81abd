#include "tests/node/memory_network.h"

#include <algorithm>

namespace tombolo::node {
namespace {

ConnectionId NextId() {
  // Distinct over all transports; only compared within one.
  static std::uint64_t last = 0;
  return ConnectionId{++last};
}

}  // namespace

// Nothing happens to a transport that is gone.
void MemoryTransport::Later(Duration span, std::function<void()> what) {
  network_.After(span, [alive = alive_, what = std::move(what)] {
    if (*alive) what();
  });
}

absl::Status MemoryTransport::Listen(const std::string& address) {
  address_ = address;
  network_.listening[address] = this;
  return absl::OkStatus();
}

ConnectionId MemoryTransport::Dial(const std::string& address, std::optional<NodeId> expected) {
  const ConnectionId id = NextId();
  ends_[id];
  if (network_.eager && !network_.listening.contains(address)) {
    Finish(id, CloseCause::kDialFailed);
    return id;
  }
  Later(network_.delay, [this, id, address, expected] { Connect(id, address, expected); });
  return id;
}

void MemoryTransport::Connect(ConnectionId id, const std::string& address,
                              std::optional<NodeId> expected) {
  if (!ends_.contains(id)) return;
  // Across a cut nothing answers, and nobody says so.
  if (!network_.CanTalk(address_, address)) return;
  const auto found = network_.listening.find(address);
  if (found == network_.listening.end()) return Finish(id, CloseCause::kDialFailed);
  MemoryTransport& other = *found->second;
  if (expected && other.ProvenId() != *expected) return Finish(id, CloseCause::kIdentity);
  const ConnectionId other_id = NextId();
  other.ends_[other_id] = {this, id, true, 0, {}};
  End& end = ends_[id];
  end.other = &other;
  end.other_id = other_id;
  end.open = true;
  other.WatchSilence(other_id);
  WatchSilence(id);
  other.events_.Opened(other_id, {ProvenId(), false, address_});
  Later(network_.delay, [this, id, remote = RemoteNode{other.ProvenId(), true, address}] {
    if (ends_.contains(id)) events_.Opened(id, remote);
  });
}

std::size_t MemoryTransport::Send(ConnectionId id, Frame frame) {
  const auto found = ends_.find(id);
  if (found == ends_.end() || !found->second.open) return 0;
  ++frames_sent_;
  SendBytes(id, frame.SerializeAsString());
  const auto still = ends_.find(id);
  return still == ends_.end() ? 0 : still->second.queued;
}

void MemoryTransport::SendBytes(ConnectionId id, const std::string& bytes) {
  const auto found = ends_.find(id);
  if (found == ends_.end()) return;  // it has ended while the frames before were sent
  End& end = found->second;
  if (stalled_) {
    end.queued += bytes.size();
    end.stalled.push_back(bytes);
    return;
  }
  MemoryTransport* other = end.other;
  if (other == nullptr) {
    if (network_.eager) Finish(id, CloseCause::kRemote);
    return;
  }
  other->Later(network_.delay,
               [other, other_id = end.other_id, bytes] { other->Arrive(other_id, bytes); });
}

void MemoryTransport::Arrive(ConnectionId id, std::string bytes) {
  const auto found = ends_.find(id);
  if (found == ends_.end() || !found->second.open) return;
  const MemoryTransport* other = found->second.other;
  if (other != nullptr && !network_.CanTalk(address_, other->address_)) return;
  if (network_.corrupt) network_.corrupt(bytes);
  auto frame = std::make_unique<Frame>();
  if (frame->ParseFromString(bytes)) return events_.Received(id, std::move(frame));
  Close(id);
}

void MemoryTransport::Close(ConnectionId id) {
  const auto found = ends_.find(id);
  if (found == ends_.end()) return;
  found->second.open = false;
  MemoryTransport* other = found->second.other;
  const ConnectionId other_id = found->second.other_id;
  if (other != nullptr) {
    other->Later(network_.delay, [other, other_id, this_address = address_] {
      // Unless a cut hides it; the silence is noticed then.
      if (other->network_.CanTalk(other->address_, this_address)) {
        other->Finish(other_id, CloseCause::kRemote);
      }
    });
  }
  Later(Duration{0}, [this, id] { Finish(id, CloseCause::kLocal); });
}

void MemoryTransport::Finish(ConnectionId id, CloseCause cause) {
  const auto end = ends_.extract(id);
  if (end.empty()) return;
  MemoryTransport* other = end.mapped().other;
  if (other != nullptr) {
    const auto theirs = other->ends_.find(end.mapped().other_id);
    if (theirs != other->ends_.end()) theirs->second.other = nullptr;
  }
  events_.Closed(id, cause, "");
}

// Looks every half keepalive whether the other side can be heard.
void MemoryTransport::WatchSilence(ConnectionId id) {
  Later(network_.keepalive / 2, [this, id] {
    const auto found = ends_.find(id);
    if (found == ends_.end()) return;
    const MemoryTransport* other = found->second.other;
    const bool heard = other != nullptr && network_.CanTalk(address_, other->address_);
    if (heard) return WatchSilence(id);
    Later(network_.keepalive / 2, [this, id] {
      const auto later = ends_.find(id);
      if (later == ends_.end()) return;
      const MemoryTransport* peer = later->second.other;
      if (peer != nullptr && network_.CanTalk(address_, peer->address_)) return WatchSilence(id);
      Finish(id, CloseCause::kTimeout);
    });
  });
}

void MemoryTransport::Die() {
  if (!std::exchange(*alive_, false)) return;
  const auto listed = network_.listening.find(address_);
  if (listed != network_.listening.end() && listed->second == this) {
    network_.listening.erase(listed);
  }
  for (auto& [id, end] : ends_) {
    MemoryTransport* other = end.other;
    if (other == nullptr) continue;
    const auto theirs = other->ends_.find(end.other_id);
    if (theirs != other->ends_.end()) theirs->second.other = nullptr;
    const bool heard = network_.CanTalk(address_, other->address_);
    if (!heard) continue;
    other->Later(network_.delay, [other, other_id = end.other_id] {
      other->Finish(other_id, CloseCause::kRemote);
    });
  }
  ends_.clear();
}

void MemoryTransport::Stall(bool stalled) {
  stalled_ = stalled;
  if (stalled) return;
  for (const ConnectionId id : connections()) {
    const auto found = ends_.find(id);
    if (found == ends_.end()) continue;
    End& end = found->second;
    const bool was_high = std::exchange(end.queued, 0) > kSendHighWater;
    const std::vector<std::string> waiting = std::exchange(end.stalled, {});
    for (const std::string& bytes : waiting) SendBytes(id, bytes);
    if (was_high) events_.Drained(id);
  }
}

std::size_t MemoryTransport::queued(ConnectionId id) const {
  const auto found = ends_.find(id);
  return found == ends_.end() ? 0 : found->second.queued;
}

std::size_t MemoryTransport::buffered() const {
  std::size_t bytes = 0;
  for (const auto& [id, end] : ends_) bytes += end.queued;
  return bytes;
}

std::vector<ConnectionId> MemoryTransport::connections() const {
  std::vector<ConnectionId> open;
  for (const auto& [id, end] : ends_) {
    if (end.open) open.push_back(id);
  }
  return open;
}

}  // namespace tombolo::node
