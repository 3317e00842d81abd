// What goes to other nodes, and when: segments in turn, repetitions, signs of life.
#include <algorithm>
#include <utility>

#include "node/channel_table.h"

namespace tombolo::node {

// One segment per channel and round, so that none waits for another's whole window.
void ChannelTable::Flush(Time now) {
  now_ = now;
  for (auto& [to, segment] : std::exchange(answers_, {})) {
    const auto found = remotes_.find(to);
    const bool linked =
        found != remotes_.end() ? found->second.path.direct() : carrier_.IsLinked(to);
    Carry(linked, to, std::move(segment));
  }
  while (!dirty_.empty()) {
    const ChannelNumber number = dirty_.front();
    dirty_.pop_front();
    Channel* channel = Find(number);
    if (channel == nullptr) continue;
    if (channel->detached) {
      channel->dirty = false;
      CloseIfConsumed(*channel);
    } else if (SendOne(*channel)) {
      dirty_.push_back(number);
    } else {
      channel->dirty = false;
    }
  }
  TellAll();
}

void ChannelTable::CloseIfConsumed(Channel& channel) {
  if (channel.in.with_application() > 0) return;
  Count(ChannelCount::kClosed);
  Report(channel, Tell::kClosed);
  Remove(channel);
}

// False: it has nothing more to say for now.
bool ChannelTable::SendOne(Channel& channel) {
  Remote& remote = RemoteOf(channel);
  const std::optional<ChannelSender::Piece> piece = NextPiece(channel, remote);
  if (!piece && !channel.speak) return false;
  Segment segment;
  segment.set_channel(channel.key.second);
  segment.set_service(channel.service);
  segment.set_acked(channel.in.acked());
  segment.set_limit(channel.in.Limit());
  segment.set_held(channel.in.held());
  segment.set_ask(std::exchange(channel.ask, false));
  channel.speak = false;
  if (piece) {
    segment.set_offset(piece->offset);
    segment.set_fin(piece->fin);
    channel.out.Copy(*piece, *segment.mutable_data());
    channel.out.Sent(*piece);
    CountFlight(channel, remote);
    if (piece->again) {
      Count(ChannelCount::kBytesAgain, piece->size);
      channel.timed_at = kNever;  // Karn: the answer may be to either
    } else if (channel.timed_at == kNever) {
      channel.timed_at = now_;
      channel.timed_end = piece->offset + piece->size;
    }
  }
  Carry(remote.path.direct(), channel.remote(), std::move(segment));
  ArmRetry(channel, false);
  Arm(channel);
  return piece.has_value();
}

std::optional<ChannelSender::Piece> ChannelTable::NextPiece(Channel& channel, Remote& remote) {
  if (std::exchange(channel.repair, false) && channel.out.in_flight() > 0) {
    return channel.out.First();
  }
  const std::optional<ChannelSender::Piece> piece = channel.out.Next(kMaxFragment);
  if (!piece || remote.path.in_flight() == 0 || piece->size <= remote.path.allowance()) {
    return piece;
  }
  if (!std::exchange(channel.waits, true)) remote.waiting.push_back(channel.number);
  return std::nullopt;
}

void ChannelTable::Carry(bool linked, const NodeId& to, Segment&& segment) {
  Count(ChannelCount::kSegmentsOut);
  if (linked) {
    carrier_.CarryOverLink(to, std::move(segment));
  } else {
    carrier_.CarryRelayed(to, segment);
  }
}

void ChannelTable::CountFlight(Channel& channel, Remote& remote) {
  const std::size_t now = channel.out.in_flight();
  const bool less = now < channel.counted;
  remote.path.Move(channel.counted, now);
  channel.counted = now;
  if (less) WakeWaiting(remote);
}

void ChannelTable::WakeWaiting(Remote& remote) {
  for (const ChannelNumber number : std::exchange(remote.waiting, {})) {
    Channel* channel = Find(number);
    if (channel == nullptr) continue;
    channel->waits = false;
    Touch(*channel);
  }
}

void ChannelTable::PathChanged(const NodeId& id, bool linked, Time now) {
  now_ = now;
  const auto found = remotes_.find(id);
  if (found == remotes_.end()) return;
  Remote& remote = found->second;
  // Whatever is under way may be lost with the way.
  for (const ChannelNumber number : remote.channels) {
    Channel& channel = *Find(number);
    Count(ChannelCount::kPathChanges);
    channel.out.Rewind();
    channel.counted = 0;
    channel.recover = 0;
    channel.retries = 0;
    channel.timed_at = kNever;
    channel.waits = false;
    channel.speak = channel.ask = true;
    Touch(channel);
  }
  remote.waiting.clear();
  remote.path = ChannelPath(linked);
}

// ---- Time.

bool ChannelTable::NeedsRetry(const Channel& channel) const {
  return channel.out.in_flight() > 0 || !channel.service.empty() || channel.out.is_held_back();
}

// `anew`: the other side has answered to what was waited for.
void ChannelTable::ArmRetry(Channel& channel, bool anew) {
  if (!NeedsRetry(channel)) {
    channel.retry_at = kNever;
  } else if (anew || channel.retry_at == kNever) {
    const Duration timeout = RemoteOf(channel).path.timeout() * (1 << std::min(channel.retries, 4));
    channel.retry_at = now_ + std::min(timeout, Duration::Seconds(5));
  }
}

// Moving an entry to a later time is left to its expiry: most never come to it.
void ChannelTable::Arm(Channel& channel) {
  if (channel.ask_at == kNever) channel.ask_at = now_ + options_.silence / 4;
  const Time due = std::min({channel.retry_at, channel.ask_at, channel.heard + options_.silence});
  if (channel.timer <= due) return;
  if (channel.timer != kNever) timers_.erase({channel.timer, channel.number});
  channel.timer = due;
  timers_.emplace(due, channel.number);
}

void ChannelTable::Tick(Time now) {
  now_ = now;
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Channel& channel = *Find(timers_.begin()->second);
    timers_.erase(timers_.begin());
    channel.timer = kNever;
    Expire(channel);
  }
  Forget();
  TellAll();
}

void ChannelTable::Expire(Channel& channel) {
  if (channel.heard + options_.silence <= now_) {
    Count(ChannelCount::kTimeouts);
    Report(channel, Tell::kReset, {}, ResetReason::kTimeout);
    return ResetHere(channel, ResetReason::kTimeout, {});
  }
  if (channel.retry_at <= now_) Retry(channel);
  if (channel.ask_at <= now_) {
    channel.ask_at = now_ + options_.silence / 4;
    channel.speak = channel.ask = true;
    Touch(channel);
  }
  Arm(channel);
}

void ChannelTable::Retry(Channel& channel) {
  ++channel.retries;
  if (channel.out.in_flight() > 0) {
    Remote& remote = RemoteOf(channel);
    remote.path.LostAll();
    channel.out.Rewind();
    channel.recover = 0;
    CountFlight(channel, remote);
  }
  channel.speak = channel.ask = true;
  channel.retry_at = kNever;
  ArmRetry(channel, false);
  Touch(channel);
}

}  // namespace tombolo::node
