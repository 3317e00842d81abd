#include "node/channel_sender.h"

#include <algorithm>

namespace tombolo::node {
namespace {

// Writes of a few bytes share a chunk.
constexpr std::size_t kChunkBytes = 16 * 1024;

}  // namespace

std::size_t ChannelSender::Append(std::string_view bytes) {
  if (finished_) return 0;
  const std::string_view taken = bytes.substr(0, room());
  if (taken.empty()) return 0;
  if (!chunks_.empty() && chunks_.back().size() + taken.size() <= kChunkBytes) {
    chunks_.back() += taken;
  } else {
    chunks_.emplace_back(taken);
  }
  end_ += taken.size();
  return taken.size();
}

std::optional<ChannelSender::Piece> ChannelSender::Next(std::size_t most) const {
  if (next_ > end_) return std::nullopt;  // with its end
  const std::uint64_t until = std::min(end_, std::max(credit_, next_));
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(most, until - next_));
  const bool fin = finished_ && next_ + size == end_;
  if (size == 0 && !fin) return std::nullopt;
  return Piece{next_, size, fin, next_ < sent_};
}

ChannelSender::Piece ChannelSender::First() const {
  const std::uint64_t until = std::min(std::min(sent_, end_), acked_ + kMaxFragment);
  const bool fin = sent_ > end_ && until == end_;
  return {acked_, static_cast<std::size_t>(until - std::min(until, acked_)), fin, true};
}

void ChannelSender::Copy(const Piece& piece, std::string& out) const {
  std::size_t at = static_cast<std::size_t>(piece.offset - acked_) + skip_;
  std::size_t left = piece.size;
  out.reserve(left);
  for (auto chunk = chunks_.begin(); left > 0; ++chunk) {
    if (at >= chunk->size()) {
      at -= chunk->size();
      continue;
    }
    const std::size_t size = std::min(left, chunk->size() - at);
    out.append(*chunk, at, size);
    left -= size;
    at = 0;
  }
}

void ChannelSender::Sent(const Piece& piece) {
  next_ = std::max(next_, piece.offset + piece.size + (piece.fin ? 1 : 0));
  sent_ = std::max(sent_, next_);
}

bool ChannelSender::Acknowledge(std::uint64_t acked) {
  if (acked > sent_) return false;
  if (acked <= acked_) return true;
  Drop(std::min(acked, end_));
  acked_ = acked;
  next_ = std::max(next_, acked);
  return true;
}

void ChannelSender::Drop(std::uint64_t until) {
  skip_ += static_cast<std::size_t>(until - std::min(until, acked_));
  while (!chunks_.empty() && skip_ >= chunks_.front().size()) {
    skip_ -= chunks_.front().size();
    chunks_.pop_front();
  }
}

}  // namespace tombolo::node
