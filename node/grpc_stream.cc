#include "node/grpc_stream.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/status.h>

#include <utility>
#include <vector>

#include "node/grpc_shared.h"

namespace tombolo::node {
namespace {

// The other side bounds the messages of a frame, too; beyond these none are merged.
constexpr int kMaxMergedMessages = 1024;

template <class Element>
void Move(google::protobuf::RepeatedPtrField<Element>& from,
          google::protobuf::RepeatedPtrField<Element>& into) {
  std::vector<Element*> moved(static_cast<std::size_t>(from.size()));
  from.UnsafeArenaExtractSubrange(0, from.size(), moved.data());
  for (Element* element : moved) into.AddAllocated(element);
}

// Moves messages and segments of `from` behind those of `into`, without a copy of any; the rest
// joins.
void Merge(Frame& from, Frame& into) {
  Move(*from.mutable_messages(), *into.mutable_messages());
  Move(*from.mutable_segments(), *into.mutable_segments());
  into.MergeFrom(from);
}

// A hello stays in the first frame and a goodbye in the last, so order is kept.
bool MayFollow(const Frame& first, const Frame& next) {
  return !first.has_goodbye() && !next.has_hello() && next.network_proof().empty() &&
         first.messages_size() + next.messages_size() <= kMaxMergedMessages &&
         first.segments_size() + next.segments_size() <= kMaxMergedMessages;
}

bool Serialise(const Frame& frame, grpc::ByteBuffer* out) {
  bool own = false;
  out->Clear();
  return grpc::SerializationTraits<Frame>::Serialize(frame, out, &own).ok();
}

std::unique_ptr<Frame> Parse(grpc::ByteBuffer* bytes) {
  auto frame = std::make_unique<Frame>();
  const bool good = grpc::SerializationTraits<Frame>::Deserialize(bytes, frame.get()).ok();
  bytes->Clear();
  return good ? std::move(frame) : nullptr;
}

}  // namespace

GrpcStream::GrpcStream(std::shared_ptr<GrpcShared> shared, ConnectionId id, std::string peer)
    : shared_(std::move(shared)), id_(id), peer_(std::move(peer)) {}

GrpcStream::~GrpcStream() { shared_->buffered -= queued_bytes_ + inbox_bytes_; }

std::size_t GrpcStream::Send(Frame frame) {
  const std::size_t bytes = frame.ByteSizeLong();
  Next next = Next::kNothing;
  std::size_t queued = 0;
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || ended_) return 0;
    queue_.push_back(std::move(frame));
    queued_bytes_ += bytes;
    shared_->buffered += bytes;
    queued = queued_bytes_;
    if (queued > kSendHighWater) above_high_water_ = true;
    next = Decide();
  }
  Do(next);
  return queued;
}

void GrpcStream::Consumed(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  inbox_bytes_ -= bytes;
  shared_->buffered -= bytes;
  ResumeReading();
}

void GrpcStream::SetPaused(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
  ResumeReading();
}

void GrpcStream::ResumeReading() {
  const bool resume = !reading_ && !reads_over_ && !ended_ && !paused_;
  if (!resume || inbox_bytes_ > shared_->options.inbox_bytes / 2) return;
  reading_ = true;
  BeginRead(&incoming_);  // under the lock, so that End cannot come between
}

std::size_t GrpcStream::queued() const {
  const std::lock_guard lock(mutex_);
  return queued_bytes_;
}

void GrpcStream::Close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    if (!cause_) cause_ = CloseCause::kLocal;
  }
  Advance();
}

void GrpcStream::Abort(CloseCause cause, const std::string& detail) {
  {
    const std::lock_guard lock(mutex_);
    if (!cause_) {
      cause_ = cause;
      detail_ = detail;
    }
    aborted_ = true;
    if (!done_) Cancel();
  }
  Advance();
}

GrpcStream::Next GrpcStream::Decide() {
  if (writing_ || ended_) return Next::kNothing;
  if (reads_over_ || aborted_) {
    ended_ = true;
    return Next::kEnd;
  }
  if (!queue_.empty()) {
    TakeBatch();
    writing_ = true;
    return Next::kWrite;
  }
  if (!closing_ || half_closed_) return Next::kNothing;
  if (!half_closes()) {
    ended_ = true;
    return Next::kEnd;
  }
  half_closed_ = true;
  writing_ = true;
  return Next::kHalfClose;
}

