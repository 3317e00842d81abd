#include "node/gateway/peer_relay_remote.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "node/gateway/websocket_frame.h"

namespace tombolo::node {
namespace {

using enum PeerRelayRemoteCount;

constexpr std::size_t kIdBytes = 20;
constexpr std::size_t kTargetEnd = 2 + kIdBytes;  // of an item: kind, forwards, to
constexpr char kMessageItem = 0;
constexpr char kGoneItem = 1;

// Marks an item that has failed once, beside its forwards; of this node alone, never sent.
constexpr unsigned char kRetriedMark = 0x80;

bool IsRetried(std::string_view item) {
  return (static_cast<unsigned char>(item[1]) & kRetriedMark) != 0;
}

void AppendId(const NodeId& id, std::string& out) {
  for (const std::uint32_t word : id.words) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(word >> shift));
  }
}

void AppendLength(std::size_t length, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(length >> shift));
}

// What is left of an item; any read beyond the end makes it bad.
class ItemReader {
 public:
  explicit ItemReader(std::string_view item) : rest_(item) {}

  bool good() const { return good_; }
  std::string_view rest() const { return rest_; }
  std::string_view Take(std::size_t size) {
    if (rest_.size() < size) {
      good_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint32_t Number(std::size_t bytes) {
    std::uint32_t number = 0;
    for (const char c : Take(bytes)) number = number << 8 | static_cast<std::uint8_t>(c);
    return number;
  }
  NodeId Id() {
    NodeId id;
    for (std::uint32_t& word : id.words) word = Number(4);
    return id;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::string MessageItem(const PeerRelayFrame& frame) {
  std::string item;
  item.reserve(kTargetEnd + (1 + frame.hops) * kIdBytes + frame.nonce.size() + frame.data.size() +
               2);
  item.push_back(kMessageItem);
  item.push_back(0);
  AppendId(frame.to, item);
  AppendId(frame.from, item);
  item.push_back(static_cast<char>(frame.hops));
  for (const NodeId& id : frame.passed()) AppendId(id, item);
  item.push_back(static_cast<char>(frame.nonce.size()));
  item.append(frame.nonce).append(frame.data);
  return item;
}

// The whole of a message but its forwards.
bool ReadMessage(std::string_view item, PeerRelayFrame& frame) {
  ItemReader reader(item);
  reader.Take(2);
  frame.to = reader.Id();
  frame.from = reader.Id();
  frame.hops = reader.Number(1);
  if (frame.hops > kPeerRelayHops) return false;
  for (std::size_t i = 0; i < frame.hops; ++i) frame.path[i] = reader.Id();
  frame.nonce = reader.Take(reader.Number(1));
  frame.data = reader.rest();
  const bool plain = std::ranges::all_of(
      frame.nonce, [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
  return reader.good() && plain && !frame.nonce.empty() && frame.nonce.size() <= kPeerRelayNonce &&
         IsUtf8(frame.data) && CheckPeerRelayData(frame);
}

template <class Function>
bool ForEachItem(std::string_view items, Function&& function) {
  ItemReader reader(items);
  while (reader.good() && !reader.rest().empty()) {
    const std::string_view item = reader.Take(reader.Number(4));
    if (reader.good()) function(item);
  }
  return reader.good();
}

// Takes the marks off the items behind kTag.
void ClearMarks(std::string& payload) {
  const auto clear = [&payload](std::string_view item) {
    char& byte = payload[static_cast<std::size_t>(item.data() - payload.data()) + 1];
    byte = static_cast<char>(static_cast<unsigned char>(byte) & ~kRetriedMark);
  };
  ForEachItem(std::string_view(payload).substr(PeerRelayRemote::kTag.size()), clear);
}

// Of the first items of a queue: as many as fit, at least one.
std::size_t BatchSize(std::string_view queue) {
  ItemReader reader(queue);
  std::size_t size = 0;
  while (!reader.rest().empty()) {
    reader.Take(reader.Number(4));
    const std::size_t next = queue.size() - reader.rest().size();
    if (size > 0 && next > PeerRelayRemote::kBatchBytes) break;
    size = next;
  }
  return size;
}

NodeId TargetOf(std::string_view item) {
  ItemReader reader(item);
  reader.Take(2);
  return reader.Id();
}

}  // namespace

void PeerRelayRemote::Forward(const PeerRelayFrame& frame, Time now) {
  now_ = now;
  Route(frame.to, MessageItem(frame), now, false);
}

void PeerRelayRemote::Route(const NodeId& to, std::string item, Time now, bool retried) {
  if (std::ranges::count(gateways_, to) > 0) return Enqueue(to, item);
  const auto at = known_.find(to);
  if (at == known_.end() || (at->second.until <= now && at->second.state != State::kResolving))
    return Resolve(to, std::move(item), now);
  Client& client = at->second;
  switch (client.state) {
    case State::kResolving:
      if (client.waiting.size() >= kMaxWaiting) return Count(kOverload);
      client.waiting.push_back(std::move(item));
      return;
    case State::kUnknown:
      if (retried) return Count(kLost);
      return NobodyKnows(item);
    case State::kKnown:
      return Enqueue(client.home, item);
  }
}

// What waits for its home is delivered when that is found to be here.
void PeerRelayRemote::Forget(const NodeId& client) {
  const auto at = known_.find(client);
  if (at != known_.end() && at->second.state != State::kResolving) known_.erase(at);
}

// ---- Finding homes.

void PeerRelayRemote::Resolve(const NodeId& id, std::string item, Time now) {
  if (resolving_ >= kMaxResolving) return Count(kOverload);
  MakeRoom(now);
  Client& client = known_[id];
  client = Client{};
  client.waiting.push_back(std::move(item));
  ++resolving_;
  const absl::Status asked = application_.Ask(ResolveClient{0, id}, {},
                                              [this, id](const Event& event, const std::string&) {
                                                --resolving_;
                                                OnResolved(id, std::get_if<ClientResolved>(&event));
                                              });
  if (asked.ok()) return;
  --resolving_;
  Count(kOverload);
  known_.erase(id);
}

void PeerRelayRemote::OnResolved(const NodeId& id, const ClientResolved* found) {
  const auto at = known_.find(id);
  if (at == known_.end() || at->second.state != State::kResolving) return;
  Client& client = at->second;
  const std::vector<std::string> waiting = std::exchange(client.waiting, {});
  const Host& host = application_.host();
  if (found != nullptr && found->found) client.home = host.known().ids().id(found->home);
  const bool elsewhere = found != nullptr && found->found && client.home != host.self().id;
  client.state = elsewhere ? State::kKnown : State::kUnknown;
  client.until = now_ + (elsewhere ? kKnownFor : kUnknownFor);
  ages_.emplace_back(client.until, id);
  if (elsewhere) Count(kResolved);
  for (const std::string& item : waiting) {
    PeerRelayFrame frame;
    if (elsewhere) {
      Enqueue(known_.at(id).home, item);
    } else if (!ReadMessage(item, frame) || !events_.DeliverHere(frame)) {  // it may have come
      NobodyKnows(item);
    }
  }
}

void PeerRelayRemote::NobodyKnows(std::string_view item) {
  PeerRelayFrame frame;
  if (item.empty() || item[0] != kMessageItem || !ReadMessage(item, frame)) return;
  if (!events_.DeliverElsewhere(frame)) Count(kUnknown);
}

// Drops what is out of date, and the oldest if that is not enough.
void PeerRelayRemote::MakeRoom(Time now) {
  while (!ages_.empty() && (ages_.front().first <= now || known_.size() >= kMaxKnown)) {
    const auto [until, id] = ages_.front();
    ages_.pop_front();
    const auto at = known_.find(id);
    if (at != known_.end() && at->second.state != State::kResolving && at->second.until == until)
      known_.erase(at);
  }
}

// ---- Sending.

void PeerRelayRemote::Enqueue(const NodeId& id, std::string_view item) {
  Home& home = homes_[id];
  if (home.queue.size() + item.size() > kMaxQueued) return Count(kOverload);
  if (home.queue.empty()) {
    dirty_.push_back(id);
    events_.EndTurnSoon();
  }
  AppendLength(item.size(), home.queue);
  home.queue.append(item);
  if (item[0] == kMessageItem) Count(kSent);
}

void PeerRelayRemote::TurnEnded(Time now) {
  now_ = now;
  const std::vector<NodeId> dirty = std::exchange(dirty_, {});
  for (const NodeId& id : dirty) SendBatches(id);
}

void PeerRelayRemote::SendBatches(const NodeId& id) {
  const auto at = homes_.find(id);
  if (at == homes_.end() || at->second.sending) return;
  Home& home = at->second;
  home.sending = true;  // answers may come from within
  while (!home.queue.empty() && home.under_way < kBatchesPerHome) {
    const std::size_t size = BatchSize(home.queue);
    const auto batch = std::make_shared<const std::string>(home.queue.substr(0, size));
    home.queue.erase(0, size);
    SendBatch(id, home, batch);
  }
  home.sending = false;
  if (home.queue.empty() && home.under_way == 0) homes_.erase(at);
}

void PeerRelayRemote::SendBatch(const NodeId& id, Home& home, const Batch& batch) {
  Send send;
  send.target = id;
  send.deadline = kSendDeadline;
  std::string payload(kTag);
  payload.append(*batch);
  ClearMarks(payload);
  ++home.under_way;
  under_way_ += batch->size();
  const bool sent = under_way_ <= kMaxUnderWay &&
                    application_
                        .Ask(send, std::move(payload),
                             [this, id, batch](const Event& event, const std::string&) {
                               OnBatchDone(id, batch, std::holds_alternative<Delivered>(event));
                             })
                        .ok();
  if (sent) return;
  --home.under_way;
  under_way_ -= batch->size();
  ForEachItem(*batch, [this](std::string_view) { Count(kOverload); });
}

void PeerRelayRemote::OnBatchDone(const NodeId& id, const Batch& batch, bool delivered) {
  under_way_ -= batch->size();
  const auto home = homes_.find(id);
  if (home != homes_.end()) {
    --home->second.under_way;
    SendBatches(id);
  }
  if (delivered) return;
  ForEachItem(*batch, [&](std::string_view item) {
    if (item[0] != kMessageItem) return;
    const NodeId target = TargetOf(item);
    const auto known = known_.find(target);
    if (known != known_.end() && known->second.state == State::kKnown && known->second.home == id)
      known_.erase(known);
    if (IsRetried(item)) return Count(kLost);
    Count(kRetried);
    std::string again(item);
    again[1] = static_cast<char>(static_cast<unsigned char>(again[1]) | kRetriedMark);
    Route(target, std::move(again), now_, true);
  });
}

// ---- Receiving.

void PeerRelayRemote::Receive(const NodeId& origin, std::string_view payload, Time now) {
  now_ = now;
  payload.remove_prefix(kTag.size());
  const bool good =
      ForEachItem(payload, [&](std::string_view item) { ReceiveItem(origin, item, now); });
  if (!good) Count(kBadItem);
  if (good) NoteGateway(origin);
}

void PeerRelayRemote::NoteGateway(const NodeId& node) {
  if (!gateways_.empty() && gateways_.back() == node) return;
  std::erase(gateways_, node);
  gateways_.push_back(node);
  if (gateways_.size() > kMaxGateways) gateways_.pop_front();
}

void PeerRelayRemote::ReceiveItem(const NodeId& origin, std::string_view item, Time now) {
  if (item.size() < kTargetEnd || (item[0] != kMessageItem && item[0] != kGoneItem))
    return Count(kBadItem);
  if (item[0] == kMessageItem) return ReceiveMessage(origin, item, now);
  const auto known = known_.find(TargetOf(item));
  const bool fits =
      known != known_.end() && known->second.state == State::kKnown && known->second.home == origin;
  if (!fits) return;
  Count(kGone);
  known_.erase(known);
}

void PeerRelayRemote::ReceiveMessage(const NodeId& origin, std::string_view item, Time now) {
  PeerRelayFrame frame;
  if (!ReadMessage(item, frame)) return Count(kBadItem);
  Count(kReceived);
  if (events_.DeliverHere(frame)) return;
  std::string gone(1, kGoneItem);
  gone.push_back(0);
  AppendId(frame.to, gone);
  Enqueue(origin, gone);
  const auto forwards = static_cast<std::uint8_t>(item[1]);
  if (forwards >= kMaxForwards) return Count(kHops);
  Count(kForwarded);
  std::string onward(item);
  onward[1] = static_cast<char>(forwards + 1);
  Route(frame.to, std::move(onward), now, true);
}

}  // namespace tombolo::node
