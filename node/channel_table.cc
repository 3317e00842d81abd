#include "node/channel_table.h"

#include <algorithm>
#include <cassert>

namespace tombolo::node {

ChannelTable::ChannelTable(const ChannelOptions& options, const NodeId& self,
                           ChannelCarrier& carrier, std::uint64_t seed)
    : options_(options), self_(self), carrier_(carrier), rng_(Rng::Split(seed, 0x6368616e6e656c)) {}

// ---- The application.

absl::StatusOr<ChannelNumber> ChannelTable::Open(const NodeId& remote, const std::string& service,
                                                 ChannelListener& listener) {
  if (service.empty() || service.size() > kMaxServiceBytes) {
    return absl::InvalidArgumentError("a service has a name of 1 to 64 bytes");
  }
  if (remote == self_) return absl::InvalidArgumentError("a channel leads to another node");
  if (closing_) return absl::FailedPreconditionError("the node is stopping");
  if (!HasRoom(remote)) {
    Count(ChannelCount::kRefusedFull);
    return absl::ResourceExhaustedError("too many channels");
  }
  Count(ChannelCount::kOpened);
  Channel& channel = Add({remote, rng_.Next()});
  channel.listener = &listener;
  channel.service = service;
  channel.speak = true;
  Touch(channel);
  return channel.number;
}

absl::Status ChannelTable::Accept(const std::string& service, Acceptor acceptor) {
  if (service.empty() || service.size() > kMaxServiceBytes) {
    return absl::InvalidArgumentError("a service has a name of 1 to 64 bytes");
  }
  if (!acceptors_.try_emplace(service, std::move(acceptor)).second) {
    return absl::AlreadyExistsError("the service is accepted already");
  }
  return absl::OkStatus();
}

std::size_t ChannelTable::Write(ChannelNumber number, std::string_view bytes) {
  Channel* channel = Find(number);
  if (channel == nullptr) return 0;
  ChannelSender& out = channel->out;
  // The other side takes more than is gathered here.
  while (bytes.size() > out.room() && out.credit() > out.limit() && MayGrow(out.limit())) {
    out.Grow(Grown(out.limit()));
  }
  const std::size_t taken = out.Append(bytes);
  Count(ChannelCount::kBytesOut, taken);
  if (taken < bytes.size() && !out.finished()) channel->wants_room = true;
  if (taken > 0) Touch(*channel);
  return taken;
}

void ChannelTable::Consume(ChannelNumber number, std::size_t bytes) {
  Channel* channel = Find(number);
  if (channel == nullptr) return;
  ChannelReceiver& in = channel->in;
  const bool tell = in.Consume(bytes);
  if (channel->detached) return Touch(*channel);
  if (in.WantsMore(now_) && MayGrow(in.window())) in.Grow(Grown(in.window()));
  if (!tell) return;
  channel->speak = true;
  Touch(*channel);
}

void ChannelTable::Finish(ChannelNumber number) {
  Channel* channel = Find(number);
  if (channel == nullptr) return;
  channel->out.Finish();
  channel->wants_room = false;
  Touch(*channel);
}

void ChannelTable::Reset(ChannelNumber number, std::string_view text, ResetReason reason) {
  std::erase_if(news_, [number](const News& news) { return news.number == number; });
  if (Channel* channel = Find(number)) ResetHere(*channel, reason, text);
}

void ChannelTable::ResetAll(ResetReason reason) {
  closing_ = true;
  while (!channels_.empty()) {
    Channel& channel = channels_.begin()->second;
    Report(channel, channel.detached ? Tell::kClosed : Tell::kReset, {}, reason);
    ResetHere(channel, reason, {});
  }
  TellAll();
}

// ---- Channels.

ChannelTable::Channel* ChannelTable::Find(ChannelNumber number) {
  const auto found = channels_.find(number);
  return found == channels_.end() ? nullptr : &found->second;
}

bool ChannelTable::HasRoom(const NodeId& remote) const {
  if (closing_ || channels_.size() >= options_.max_channels) return false;
  if (memory_ + 2 * kFirstWindow > options_.max_memory) return false;
  const auto found = remotes_.find(remote);
  return found == remotes_.end() || found->second.channels.size() < options_.max_per_peer;
}

std::size_t ChannelTable::Grown(std::size_t window) const {
  return std::max(window, std::min(2 * window, options_.max_window));
}

// False, without a count, of a window that is as large as it may be.
bool ChannelTable::MayGrow(std::size_t window) {
  const std::size_t bytes = Grown(window) - window;
  if (bytes == 0) return false;
  const bool fits = memory_ + bytes <= options_.max_memory;
  Count(fits ? ChannelCount::kGrown : ChannelCount::kNotGrown);
  if (fits) memory_ += bytes;
  return fits;
}

// Requires that there is room.
ChannelTable::Channel& ChannelTable::Add(const Key& key) {
  const ChannelNumber number{++last_number_};
  numbers_[key] = number;
  Channel& channel = channels_[number];
  channel.number = number;
  channel.key = key;
  channel.heard = now_;
  memory_ += channel.in.window() + channel.out.limit();
  const bool linked = carrier_.IsLinked(key.first);
  auto& remote = remotes_.try_emplace(key.first, Remote{ChannelPath(linked), {}, {}}).first->second;
  remote.channels.insert(number);
  return channel;
}

// Has it looked at by Flush.
void ChannelTable::Touch(Channel& channel) {
  if (channel.dirty) return;
  channel.dirty = true;
  dirty_.push_back(channel.number);
  carrier_.WantFlush();
}

// ---- What listeners hear.

void ChannelTable::Report(Channel& channel, Tell what, std::string bytes, ResetReason reason) {
  news_.push_back({channel.number, channel.listener, what, std::move(bytes), reason});
}

void ChannelTable::TellAll() {
  if (std::exchange(telling_, true)) return;
  while (!news_.empty()) {
    News news = std::move(news_.front());
    news_.pop_front();
    switch (news.what) {
      case Tell::kAccepted:
        news.listener->OnAccepted(news.number);
        break;
      case Tell::kData:
        news.listener->OnData(news.number, std::move(news.bytes));
        break;
      case Tell::kEnd:
        news.listener->OnEnd(news.number);
        break;
      case Tell::kWritable:
        news.listener->OnWritable(news.number);
        break;
      case Tell::kReset:
        news.listener->OnReset(news.number, news.reason, news.bytes);
        break;
      case Tell::kClosed:
        news.listener->OnClosed(news.number);
        break;
    }
  }
  telling_ = false;
}

// ---- Ends.

void ChannelTable::ResetHere(Channel& channel, ResetReason reason, std::string_view text) {
  if (channel.detached) return Remove(channel);
  Count(ChannelCount::kResetHere);
  Segment segment;
  segment.set_channel(channel.key.second);
  segment.mutable_reset()->set_reason(static_cast<std::uint32_t>(reason));
  segment.mutable_reset()->set_text(std::string(text.substr(0, kMaxResetBytes)));
  answers_.emplace_back(channel.remote(), std::move(segment));
  carrier_.WantFlush();
  Detach(channel, {0, reason});
  Remove(channel);
}

// It is over for the other side.
void ChannelTable::Detach(Channel& channel, const Closed& closed) {
  const Key key = channel.key;
  const ChannelNumber number = channel.number;
  channel.detached = true;
  Remote& remote = RemoteOf(channel);
  remote.path.Move(channel.counted, 0);
  remote.channels.erase(number);
  if (remote.channels.empty()) {
    remotes_.erase(key.first);
  } else {
    WakeWaiting(remote);
  }
  if (channel.timer != kNever) timers_.erase({channel.timer, number});
  numbers_.erase(key);
  closed_.insert_or_assign(key, closed);
  closed_order_.emplace_back(now_ + kRememberClosed, key);
  Forget();
}

void ChannelTable::Remove(Channel& channel) {
  memory_ -= channel.in.window() + channel.out.limit();
  channels_.erase(channel.number);
}

void ChannelTable::Forget() {
  while (!closed_order_.empty() &&
         (closed_order_.front().first <= now_ || closed_order_.size() > kMaxClosed)) {
    closed_.erase(closed_order_.front().second);
    closed_order_.pop_front();
  }
}

}  // namespace tombolo::node
