// What is written: messages of one turn share a frame.
#include <utility>

#include "node/link_table.h"

namespace tombolo::node {
namespace {

// What is said over a link that both ends believe in, or not at all. Everything else may have a
// link dialled for it.
bool NeedsLink(const Message& message) {
  return std::visit(
      []<class Kind>(const Kind&) {
        constexpr bool relay = std::is_same_v<Kind, Forward> || std::is_same_v<Kind, HopAck> ||
                               std::is_same_v<Kind, HopProbe> || std::is_same_v<Kind, Evict>;
        constexpr bool gossip =
            std::is_same_v<Kind, GossipPush> || std::is_same_v<Kind, GossipHave> ||
            std::is_same_v<Kind, GossipGraft> || std::is_same_v<Kind, GossipPrune> ||
            std::is_same_v<Kind, GossipCount>;
        return relay || gossip;
      },
      message);
}

}  // namespace

void LinkTable::Send(PeerRef to, const Message& message, Time now) {
  auto found = links_.find(to);
  if (found != links_.end() && found->second.ready) {
    Connection& connection = *Find(*found->second.ready);
    const bool small = PayloadOf(message).empty();
    if (IsOverfull(connection, small ? 2 * options_.max_queue : options_.max_queue)) {
      return Count(LinkCount::kQueueFull);
    }
    wire::Message& encoded = *Batch(connection).add_messages();
    codec_.Encode(message, encoded);
    return Appended(connection, encoded.ByteSizeLong(), now);
  }
  if (NeedsLink(message)) return Count(LinkCount::kNoLink);
  if (found == links_.end() || !found->second.dial) {
    if (!MayDial(to, now)) return;
    found = links_.try_emplace(to).first;
    EnsureDial(to, found->second, now);
  }
  Wait(*found->second.dial, message);
}

void LinkTable::SendSegment(PeerRef to, link::v1::Segment segment, Time now) {
  const auto found = links_.find(to);
  if (found == links_.end() || !found->second.ready) return Count(LinkCount::kNoLink);
  Connection& connection = *Find(*found->second.ready);
  if (IsOverfull(connection, options_.max_queue)) return Count(LinkCount::kQueueFull);
  const std::size_t bytes = segment.ByteSizeLong();
  *Batch(connection).add_segments() = std::move(segment);
  Appended(connection, bytes, now);
}

// What was queued at the last write may have gone since: nobody says so of small queues.
bool LinkTable::IsOverfull(Connection& connection, std::size_t limit) const {
  if (connection.queued + connection.batch_bytes < limit) return false;
  connection.queued = transport_->queued(connection.id);
  return connection.queued + connection.batch_bytes >= limit;
}

void LinkTable::Append(Connection& connection, wire::Message&& message, Time now) {
  const std::size_t bytes = message.ByteSizeLong();
  *Batch(connection).add_messages() = std::move(message);
  Appended(connection, bytes, now);
}

// A frame that has become large enough does not wait for the end of the turn.
void LinkTable::Appended(Connection& connection, std::size_t bytes, Time now) {
  connection.batch_bytes += bytes;
  connection.used = now;
  const Frame& batch = connection.batch;
  const bool full = connection.batch_bytes >= options_.frame_bytes ||
                    batch.messages_size() + batch.segments_size() == kMaxFrameMessages;
  if (full) Write(connection);
}

Frame& LinkTable::Batch(Connection& connection) {
  if (!connection.dirty) {
    connection.dirty = true;
    dirty_.push_back(connection.id);
  }
  return connection.batch;
}

void LinkTable::Flush() {
  // Writing makes nothing dirty.
  for (const ConnectionId id : dirty_) {
    Connection* connection = Find(id);
    const bool open = connection != nullptr && connection->state != ConnectionState::kClosed;
    if (open && connection->dirty) Write(*connection);
  }
  dirty_.clear();
}

void LinkTable::Write(Connection& connection) {
  Count(LinkCount::kFrames);
  const auto messages = static_cast<std::uint64_t>(connection.batch.messages_size());
  Count(LinkCount::kMessages, messages);
  connection.messages_out += messages;
  connection.dirty = false;
  connection.batch_bytes = 0;
  connection.queued = transport_->Send(connection.id, std::exchange(connection.batch, Frame()));
  const auto found = links_.find(connection.peer);
  if (found == links_.end() || found->second.ready != connection.id) return;
  Link& link = found->second;
  const bool pressed = connection.queued > (link.pressed ? kSendLowWater : kSendHighWater);
  if (pressed == link.pressed) return;
  link.pressed = pressed;
  const LinkPressure level = pressed ? LinkPressure::kHigh : LinkPressure::kNone;
  if (link.kept) events_.PressureIs(connection.peer, level);
}

}  // namespace tombolo::node
