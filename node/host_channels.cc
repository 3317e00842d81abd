// Channels: which way their segments go, and which relayed payloads are theirs.
#include <algorithm>
#include <optional>
#include <utility>

#include "node/host.h"

namespace tombolo::node {
namespace {

// How long a segment may wait for a first link; it is sent again if need be.
constexpr Duration kSegmentDeadline = Duration::Seconds(2);

}  // namespace

bool Host::IsLinked(const NodeId& remote) const {
  const std::optional<PeerRef> peer = known_.ids().Find(remote);
  return peer && links_.IsLinked(*peer);
}

void Host::CarryOverLink(const NodeId& remote, Segment segment) {
  if (const std::optional<PeerRef> peer = known_.ids().Find(remote)) {
    links_.SendSegment(*peer, std::move(segment), now_);
  }
}

void Host::CarryRelayed(const NodeId& remote, const Segment& segment) {
  std::string bytes = segment.SerializeAsString();
  bytes.push_back(kChannelPayload);
  Send send;
  send.target = remote;
  send.deadline = kSegmentDeadline;
  send.receipt = false;
  const auto size = static_cast<std::uint32_t>(bytes.size());
  send.payload = payloads_.Add(size, std::move(bytes));
  inputs_.push_back(CommandInput{send});
}

void Host::WantFlush() {
  if (clock_ != nullptr) clock_->EndTurnSoon();
}

// What is relayed has to be with the links before they are flushed.
void Host::FlushChannels() {
  now_ = std::max(now_, clock_->now());
  channels_.Flush(now_);
  while (!inputs_.empty()) RunNext();
}

void Host::Arrived(const MessageArrived& event) {
  std::string payload = payloads_.Take(event.payload);
  const char kind = payload.empty() ? '\xff' : payload.back();
  if (!payload.empty()) payload.pop_back();
  if (kind == kApplicationPayload) return listener_.OnEvent(event, std::move(payload));
  Segment segment;
  if (kind == kChannelPayload && segment.ParseFromString(payload)) {
    return channels_.Receive(event.origin, segment, now_);
  }
  ++counters_.strange_payloads;
}

}  // namespace tombolo::node
