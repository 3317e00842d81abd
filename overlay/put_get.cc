#include "overlay/put_get.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tombolo {
namespace {

// The number of stores whose answers nobody waits for: republications and copies on the path.
constexpr std::uint32_t kUnawaitedRpc = PutGet::kRpcTag;

struct Holders {
  std::span<const PeerRef> peers;  // to store at
  bool self = false;               // this peer is among the k closest
};

Holders ChooseHolders(const NodeId& key, std::span<const PeerRef> closest, const PartStep& step) {
  const auto k = static_cast<std::size_t>(step.config.table.k);
  if (closest.size() < k) return {closest, true};
  const bool self = IsCloser(step.self_id, step.ids.id(closest[k - 1]), key);
  return {closest.first(self ? k - 1 : k), self};
}

bool IsValid(std::uint32_t bytes, Duration ttl, const PartStep& step) {
  return bytes <= step.config.store.max_value_bytes && ttl > Duration{0};
}

Time Expiry(Duration ttl, const PartStep& step) {
  return step.now + std::min(ttl, step.config.store.max_ttl);
}

void RefusePut(const Put& put, const PartStep& step) {
  step.out.Release(put.payload);
  step.out.Notify(PutDone{.request = put.request, .stored = 0, .rejected = 1, .started = step.now});
}

void NotifyNotFound(std::uint32_t request, const KeyLookupResult& result, Time started,
                    const PartStep& step) {
  step.out.Notify(GetDone{.request = request,
                          .found = false,
                          .record = {},
                          .hops = result.hops,
                          .messages = result.messages,
                          .started = started});
}

}  // namespace

std::optional<KeyLookup> PutGet::OnPut(const Put& put, const PartStep& step) {
  published_.DropExpired(step.now, step.out);
  const bool valid = step.config.has_table() && IsValid(put.payload.bytes, put.ttl, step);
  if (!valid || !Publish(put, step)) {
    RefusePut(put, step);
    return std::nullopt;
  }
  const std::uint32_t operation = Begin(Stage::kPutLookup, put.request, put.key, step.now);
  return KeyLookup{.use = KeyLookup::Use::kPut, .operation = operation, .key = put.key};
}

// Takes the record of a Put over. False, and nothing taken, if there is no room or a newer one.
bool PutGet::Publish(const Put& put, const PartStep& step) {
  HeldRecord* held = published_.Find(put.key);
  if (held != nullptr && held->sequence > put.sequence) return false;
  const bool table_full =
      published_.size() >= static_cast<std::size_t>(step.config.store.max_records);
  if (active_ >= kMaxCommands || (held == nullptr && table_full)) {
    step.out.Drop(DropReason::kOverload);
    return false;
  }
  HeldRecord record{.sequence = put.sequence,
                    .expires = Expiry(put.ttl, step),
                    .republish_at = step.now + step.config.store.republish_interval,
                    .key = put.key,
                    .payload = put.payload};
  if (held == nullptr) {
    published_.Insert(record);
    return true;
  }
  if (held->sequence == put.sequence) {
    std::swap(record.payload, held->payload);
    record.expires = std::max(record.expires, held->expires);
  }
  step.out.Release(held->payload);
  *held = record;
  published_.Schedule(*held);
  return true;
}

std::optional<KeyLookup> PutGet::OnGet(const Get& get, const PartStep& step) {
  if (!step.config.has_table()) {
    NotifyNotFound(get.request, {}, step.now, step);
    return std::nullopt;
  }
  if (active_ >= kMaxCommands) {
    step.out.Drop(DropReason::kOverload);
    NotifyNotFound(get.request, {}, step.now, step);
    return std::nullopt;
  }
  const std::uint32_t operation = Begin(Stage::kGetLookup, get.request, get.key, step.now);
  return KeyLookup{.use = KeyLookup::Use::kGet, .operation = operation, .key = get.key};
}