void GrpcStream::TakeBatch() {
  writing_frame_ = std::move(queue_.front());
  queue_.pop_front();
  std::size_t frames = 1;
  writing_bytes_ = writing_frame_.ByteSizeLong();
  while (!queue_.empty() && MayFollow(writing_frame_, queue_.front())) {
    Frame& next = queue_.front();
    const std::size_t bytes = next.ByteSizeLong();
    if (writing_bytes_ + bytes > shared_->options.max_merge_bytes) break;
    Merge(next, writing_frame_);
    writing_bytes_ += bytes;
    ++frames;
    queue_.pop_front();
  }
  shared_->counts.Add(TransportCount::kFramesSent, frames);
  shared_->counts.Add(TransportCount::kBytesSent, writing_bytes_);
  shared_->counts.Add(TransportCount::kWrites);
}

void GrpcStream::Do(Next next) {
  switch (next) {
    case Next::kNothing:
      return;
    case Next::kWrite:
      if (Serialise(writing_frame_, &outgoing_)) return BeginWrite(&outgoing_);
      Abort(CloseCause::kProtocol, "a frame too long to send");
      return WriteDone(false);
    case Next::kHalfClose:
      return HalfClose();
    case Next::kEnd:
      return End(aborted_);
  }
}

void GrpcStream::Advance() {
  Next next = Next::kNothing;
  {
    const std::lock_guard lock(mutex_);
    next = Decide();
  }
  Do(next);
}

void GrpcStream::StartReading() {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  Prepare();
  reading_ = true;
  BeginRead(&incoming_);
}

void GrpcStream::ReadDone(bool ok) {
  if (!ok) {
    {
      const std::lock_guard lock(mutex_);
      reading_ = false;
      reads_over_ = true;
    }
    return Advance();
  }
  const std::size_t bytes = incoming_.Length();
  std::unique_ptr<Frame> frame;
  if (bytes <= shared_->options.max_frame_bytes) frame = Parse(&incoming_);
  if (frame == nullptr) {
    shared_->counts.Add(TransportCount::kProtocolErrors);
    return Abort(CloseCause::kProtocol, bytes > shared_->options.max_frame_bytes
                                            ? "a frame of " + std::to_string(bytes) + " bytes"
                                            : "bytes that are no frame");
  }
  if (!Inspect(*frame)) return;
  const bool says_something = frame->ByteSizeLong() > 0;
  shared_->counts.Add(TransportCount::kFramesReceived);
  shared_->counts.Add(TransportCount::kBytesReceived, bytes);
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    if (says_something) {
      inbox_bytes_ += bytes;
      shared_->buffered += bytes;
    }
    more = !ended_ && !paused_ && inbox_bytes_ <= shared_->options.inbox_bytes;
    reading_ = more;
    // Under the lock: the next frame, read by whoever resumes, must not overtake this one.
    if (says_something) shared_->events.Push({id_, FrameEvent{std::move(frame), bytes}});
  }
  if (more) BeginRead(&incoming_);  // inside a reaction, which keeps the call alive
}

void GrpcStream::WriteDone(bool ok) {
  bool drained = false;
  Next next = Next::kNothing;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    shared_->buffered -= writing_bytes_;
    queued_bytes_ -= std::exchange(writing_bytes_, 0);
    // A failed write means that the stream is gone; the read that is out will tell why.
    if (!ok) aborted_ = true;
    if (above_high_water_ && queued_bytes_ < kSendLowWater) {
      above_high_water_ = false;
      drained = true;
    }
    next = Decide();
  }
  if (drained) shared_->events.Push({id_, DrainedEvent{}});
  Do(next);
}

void GrpcStream::Done(CloseCause cause, const std::string& detail) {
  ClosedEvent closed{cause, detail};
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
    if (cause_) closed = {*cause_, detail_};
  }
  // The strand may delete this object before Push returns.
  const std::shared_ptr<GrpcShared> shared = shared_;
  shared->events.Push({id_, std::move(closed)});
}

void GrpcStream::PushOpened(const RemoteNode& remote) {
  shared_->counts.Add(TransportCount::kOpened);
  shared_->events.Push({id_, OpenedEvent{remote}});
}

}  // namespace tombolo::node
