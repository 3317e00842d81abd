// What comes from other nodes. Nothing of it is trusted.
#include <utility>

#include "node/channel_table.h"

namespace tombolo::node {
namespace {

// As many held behind a gap are no mere disorder (RFC 5681: three duplicate acknowledgements).
constexpr std::uint32_t kHeldBehindLoss = 3;

bool IsWellFormed(const Segment& segment) {
  return segment.data().size() <= 64 * 1024 && segment.service().size() <= kMaxServiceBytes &&
         segment.reset().text().size() <= kMaxResetBytes;
}

ResetReason ReasonOf(const Segment& segment) {
  const std::uint32_t reason = segment.reset().reason();
  return reason < kResetReasonNames.size() ? static_cast<ResetReason>(reason)
                                           : ResetReason::kUnspecified;
}

}  // namespace

void ChannelTable::Receive(const NodeId& from, Segment& segment, Time now) {
  now_ = now;
  Count(ChannelCount::kSegmentsIn);
  if (!IsWellFormed(segment) || from == self_) return Count(ChannelCount::kMalformed);
  const Key key{from, segment.channel()};
  const auto found = numbers_.find(key);
  if (found != numbers_.end()) {
    OnSegment(channels_.find(found->second)->second, segment);
  } else if (!segment.has_reset()) {
    const bool opens = !segment.service().empty() && !closed_.contains(key);
    opens ? OnOpen(key, segment) : OnStray(key, segment);
  }
  TellAll();
}

// Of a channel that is over, or never was.
void ChannelTable::OnStray(const Key& key, const Segment& segment) {
  Count(ChannelCount::kUnknown);
  const auto closed = closed_.find(key);
  if (closed == closed_.end()) return Answer(key, {0, ResetReason::kUnknown});
  // Acknowledgements of what it has been told end it.
  const bool waits = !segment.data().empty() || segment.fin() || segment.ask();
  if (waits || closed->second.reset) Answer(key, closed->second);
}

void ChannelTable::Answer(const Key& key, const Closed& closed) {
  Segment segment;
  segment.set_channel(key.second);
  if (closed.reset) {
    segment.mutable_reset()->set_reason(static_cast<std::uint32_t>(*closed.reset));
  } else {
    segment.set_acked(closed.acked);
  }
  answers_.emplace_back(key.first, std::move(segment));
  carrier_.WantFlush();
}

void ChannelTable::OnOpen(const Key& key, Segment& segment) {
  const auto acceptor = acceptors_.find(segment.service());
  if (acceptor == acceptors_.end()) {
    Count(ChannelCount::kRefusedService);
    return Answer(key, {0, closing_ ? ResetReason::kLeaving : ResetReason::kNoService});
  }
  if (!HasRoom(key.first)) {
    Count(ChannelCount::kRefusedFull);
    return Answer(key, {0, closing_ ? ResetReason::kLeaving : ResetReason::kOverload});
  }
  const ChannelNumber number = Add(key).number;
  const Acceptor accept = acceptor->second;  // which may withdraw itself
  ChannelListener* listener = accept(number, key.first);
  Channel* channel = Find(number);
  if (channel == nullptr) return;
  if (listener == nullptr) return ResetHere(*channel, ResetReason::kRefused, {});
  Count(ChannelCount::kAccepted);
  channel->listener = listener;
  channel->speak = true;
  OnSegment(*channel, segment);
}

void ChannelTable::OnSegment(Channel& channel, Segment& segment) {
  if (segment.has_reset()) {
    Count(ChannelCount::kResetThere);
    Report(channel, Tell::kReset, segment.reset().text(), ReasonOf(segment));
    Detach(channel, {0, ResetReason::kUnknown});
    return Remove(channel);
  }
  channel.heard = now_;
  channel.ask_at = now_ + options_.silence / 4;
  // Only the other side's answer to an open comes without a service.
  if (!channel.service.empty() && segment.service().empty()) {
    channel.service.clear();
    Report(channel, Tell::kAccepted);
  }
  if (segment.ask()) channel.speak = true;
  if (!OnAcknowledged(channel, segment) || !OnData(channel, segment)) {
    Count(ChannelCount::kBroken);
    Report(channel, Tell::kReset, {}, ResetReason::kProtocol);
    return ResetHere(channel, ResetReason::kProtocol, {});
  }
  if (channel.in.ended() && channel.out.done()) {
    const Closed closed{channel.in.acked(), std::nullopt};
    Answer(channel.key, closed);
    Detach(channel, closed);
    return Touch(channel);
  }
  Touch(channel);
  Arm(channel);
}

bool ChannelTable::OnAcknowledged(Channel& channel, const Segment& segment) {
  ChannelSender& out = channel.out;
  Remote& remote = RemoteOf(channel);
  const std::uint64_t before = out.acked();
  if (!out.Acknowledge(segment.acked())) return false;
  out.Credit(segment.limit());
  const bool progress = out.acked() > before;
  if (progress) {
    channel.retries = 0;
    if (channel.timed_at != kNever && out.acked() >= channel.timed_end) {
      remote.path.Sample(now_ - channel.timed_at);
      channel.timed_at = kNever;
    }
    remote.path.Acknowledged(static_cast<std::size_t>(out.acked() - before));
    if (channel.wants_room && out.room() >= out.limit() / 2) {
      channel.wants_room = false;
      Report(channel, Tell::kWritable);
    }
  }
  if (segment.held() >= kHeldBehindLoss && segment.acked() == out.acked() && out.in_flight() > 0) {
    const bool first = out.acked() >= channel.recover;
    if (first) {
      remote.path.LostOne();
      channel.recover = out.next();
    }
    if (first || progress) channel.repair = true;
  }
  CountFlight(channel, remote);
  ArmRetry(channel, progress);
  return true;
}

bool ChannelTable::OnData(Channel& channel, Segment& segment) {
  if (segment.data().empty() && !segment.fin()) return true;
  channel.speak = true;
  std::vector<std::string> ready;
  switch (
      channel.in.Take(segment.offset(), std::move(*segment.mutable_data()), segment.fin(), ready)) {
    case ChannelReceiver::Outcome::kBroken:
      return false;
    case ChannelReceiver::Outcome::kDuplicate:
      Count(ChannelCount::kDuplicates);
      break;
    case ChannelReceiver::Outcome::kDropped:
      Count(ChannelCount::kDropped);
      break;
    case ChannelReceiver::Outcome::kHeld:
      Count(ChannelCount::kHeld);
      break;
    case ChannelReceiver::Outcome::kInOrder:
      break;
  }
  for (std::string& bytes : ready) {
    Count(ChannelCount::kBytesIn, bytes.size());
    Report(channel, Tell::kData, std::move(bytes));
  }
  if (channel.in.ended() && !std::exchange(channel.end_told, true)) Report(channel, Tell::kEnd);
  return true;
}

}  // namespace tombolo::node