bool PutGet::OnValue(std::uint32_t operation, const Record& record, const PartStep& step) {
  CommandState& command = At(operation);
  assert(command.stage == Stage::kGetLookup);
  if (record.key != command.key || !IsValid(record.payload.bytes, record.ttl, step)) {
    step.out.Release(record.payload);
    step.out.Drop(DropReason::kRecordRejected);
    return false;
  }
  if (command.best && command.best->sequence >= record.sequence) {
    step.out.Release(record.payload);
    return true;
  }
  if (command.best) step.out.Release(command.best->payload);
  command.best = HeldRecord{.sequence = record.sequence,
                            .expires = Expiry(record.ttl, step),
                            .republish_at = kNever,
                            .key = record.key,
                            .payload = record.payload};
  return true;
}

void PutGet::OnLookupDone(std::uint32_t operation, const KeyLookupResult& result,
                          const PartStep& step) {
  CommandState& command = At(operation);
  assert(command.stage == Stage::kPutLookup || command.stage == Stage::kGetLookup);
  if (command.stage == Stage::kGetLookup) {
    EndGet(command, result, step);
  } else {
    StartStores(command, result, step);
  }
}

void PutGet::OnLookupRefused(std::uint32_t operation, const PartStep& step) {
  CommandState& command = At(operation);
  if (command.stage == Stage::kGetLookup) {
    EndGet(command, {}, step);
    return;
  }
  command.rejected = 1;
  EndPut(command, step);
}

// The record is read only now: a newer Put of the same key may have replaced it during the lookup.
void PutGet::StartStores(CommandState& command, const KeyLookupResult& result,
                         const PartStep& step) {
  const std::optional<Record> record = published_.Live(command.key, step.now);
  if (!record) {
    command.rejected = 1;
    EndPut(command, step);
    return;
  }
  const Holders holders = ChooseHolders(command.key, result.closest, step);
  last_rpc_ = last_rpc_ % (~kRpcTag) + 1;
  command.stage = Stage::kPutStores;
  command.rpc = kRpcTag | last_rpc_;
  command.stored = holders.self ? 1 : 0;
  command.waiting.assign(holders.peers.begin(), holders.peers.end());
  for (const PeerRef peer : holders.peers) step.out.Send(peer, Store{command.rpc, *record});
  if (command.waiting.empty()) {
    EndPut(command, step);
    return;
  }
  command.deadline = step.now + step.config.lookup.rpc_timeout;
  ack_deadline_ = std::min(ack_deadline_, command.deadline);
}

void PutGet::Republish(const Record& record, std::span<const PeerRef> closest,
                       const PartStep& step) {
  const Holders holders = ChooseHolders(record.key, closest, step);
  for (const PeerRef peer : holders.peers) step.out.Send(peer, Store{kUnawaitedRpc, record});
}

void PutGet::OnStoreAck(PeerRef from, const StoreAck& ack, const PartStep& step) {
  if (ack.rpc == kUnawaitedRpc) return;
  const auto command = std::ranges::find_if(commands_, [&](const CommandState& candidate) {
    return candidate.stage == Stage::kPutStores && candidate.rpc == ack.rpc;
  });
  if (command == commands_.end() || std::erase(command->waiting, from) == 0) {
    step.out.Drop(DropReason::kUnknownRpc);
    return;
  }
  ++(ack.status == StoreStatus::kStored ? command->stored : command->rejected);
  if (command->waiting.empty()) EndPut(*command, step);
}

std::optional<StoreStatus> PutGet::Answer(const Record& record, const PartStep& step) {
  const std::optional<Record> published = Find(record.key, step.now);
  if (!published || published->sequence < record.sequence) return std::nullopt;
  step.out.Release(record.payload);
  return published->sequence == record.sequence ? StoreStatus::kStored : StoreStatus::kOutdated;
}

