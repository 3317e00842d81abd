// What the parts of the gRPC transport share: its options, its counters, and the queue in which
// gRPC's threads leave events for the strand. Included by grpc_*.cc only.
//
// The queue wakes the strand once per batch: with the first event after a delivery. Its bound is
// that of the streams: each pauses its reading while too many of its bytes wait here.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>

#include "node/grpc_stream.h"
#include "node/grpc_transport.h"

namespace tombolo::node {

struct AcceptedEvent {
  std::unique_ptr<GrpcStream> stream;
};
struct OpenedEvent {
  RemoteNode remote;
};
struct FrameEvent {
  std::unique_ptr<Frame> frame;
  std::size_t bytes;  // on the wire
};
struct DrainedEvent {};
struct ClosedEvent {
  CloseCause cause;
  std::string detail;
};

struct GrpcEvent {
  ConnectionId connection;
  std::variant<AcceptedEvent, OpenedEvent, FrameEvent, DrainedEvent, ClosedEvent> what;
};

// Thread rule: Push from any thread, the rest on the strand.
class GrpcEventQueue {
 public:
  // `wake` posts a delivery to the strand; called from any thread.
  explicit GrpcEventQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Push(GrpcEvent event) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(event));
    if (std::exchange(woken_, true)) return;
    arrived_.notify_one();
    wake_();  // under the lock: whoever sees the event may end all that is woken here
  }

  // Moves what waits to the end of `batch`.
  void TakeInto(std::deque<GrpcEvent>& batch) {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    if (batch.empty()) {
      batch.swap(waiting_);
    } else {
      for (GrpcEvent& event : waiting_) batch.push_back(std::move(event));
      waiting_.clear();
    }
  }

  // Blocks until something waits, or the deadline; for Stop.
  bool WaitUntil(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_until(lock, deadline, [this] { return !waiting_.empty(); });
  }

 private:
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<GrpcEvent> waiting_;
  bool woken_ = false;
};

struct GrpcShared {
  GrpcShared(Identity own, GrpcTransportOptions given, std::function<void()> wake)
      : identity(std::move(own)), options(std::move(given)), events(std::move(wake)) {}

  ConnectionId NextConnection() { return ConnectionId{next_connection.fetch_add(1)}; }
  bool Admits(const NodeId& id) const {
    return options.trust == nullptr || options.trust->Admits(id);
  }

  const Identity identity;
  const GrpcTransportOptions options;
  TransportCounts counts;
  std::atomic<std::size_t> buffered{0};  // bytes in the queues and inboxes of all streams
  GrpcEventQueue events;
  std::atomic<std::uint64_t> next_connection{1};
};

}  // namespace tombolo::node
