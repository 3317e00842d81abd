#include "node/channel_receiver.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tombolo::node {

ChannelReceiver::Outcome ChannelReceiver::Take(std::uint64_t offset, std::string&& data, bool fin,
                                               std::vector<std::string>& ready) {
  const std::size_t size = data.size();
  if (IsBroken(offset, size, fin)) return Outcome::kBroken;
  const std::uint64_t end = offset + size;
  const bool ends_now = fin && !fin_;
  if (ends_now) fin_ = end;
  if (end <= next_) return ends_now ? Outcome::kInOrder : Outcome::kDuplicate;
  if (offset <= next_) {
    highest_ = std::max(highest_, end);
    Deliver(offset, std::move(data), ready);
    return Outcome::kInOrder;
  }
  const auto found = held_.find(offset);
  if (found != held_.end() && found->second.size() >= size) return Outcome::kDuplicate;
  if (found != held_.end() || held_.size() >= kMaxHeld || held_bytes_ + size > window_) {
    return Outcome::kDropped;  // what overlaps only comes from others than us
  }
  highest_ = std::max(highest_, end);
  held_bytes_ += size;
  held_.emplace(offset, std::move(data));
  return Outcome::kHeld;
}

bool ChannelReceiver::IsBroken(std::uint64_t offset, std::size_t size, bool fin) const {
  if (offset > told_ || size > told_ - offset) return true;
  const std::uint64_t end = offset + size;
  if (fin_) return end > *fin_ || (fin && end != *fin_);
  return fin && end < highest_;
}

void ChannelReceiver::Deliver(std::uint64_t offset, std::string&& data,
                              std::vector<std::string>& ready) {
  const auto add = [&](std::uint64_t at, std::string&& bytes) {
    const std::uint64_t end = at + bytes.size();
    if (end <= next_) return;
    if (at < next_) bytes.erase(0, static_cast<std::size_t>(next_ - at));
    next_ = end;
    ready.push_back(std::move(bytes));
  };
  add(offset, std::move(data));
  while (!held_.empty() && held_.begin()->first <= next_) {
    auto first = held_.extract(held_.begin());
    held_bytes_ -= first.mapped().size();
    add(first.key(), std::move(first.mapped()));
  }
}

bool ChannelReceiver::Consume(std::size_t bytes) {
  assert(bytes <= with_application());
  consumed_ += bytes;
  return !fin_ && consumed_ + window_ >= told_ + window_ / 4;
}

bool ChannelReceiver::WantsMore(Time now) {
  if (consumed_ < round_end_) return false;
  const bool quick = now - round_start_ < Duration::Seconds(1);
  round_start_ = now;
  round_end_ = consumed_ + window_;
  return quick && !fin_;
}

std::uint64_t ChannelReceiver::Limit() {
  told_ = std::max(told_, consumed_ + window_);
  return told_;
}

}  // namespace tombolo::node
