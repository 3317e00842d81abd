// Commands of applications, what peers answer, and the workloads that issue them.
#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "overlay/ring_interval.h"
#include "sim/distribution.h"
#include "sim/world.h"

namespace tombolo::sim {

// ---- Beginning.

void World::Issue(PeerRef source, const Command& command) {
  peers_[Index(source)].Execute(command, MakeStep(source));
  Drain(source);
}

OperationId World::Begin(OperationKind kind, PeerRef source, const NodeId& key, bool recorded) {
  assert(is_up(source));
  Operation operation;
  operation.kind = kind;
  operation.source = source;
  operation.key = key;
  operation.recorded = recorded;
  operation.started = now_;
  const std::uint32_t slot = operations_.Add(operation);
  assert(slot <= kSlotMask);
  ++metrics_.of(kind).started;
  // Late events of the slot's last user carry its generation and are told apart by it.
  operations_[slot].generation = static_cast<std::uint8_t>(++operations_begun_);
  ++active_operations_;
  return (static_cast<std::uint32_t>(operations_[slot].generation) << kSlotBits) | slot;
}

OperationId World::StartLookup(PeerRef source, const NodeId& key) {
  const OperationId id = Begin(OperationKind::kLookup, source, key, true);
  Issue(source, tombolo::Lookup{id, key});
  return id;
}

OperationId World::StartSend(PeerRef source, const NodeId& target, std::uint32_t size,
                             const SendOptions& options) {
  return BeginSend(source, target, size, options, true);
}

OperationId World::BeginSend(PeerRef source, const NodeId& target, std::uint32_t size,
                             const SendOptions& options, bool recorded) {
  const OperationId id = Begin(OperationKind::kSend, source, target, recorded);
  Operation& operation = operations_[id & kSlotMask];
  operation.target = oracle_.Find(target, directory_);
  tombolo::Send send;
  send.request = id;
  send.target = target;
  send.payload =
      payloads_.Add(options.bytes.empty() ? size : static_cast<std::uint32_t>(options.bytes.size()),
                    options.bytes);
  send.deadline = options.deadline;
  send.copies = options.copies;
  send.receipt = options.receipt;
  Issue(source, send);
  // Fire and forget: nobody is told what becomes of it.
  if (!options.receipt) {
    if (Operation* active = ActiveOperation(id)) End(*active, OperationStatus::kSucceeded);
  }
  return id;
}

OperationId World::StartPut(PeerRef source, const NodeId& key, std::string value,
                            const PutOptions& options) {
  return BeginPut(source, key, std::move(value), options, true);
}

OperationId World::BeginPut(PeerRef source, const NodeId& key, std::string value,
                            const PutOptions& options, bool recorded) {
  const OperationId id = Begin(OperationKind::kPut, source, key, recorded);
  tombolo::Put put;
  put.request = id;
  put.key = key;
  const auto size = static_cast<std::uint32_t>(value.size());
  put.payload = payloads_.Add(size, std::move(value));
  put.sequence = options.sequence != 0 ? options.sequence : operations_begun_;
  put.ttl = options.ttl;
  Issue(source, put);
  return id;
}

OperationId World::StartGet(PeerRef source, const NodeId& key) {
  const OperationId id = Begin(OperationKind::kGet, source, key, true);
  Issue(source, tombolo::Get{id, key});
  return id;
}

OperationId World::StartConnect(PeerRef source, const NodeId& target) {
  const OperationId id = Begin(OperationKind::kConnect, source, target, true);
  operations_[id & kSlotMask].target = oracle_.Find(target, directory_);
  ++active_connects_;
  Issue(source, tombolo::Connect{id, target});
  return id;
}

void World::Disconnect(PeerRef source, const NodeId& target) {
  assert(is_up(source));
  Issue(source, tombolo::Disconnect{target});
}

// ---- Ending.

Operation* World::ActiveOperation(std::uint32_t request) {
  const std::uint32_t slot = request & kSlotMask;
  if (slot >= operations_.size()) return nullptr;
  Operation& operation = operations_[slot];
  const bool same = operation.generation == request >> kSlotBits;
  return same && operation.status == OperationStatus::kActive ? &operation : nullptr;
}

void World::End(Operation& operation, OperationStatus status) {
  operation.status = status;
  operation.ended = now_;
  --active_operations_;
  if (operation.kind == OperationKind::kConnect) --active_connects_;
  if (operation.kind == OperationKind::kBroadcast) FinishBroadcast(operation);
  OperationMetrics& metrics = metrics_.of(operation.kind);
  metrics.messages += operation.messages;
  metrics.dead += operation.dead;
  switch (status) {
    case OperationStatus::kSucceeded:
      ++metrics.succeeded;
      metrics.closest_ok += operation.closest_ok ? 1 : 0;
      metrics.hops.Add(operation.hops);
      metrics.latency.Add(operation.latency().us);
      break;
    case OperationStatus::kFailed:
      ++metrics.failed;
      ++metrics.failed_by_reason[static_cast<std::size_t>(operation.reason)];
      break;
    case OperationStatus::kVoid:
      ++metrics.voided;
      break;
    case OperationStatus::kActive:
      assert(false);
  }
  if (operation.recorded) return;
  payloads_.Release(operation.value);
  operations_.Free(operations_.IndexOf(operation));
}

Operation World::TakeOperation(OperationId id) {
  Operation& operation = operations_[id & kSlotMask];
  assert(operation.recorded && operation.status != OperationStatus::kActive);
  operation.recorded = false;
  Operation taken = operation;
  payloads_.Release(operation.value);
  taken.value = {};
  operations_.Free(id & kSlotMask);
  return taken;
}

std::string_view World::value_of(const Operation& get) const {
  return get.value.empty() ? std::string_view() : payloads_.bytes(get.value);
}

bool World::RunUntilEnded(OperationId id, Time limit) {
  while (operation(id).status == OperationStatus::kActive && !RunSlice(limit, 1)) {
  }
  return operation(id).status != OperationStatus::kActive;
}

// Ends the operations whose source is down.
void World::VoidOrphans() {
  for (std::uint32_t slot = 0; active_operations_ > 0 && slot < operations_.size(); ++slot) {
    Operation& operation = operations_[slot];
    if (operation.status == OperationStatus::kActive && !is_up(operation.source)) {
      End(operation, OperationStatus::kVoid);
    }
  }
}

// ---- Events.

// Lists and payloads of an event go to the log if it is recorded, and are given up otherwise.
void World::HandleEvent(PeerRef peer, const Event& event) {
  std::visit(
      [&](const auto& body) {
        if constexpr (requires { OnEvent(peer, body); }) OnEvent(peer, body);
      },
      event);
  if (events_.size() < event_limit_) {
    events_.push_back({now_, peer, event});
    return;
  }
  if (event_limit_ > 0) ++events_missed_;
  DiscardEvent(event);
}

void World::DiscardEvent(const Event& event) {
  if (const LookupDone* done = std::get_if<LookupDone>(&event)) lists_.Release(done->closest);
  if (const MessageArrived* arrived = std::get_if<MessageArrived>(&event))
    payloads_.Release(arrived->payload);
  if (const BroadcastArrived* arrived = std::get_if<BroadcastArrived>(&event))
    payloads_.Release(arrived->payload);
}

void World::OnEvent(PeerRef, const LookupDone& done) {
  Operation* operation = ActiveOperation(done.request);
  if (operation == nullptr) return;
  const std::span<const PeerRef> closest = lists_.Get(done.closest);
  operation->hops = done.hops;
  operation->messages = done.messages;
  operation->dead = done.dead;
  const PeerRef truth =
      options_.core.has_table()
          ? oracle_.ClosestOne(operation->key, operation->source, directory_)
          : oracle_.Successor(Truncated(operation->key, options_.core.id_bits()), directory_);
  operation->closest_ok = !closest.empty() && closest.front() == truth;
  if (operation->recorded) operation->closest.assign(closest.begin(), closest.end());
  operation->reason = FailReason::kUnreachable;
  End(*operation, closest.empty() ? OperationStatus::kFailed : OperationStatus::kSucceeded);
}

// Counts like a lookup of the application. A live peer with the key's own id needs no search.
void World::OnEvent(PeerRef, const KeyProbed& probed) {
  OperationMetrics& metrics = metrics_.of(OperationKind::kLookup);
  ++metrics.started;
  if (probed.successor == PeerRef::kNone) {
    ++metrics.failed;
    ++metrics.failed_by_reason[static_cast<std::size_t>(FailReason::kDeadline)];
    return;
  }
  ++metrics.succeeded;
  metrics.hops.Add(probed.hops);
  metrics.latency.Add((now_ - probed.started).us);
  const bool exact = directory_.id(probed.successor) == probed.key && is_up(probed.successor);
  metrics.closest_ok +=
      exact || oracle_.Successor(probed.key, directory_) == probed.successor ? 1 : 0;
}

// A ring on its own refuses to keep records (put_get.h).
void World::OnEvent(PeerRef, const PutDone& done) {
  Operation* operation = ActiveOperation(done.request);
  if (operation == nullptr) return;
  operation->stored = done.stored;
  operation->reason = options_.core.has_table() ? FailReason::kUnreachable : FailReason::kRefused;
  End(*operation, done.stored > 0 ? OperationStatus::kSucceeded : OperationStatus::kFailed);
}

void World::OnEvent(PeerRef, const GetDone& done) {
  Operation* operation = ActiveOperation(done.request);
  if (operation == nullptr) {
    if (done.found) payloads_.Release(done.record.payload);
    return;
  }
  operation->hops = done.hops;
  operation->messages = done.messages;
  operation->reason = options_.core.has_table() ? FailReason::kUnreachable : FailReason::kRefused;
  if (done.found) {
    operation->value = done.record.payload;
    operation->sequence = done.record.sequence;
  }
  End(*operation, done.found ? OperationStatus::kSucceeded : OperationStatus::kFailed);
}

// A connect ends when the link to its target is up.
void World::OnEvent(PeerRef peer, const PeerUp& up) {
  for (std::uint32_t slot = 0; active_connects_ > 0 && slot < operations_.size(); ++slot) {
    Operation& operation = operations_[slot];
    if (operation.status == OperationStatus::kActive && operation.kind == OperationKind::kConnect &&
        operation.source == peer && operation.key == directory_.id(up.peer)) {
      return End(operation, OperationStatus::kSucceeded);
    }
  }
}

void World::OnEvent(PeerRef, const Delivered& delivered) {
  Operation* operation = ActiveOperation(delivered.request);
  if (operation == nullptr) return;
  operation->hops = delivered.hops;
  End(*operation, OperationStatus::kSucceeded);
}

void World::OnEvent(PeerRef, const Failed& failed) {
  Operation* operation = ActiveOperation(failed.request);
  if (operation == nullptr) return;
  operation->reason = failed.reason;
  const bool target_died = operation->target != PeerRef::kNone && !is_up(operation->target);
  End(*operation, target_died ? OperationStatus::kVoid : OperationStatus::kFailed);
}

// ---- Workloads.

void World::AddWorkload(const WorkloadOptions& workload) {
  assert(!workload.Validate());
  const auto index = static_cast<std::uint32_t>(workloads_.size());
  workloads_.push_back({workload, Rng::Split(options_.seed ^ 0x6c6f6164ULL, index), 0});
  actions_.Schedule(std::max(now_, Time{workload.start.us}), Action::Kind::kWorkload, index);
}

void World::FireWorkload(std::uint32_t index) {
  RunningWorkload& workload = workloads_[index];
  const WorkloadOptions& options = workload.options;
  const Time end = Time{options.start.us} + options.duration;
  if (workload.done >= options.count || now_ >= end) return;
  const double mean_us = 1e6 / options.rate_per_s;
  const double gap_us =
      options.spacing == Spacing::kFixed ? mean_us : Exponential(workload.rng, mean_us);
  if (workload.done++ == 0 && options.kind == OperationKind::kAttach) AttachLoad(options);
  actions_.Schedule(now_ + Duration{std::max<std::int64_t>(static_cast<std::int64_t>(gap_us), 1)},
                    Action::Kind::kWorkload, index);
  if (live_count_ > 1) BeginWorkloadOperation(workload);
}

void World::BeginWorkloadOperation(RunningWorkload& workload) {
  const std::span<const PeerRef> live = oracle_.live();
  const auto population = static_cast<std::uint32_t>(live.size());
  const WorkloadOptions& options = workload.options;
  if (options.kind == OperationKind::kAttach) return BeginAttachOperation(options, workload.rng);
  const PeerRef source = live[workload.rng.Below(population)];
  NodeId key;
  if (options.kind == OperationKind::kPut || options.kind == OperationKind::kGet) {
    key = KeyOf(workload.rng.Below(options.keys));
  } else {
    for (std::uint32_t& word : key.words)
      word = static_cast<std::uint32_t>(workload.rng.Next() >> 32);
  }
  switch (options.kind) {
    case OperationKind::kLookup:
      return Issue(source, tombolo::Lookup{Begin(options.kind, source, key, false), key});
    case OperationKind::kGet:
      return Issue(source, tombolo::Get{Begin(options.kind, source, key, false), key});
    case OperationKind::kPut:
      BeginPut(source, key, std::string(options.payload_bytes, 'x'), {options.ttl, 0}, false);
      return;
    case OperationKind::kBroadcast: {
      BroadcastOptions broadcast;
      broadcast.ttl = options.ttl;
      broadcast.deadline = options.deadline;
      broadcast.acknowledge = options.acknowledge;
      broadcast.max_hops = options.max_hops;
      const PeerRef sender =
          options.senders == 0 ? source : SenderOf(workload.rng.Below(options.senders));
      BeginBroadcast(sender, options.payload_bytes, broadcast, false);
      return;
    }
    case OperationKind::kAttach:
    case OperationKind::kResolve:
    case OperationKind::kSend:
    case OperationKind::kConnect: {
      // Anybody but the source: FireWorkload has seen to it that there are two.
      PeerRef target = live[workload.rng.Below(population - 1)];
      if (target == source) target = live[population - 1];
      BeginSend(source, directory_.id(target), options.payload_bytes,
                {options.deadline, options.copies, true, {}}, false);
      return;
    }
  }
}

// Keys of puts and gets are shared by all workloads of a world.
NodeId World::KeyOf(std::uint32_t index) const {
  Rng draws = Rng::Split(options_.seed ^ 0x6b657973ULL, index);
  NodeId key;
  for (std::uint32_t& word : key.words) word = static_cast<std::uint32_t>(draws.Next() >> 32);
  return key;
}

}  // namespace tombolo::sim
