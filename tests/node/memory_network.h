// A network of nodes in one process and in virtual time: the Transport and the Clock of each, and
// what lies between them. Frames travel as bytes, so that they are what a real network would carry.
//
// Everything happens in order of time, ties in order of scheduling: equal calls give equal runs.
// Faults: islands that cannot hear each other (connections across fall silent, and end with
// kTimeout when the keepalive is over unless the path is back), nodes that die, transports that do
// not send, bytes changed on the way, events reported from within Dial and Send.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/clock.h"
#include "node/transport.h"
#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::node {

class MemoryTransport;

class MemoryNetwork {
 public:
  Time now() const { return now_; }

  void At(Time when, std::function<void()> what) {
    queue_.emplace(std::pair(std::max(when, now_), next_++), std::move(what));
  }
  void After(Duration span, std::function<void()> what) { At(now_ + span, std::move(what)); }

  void RunUntil(Time end) {
    while (!queue_.empty() && queue_.begin()->first.first <= end) {
      const auto first = queue_.extract(queue_.begin());
      now_ = first.key().first;
      first.mapped()();
    }
    now_ = std::max(now_, end);
  }
  void RunFor(Duration span) { RunUntil(now_ + span); }

  // Runs until `done`, at most for `limit`. True if it is.
  template <class Condition>
  bool RunUntilTrue(Condition&& done, Duration limit) {
    const Time end = now_ + limit;
    while (!done()) {
      if (queue_.empty() || queue_.begin()->first.first > end) return false;
      RunUntil(queue_.begin()->first.first);
    }
    return true;
  }

  // Between the ends of a connection, one way.
  Duration delay = Duration::Milliseconds(10);
  Duration keepalive = Duration::Seconds(10);
  // Changes the bytes of a frame on its way.
  std::function<void(std::string&)> corrupt;
  // Dial and Send report what they know at once, from within the call.
  bool eager = false;

  // Islands by address; those not named are in island 0.
  std::map<std::string, int> islands;
  // Pairs that cannot hear each other.
  std::set<std::pair<std::string, std::string>> cuts;
  bool CanTalk(const std::string& a, const std::string& b) const {
    return IslandOf(a) == IslandOf(b) && !cuts.contains({a, b}) && !cuts.contains({b, a});
  }

  std::map<std::string, MemoryTransport*> listening;

 private:
  int IslandOf(const std::string& address) const {
    const auto found = islands.find(address);
    return found == islands.end() ? 0 : found->second;
  }

  Time now_;
  std::uint64_t next_ = 0;
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> queue_;
};

class MemoryClock final : public Clock {
 public:
  explicit MemoryClock(MemoryNetwork& network) : network_(network) {}
  ~MemoryClock() override { *alive_ = false; }

  Time now() const override { return network_.now(); }
  void Start(ClockEvents& events) override { events_ = &events; }

  void Arm(Time when) override {
    const std::uint64_t number = ++armed_;
    if (when == kNever) return;
    network_.At(when, [this, alive = alive_, number] {
      if (*alive && number == armed_) events_->TimeCame();
    });
  }

  void EndTurnSoon() override {
    if (std::exchange(ending_, true)) return;
    network_.At(now(), [this, alive = alive_] {
      if (!*alive) return;
      ending_ = false;
      events_->TurnEnded();
    });
  }

 private:
  MemoryNetwork& network_;
  ClockEvents* events_ = nullptr;
  std::uint64_t armed_ = 0;
  bool ending_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class MemoryTransport final : public Transport {
 public:
  MemoryTransport(MemoryNetwork& network, const NodeId& id, std::string address,
                  TransportEvents& events)
      : network_(network), id_(id), address_(std::move(address)), events_(events) {}
  ~MemoryTransport() override { Die(); }

  ConnectionId Dial(const std::string& address, std::optional<NodeId> expected) override;
  std::size_t Send(ConnectionId connection, Frame frame) override;
  std::size_t queued(ConnectionId connection) const override;
  std::size_t buffered() const override;
  void Close(ConnectionId connection) override;
  absl::Status Listen(const std::string& address) override;
  std::string listening() const override { return address_; }
  void Stop() override { Die(); }

  // The process ends: the others hear of it.
  void Die();
  // Nothing leaves while stalled; what waits counts as queued.
  void Stall(bool stalled);
  // A frame as a hostile node would send it.
  void SendBytes(ConnectionId connection, const std::string& bytes);
  // Open connections, in order.
  std::vector<ConnectionId> connections() const;
  std::uint64_t frames_sent() const { return frames_sent_; }

  // As which node this one proves itself, if not as itself.
  std::optional<NodeId> poses_as;

 private:
  struct End {
    MemoryTransport* other = nullptr;  // null once that side is gone
    ConnectionId other_id{};
    bool open = false;
    std::size_t queued = 0;
    std::vector<std::string> stalled;
  };

  void Connect(ConnectionId id, const std::string& address, std::optional<NodeId> expected);
  void Finish(ConnectionId id, CloseCause cause);
  void Arrive(ConnectionId id, std::string bytes);
  void WatchSilence(ConnectionId id);
  void Later(Duration span, std::function<void()> what);
  NodeId ProvenId() const { return poses_as.value_or(id_); }

  MemoryNetwork& network_;
  NodeId id_;
  std::string address_;
  TransportEvents& events_;
  std::map<ConnectionId, End> ends_;
  bool stalled_ = false;
  std::uint64_t frames_sent_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tombolo::node