std::optional<KeyLookup> PutGet::OnTimer(const PartStep& step) {
  if (ack_deadline_ <= step.now) {
    for (std::size_t i = 0; i < commands_.size(); ++i) {  // the last to end empties the vector
      if (commands_[i].deadline <= step.now) EndPut(commands_[i], step);
    }
    UpdateAckDeadline();
  }
  published_.DropExpired(step.now, step.out);
  const std::optional<NodeId> due =
      published_.TakeDue(step.now, step.config.store.republish_interval);
  if (!due) return std::nullopt;
  return KeyLookup{.use = KeyLookup::Use::kRepublish, .operation = 0, .key = *due};
}

Time PutGet::next_deadline() const { return std::min(ack_deadline_, published_.next_deadline()); }

void PutGet::Close(const PartStep& step) {
  for (std::size_t i = 0; i < commands_.size(); ++i) {  // the last to end empties the vector
    CommandState& command = commands_[i];
    if (command.stage == Stage::kFree) continue;
    if (command.best) step.out.Release(command.best->payload);
    command.best.reset();
    if (command.stage == Stage::kPutStores) {
      EndPut(command, step);
    } else {
      OnLookupRefused(static_cast<std::uint32_t>(i), step);
    }
  }
  published_.Clear(step.out);
}

std::uint32_t PutGet::Begin(Stage stage, std::uint32_t request, const NodeId& key, Time now) {
  auto free = std::ranges::find(commands_, Stage::kFree, &CommandState::stage);
  if (free == commands_.end()) free = commands_.emplace(free);
  free->stage = stage;
  free->request = request;
  free->key = key;
  free->started = now;
  ++active_;
  return static_cast<std::uint32_t>(free - commands_.begin());
}

PutGet::CommandState& PutGet::At(std::uint32_t operation) {
  assert(operation < commands_.size());
  return commands_[operation];
}

// Who has not answered by now counts as a refusal.
void PutGet::EndPut(CommandState& command, const PartStep& step) {
  const std::size_t rejected = command.rejected + command.waiting.size();
  step.out.Notify(PutDone{.request = command.request,
                          .stored = command.stored,
                          .rejected = static_cast<std::uint16_t>(rejected),
                          .started = command.started});
  Free(command);
}

void PutGet::EndGet(CommandState& command, const KeyLookupResult& result, const PartStep& step) {
  if (command.best && command.best->expires <= step.now) {
    step.out.Release(command.best->payload);
    command.best.reset();
  }
  if (!command.best) {
    NotifyNotFound(command.request, result, command.started, step);
    Free(command);
    return;
  }
  Record record = command.best->ToRecord(step.now);
  step.out.Notify(GetDone{.request = command.request,
                          .found = true,
                          .record = record,
                          .hops = result.hops,
                          .messages = result.messages,
                          .started = command.started});
  // Hosts carry messages before they hand over events, so the share is still there to borrow from.
  record.ttl = std::min(record.ttl, step.config.store.cache_ttl);
  if (result.cache_at != PeerRef::kNone && record.ttl > Duration{0}) {
    step.out.Send(result.cache_at, Store{kUnawaitedRpc, record});
  }
  Free(command);
}

void PutGet::Free(CommandState& command) {
  command = CommandState();
  if (--active_ > 0) return;
  commands_ = {};  // most peers have no command most of the time
  ack_deadline_ = kNever;
}

bool PutGet::IsConsistent() const {
  const auto in_use = std::ranges::count_if(commands_, [](const CommandState& command) {
    return command.stage != Stage::kFree && command.stage <= Stage::kGetLookup;
  });
  const auto free = std::ranges::count(commands_, Stage::kFree, &CommandState::stage);
  return std::cmp_equal(in_use, active_) && std::cmp_equal(in_use + free, commands_.size()) &&
         commands_.size() <= kMaxCommands;
}

void PutGet::UpdateAckDeadline() {
  ack_deadline_ = kNever;
  for (const CommandState& command : commands_) {
    ack_deadline_ = std::min(ack_deadline_, command.deadline);
  }
}

}  // namespace tombolo
