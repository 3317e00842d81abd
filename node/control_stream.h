// A stream of replies to one caller of the control API, fed from the strand. Included by
// control_*.cc only.
//
// Bounds: `limit` replies wait; then the oldest is dropped and counted. Thread rule: Push and Close
// from any thread. Ownership: keeps itself alive until gRPC is done with it; others hold weak_ptrs.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace tombolo::node {

template <class Reply>
class ControlStream final : public grpc::ServerWriteReactor<Reply> {
 public:
  // `missed` makes the reply that tells how many were dropped; empty: nothing is told. `done` is
  // called when the stream has ended, on one of gRPC's threads.
  static std::shared_ptr<ControlStream> Make(std::size_t limit,
                                             std::function<Reply(std::uint64_t)> missed) {
    std::shared_ptr<ControlStream> stream(new ControlStream(limit, std::move(missed)));
    stream->self_ = stream;
    return stream;
  }
  void set_done(std::function<void()> done) { done_ = std::move(done); }

  void Push(Reply reply) {
    const std::lock_guard lock(mutex_);
    if (closing_ || last_) return;
    if (waiting_.size() >= limit_) {
      waiting_.pop_front();
      ++dropped_;
    }
    waiting_.push_back(std::move(reply));
    Advance();
  }

  // Ends the stream; what waits is dropped.
  void Close(const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    closing_ = true;
    status_ = status;
    Advance();
  }

  // Ends the stream behind what waits and `last`.
  void CloseAfter(Reply last, const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    if (closing_ || last_) return;
    waiting_.push_back(std::move(last));
    last_ = true;
    status_ = status;
    Advance();
  }

  void OnCancel() override { Close(grpc::Status::CANCELLED); }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) closing_ = true;
    Advance();
  }
  void OnDone() override {
    const std::function<void()> done = std::move(done_);
    self_.reset();
    if (done) done();
  }

 private:
  ControlStream(std::size_t limit, std::function<Reply(std::uint64_t)> missed)
      : limit_(limit), missed_(std::move(missed)) {}

  // gRPC never calls back from within StartWrite and Finish, so the lock may be held.
  void Advance() {
    if (writing_ || finished_) return;
    if (closing_ || (last_ && waiting_.empty())) {
      finished_ = true;
      this->Finish(status_);
      return;
    }
    if (dropped_ > 0 && missed_) {
      out_ = missed_(std::exchange(dropped_, 0));
    } else if (!waiting_.empty()) {
      out_ = std::move(waiting_.front());
      waiting_.pop_front();
    } else {
      return;
    }
    writing_ = true;
    this->StartWrite(&out_);
  }

  const std::size_t limit_;
  const std::function<Reply(std::uint64_t)> missed_;
  std::function<void()> done_;
  std::shared_ptr<ControlStream> self_;
  std::mutex mutex_;
  std::deque<Reply> waiting_;
  std::uint64_t dropped_ = 0;
  Reply out_;
  grpc::Status status_;
  bool writing_ = false;
  bool last_ = false;  // nothing comes behind what waits
  bool closing_ = false;
  bool finished_ = false;
};

}  // namespace tombolo::node
