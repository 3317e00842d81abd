// Records that survive the process: durable_records.h has the rule.
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "node/host.h"

namespace tombolo::node {

// Before the node joins, so that whoever asks it finds them.
void Host::RestoreRecords() {
  for (DurableRecord& kept : options_.restored) {
    const auto size = static_cast<std::uint32_t>(kept.value.size());
    const Payload payload = payloads_.Add(size, std::move(kept.value));
    Feed(RestoreInput{{kept.key, payload, kept.sequence, kept.ttl}});
  }
  options_.restored.clear();
}

// The core would refuse the put as well, but without a word.
bool Host::HasRoomFor(const Put& put) const {
  const PeerParts* parts = core_.parts();
  if (parts == nullptr || !parts->put_get || parts->put_get->Find(put.key, clock_->now()))
    return true;
  const std::span<const HeldRecord> published = parts->put_get->published();
  const auto most = static_cast<std::size_t>(config().store.max_records);
  if (published.size() < most) return true;
  const auto alive = std::ranges::count_if(
      published, [now = clock_->now()](const HeldRecord& record) { return record.expires > now; });
  return static_cast<std::size_t>(alive) < most;
}

// What the core holds under the key now, if that is what it was offered, goes to disk.
void Host::KeepOffered(const CoreInput& input) {
  const NodeId* key = nullptr;
  std::uint64_t sequence = 0;
  std::optional<std::uint32_t> put_request;
  if (const auto* message = std::get_if<MessageInput>(&input)) {
    if (const auto* store = std::get_if<Store>(&message->message)) {
      key = &store->record.key;
      sequence = store->record.sequence;
    }
  } else if (const auto* command = std::get_if<CommandInput>(&input)) {
    if (const auto* put = std::get_if<Put>(&command->command)) {
      key = &put->key;
      sequence = put->sequence;
      put_request = put->request;
    }
  }
  const PeerParts* parts = core_.parts();
  if (key == nullptr || parts == nullptr) return;
  std::optional<Record> held;
  std::optional<Record> published;
  if (parts->records) held = parts->records->Find(*key, now_);
  if (parts->put_get) published = parts->put_get->Find(*key, now_);
  const std::optional<Record> record = Newest(held, published);
  if (!record || record->sequence != sequence) return;
  kept_last_ =
      durable_->Keep({*key, sequence, record->ttl, std::string(payloads_.bytes(record->payload))});
  if (put_request) own_copies_.push_back({*put_request, kept_last_});
}

bool Host::MustWait(const Message& message) const {
  if (durable_ == nullptr || kept_last_ <= durable_to_) return false;
  const auto* ack = std::get_if<StoreAck>(&message);
  return ack != nullptr && ack->status == StoreStatus::kStored;
}

bool Host::MustWait(const Event& event) const {
  if (durable_ == nullptr || kept_last_ <= durable_to_) return false;
  const auto* done = std::get_if<PutDone>(&event);
  return done != nullptr && done->stored > 0;
}

void Host::Durable(std::uint64_t number, bool kept) { Enqueue(DurableEvent{number, kept}); }

// A holder that could not keep what it was offered stays silent, so that the origin counts it out.
void Host::On(DurableEvent& event) {
  for (OwnCopy& copy : own_copies_) {
    const bool meant = copy.number > durable_to_ && copy.number <= event.number;
    copy.lost = copy.lost || (meant && !event.kept);
  }
  durable_to_ = std::max(durable_to_, event.number);
  while (!waiting_.empty() && waiting_.front().number <= event.number) {
    const Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    if (!event.kept) ++counters_.records_not_kept;
    if (const auto* message = std::get_if<OutgoingMessage>(&waiting.what)) {
      if (event.kept) links_.Send(message->to, message->message, now_);
      continue;
    }
    Tell(std::get<PutDone>(waiting.what));
  }
}

// An origin whose own copy could not be kept, then or before, is told that nobody is known to hold
// the record.
PutDone Host::Settle(PutDone done) {
  const auto own = std::ranges::find(own_copies_, done.request, &OwnCopy::request);
  if (own == own_copies_.end()) return done;
  if (own->lost) {
    done.rejected = static_cast<std::uint16_t>(done.rejected + done.stored);
    done.stored = 0;
  }
  own_copies_.erase(own);
  return done;
}

std::vector<NodeId> Host::HeldKeys() const {
  std::vector<NodeId> keys;
  const PeerParts* parts = core_.parts();
  if (parts == nullptr) return keys;
  if (parts->records) {
    for (const HeldRecord& held : parts->records->records()) keys.push_back(held.key);
  }
  if (parts->put_get) {
    for (const HeldRecord& held : parts->put_get->published()) keys.push_back(held.key);
  }
  return keys;
}

}  // namespace tombolo::node
