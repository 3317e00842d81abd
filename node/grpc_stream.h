// One stream of service Links, either end: what the reactors of both sides have in common. Queues
// and merges what is sent, parses what is received, and ends the stream once, whoever wants it to
// end. Included by grpc_*.cc only.
//
// Thread rule: the public functions on the strand, the protected ones on gRPC's threads; the mutex
// guards what both touch and is never held while gRPC may call back. Ownership: of the transport,
// until the Closed event, which is the last access of a gRPC thread.
//
// The life of a stream: reading (paused while too much waits for the strand), at most one write
// out; then End exactly once, when the remote side has ended, or all is written after Close, or
// Abort.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "node/transport.h"

namespace tombolo::node {

struct GrpcShared;

class GrpcStream {
 public:
  virtual ~GrpcStream();

  // Returns the bytes queued, those of a write under way included.
  std::size_t Send(Frame frame);
  // The strand has dealt with that many received bytes.
  void Consumed(std::size_t bytes);
  // No further frame is read while paused, but for one that is on its way already.
  void SetPaused(bool paused);
  std::size_t queued() const;
  // Ends the stream once what is queued is on its way.
  void Close();
  // Ends it now. `cause` is told unless another was first.
  void Abort(CloseCause cause, const std::string& detail);

  // Accepting side only: lets the stream begin, as `peer` of RemoteNode::address.
  virtual void Admit() {}

  ConnectionId id() const { return id_; }
  const std::string& peer() const { return peer_; }

 protected:
  GrpcStream(std::shared_ptr<GrpcShared> shared, ConnectionId id, std::string peer);

  virtual void BeginRead(grpc::ByteBuffer* into) = 0;
  virtual void BeginWrite(const grpc::ByteBuffer* from) = 0;
  // The dialling side says that it writes no more and waits for the end; the accepting side just
  // ends the stream.
  virtual bool half_closes() const = 0;
  virtual void HalfClose() {}  // WriteDone follows
  // No read or write begins after this. `aborted`: what was queued is lost.
  virtual void End(bool aborted) = 0;
  // Makes all that is under way fail. Called with the mutex held, never after Done.
  virtual void Cancel() = 0;
  // A frame before it is delivered; false: refused, and Abort has been called.
  virtual bool Inspect(Frame&) { return true; }

  // What has to go before the first read, unless the stream has ended by then: the call may be
  // gone, too. Called with the mutex held.
  virtual void Prepare() {}

  // The reactors pass on their reactions.
  void StartReading();
  void ReadDone(bool ok);
  void WriteDone(bool ok);
  // `cause` holds unless one was noted before. The last call to this object.
  void Done(CloseCause cause, const std::string& detail);

  void PushOpened(const RemoteNode& remote);
  GrpcShared& shared() const { return *shared_; }

 private:
  enum class Next : std::uint8_t { kNothing, kWrite, kHalfClose, kEnd };
  // What is to be done now; the caller holds the mutex, and does it without.
  Next Decide();
  void ResumeReading();  // with the mutex held
  void Do(Next next);
  void Advance();
  void TakeBatch();

  const std::shared_ptr<GrpcShared> shared_;
  const ConnectionId id_;
  const std::string peer_;

  grpc::ByteBuffer incoming_;  // of the reader
  grpc::ByteBuffer outgoing_;  // of the writer
  Frame writing_frame_;        // of the writer

  mutable std::mutex mutex_;
  std::deque<Frame> queue_;
  std::size_t queued_bytes_ = 0;  // with those of the write that is out
  std::size_t writing_bytes_ = 0;
  std::size_t inbox_bytes_ = 0;  // delivered to the queue of events, not yet consumed
  bool above_high_water_ = false;
  bool reading_ = false;
  bool paused_ = false;
  bool writing_ = false;
  bool reads_over_ = false;
  bool closing_ = false;
  std::atomic<bool> aborted_ = false;  // the status to end with reads it without the lock
  bool half_closed_ = false;
  bool ended_ = false;
  bool done_ = false;
  std::optional<CloseCause> cause_;
  std::string detail_;
};

}  // namespace tombolo::node
