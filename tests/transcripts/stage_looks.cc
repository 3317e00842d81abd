// The commands that ask peers for something, and those that show what they know.
#include <algorithm>
#include <set>
#include <variant>

#include "sim/conditions.h"
#include "tests/transcripts/transcript.h"

namespace tombolo::sim {
namespace {

constexpr const char* kUnknownPeer = "error: unknown peer\n";
constexpr Duration kPatience = Duration::Minutes(1);
constexpr std::string_view kReasons[kFailReasons] = {
    "deadline", "unreachable", "no links", "undialable", "refused", "overload", "left"};

// The words from the `first` on, as they stood there.
std::string Rest(const Words& words, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < words.size(); ++i) text += (text.empty() ? "" : " ") + words[i];
  return text;
}

}  // namespace

// Follows best successors from every peer, in the order of ids, that was not met yet.
std::string Stage::ShowRing(const Words&) {
  std::set<PeerRef> met;
  std::string rings;
  for (const PeerRef start : world_->oracle().live()) {
    if (met.contains(start)) continue;
    std::vector<PeerRef> walk;
    PeerRef at = start;
    while (at != PeerRef::kNone && !met.contains(at)) {
      met.insert(at);
      walk.push_back(at);
      at = FirstLiveSuccessor(*world_, at);
    }
    for (const PeerRef peer : walk) rings += NameOf(peer) + " -> ";
    rings += (at == PeerRef::kNone ? "nobody" : NameOf(at)) + "\n";
  }
  return rings;
}

std::string Stage::ShowSuccessors(const Words& words) {
  const PeerRef peer = words.size() == 2 ? Find(words[1]) : PeerRef::kNone;
  if (peer == PeerRef::kNone) return kUnknownPeer;
  const Ring* ring = world_->peer(peer).ring();
  if (ring == nullptr) return "error: it has no ring\n";
  return "successors " + NamesOf(ring->neighbours().successors()) + ", predecessors " +
         NamesOf(ring->neighbours().predecessors()) + "\n";
}

std::string Stage::ShowTable(const Words& words) {
  const PeerRef peer = words.size() == 2 ? Find(words[1]) : PeerRef::kNone;
  if (peer == PeerRef::kNone) return kUnknownPeer;
  const RoutingTable& table = world_->peer(peer).table();
  std::string text;
  for (int level = 0; level < table.levels(); ++level) {
    std::vector<PeerRef> live(table.live(level).begin(), table.live(level).end());
    if (live.empty()) continue;
    std::sort(live.begin(), live.end());  // by ref, which is the order of the story
    text += "bucket " + std::to_string(level) + ": " + NamesOf(live) + "\n";
  }
  return text.empty() ? "empty\n" : text;
}

std::string Stage::ShowLinks(const Words& words) {
  const PeerRef peer = words.size() == 2 ? Find(words[1]) : PeerRef::kNone;
  if (peer == PeerRef::kNone) return kUnknownPeer;
  std::vector<PeerRef> linked;
  for (const Link& link : world_->peer(peer).links()) linked.push_back(link.peer);
  std::sort(linked.begin(), linked.end());
  return NamesOf(linked) + "\n";
}

// Waits for the end of an operation; `success` is what to say of a good one.
std::string Stage::Finish(OperationId id, std::string_view success) {
  if (!world_->RunUntilEnded(id, world_->now() + kPatience)) return "error: no end\n";
  const Operation& done = world_->operation(id);
  if (done.status == OperationStatus::kSucceeded) return std::string(success);
  if (done.status == OperationStatus::kVoid) return "void";
  return "failed: " + std::string(kReasons[static_cast<std::size_t>(done.reason)]);
}

std::string Stage::Lookup(const Words& words) {
  const std::optional<NodeId> key = words.size() == 3 ? ParseId(words[2]) : std::nullopt;
  if (!key || Find(words[1]) == PeerRef::kNone) return "error: lookup NAME HEX\n";
  const OperationId id = world_->StartLookup(Find(words[1]), *key);
  const std::string end = Finish(id, "found");
  return end + " " + NamesOf(world_->TakeOperation(id).closest) + "\n";
}

std::string Stage::Send(const Words& words) {
  if (words.size() < 4 || Find(words[1]) == PeerRef::kNone || Find(words[2]) == PeerRef::kNone)
    return kUnknownPeer;
  SendOptions options;
  options.bytes = Rest(words, 3);
  const OperationId id =
      world_->StartSend(Find(words[1]), world_->directory().id(Find(words[2])), 0, options);
  const std::string end = Finish(id, "delivered");
  const Operation done = world_->TakeOperation(id);
  if (done.status != OperationStatus::kSucceeded) return end + "\n";
  return end + " in " + std::to_string(done.hops) + " hops, " + SpanText(done.latency()) + "\n";
}

std::string Stage::Put(const Words& words) {
  const std::optional<NodeId> key = words.size() > 3 ? ParseId(words[2]) : std::nullopt;
  if (!key || Find(words[1]) == PeerRef::kNone) return "error: put NAME HEX TEXT\n";
  const OperationId id = world_->StartPut(Find(words[1]), *key, Rest(words, 3));
  const std::string end = Finish(id, "stored");
  const Operation done = world_->TakeOperation(id);
  return end + " at " + std::to_string(done.stored) + " peers\n";
}

std::string Stage::Get(const Words& words) {
  const std::optional<NodeId> key = words.size() == 3 ? ParseId(words[2]) : std::nullopt;
  if (!key || Find(words[1]) == PeerRef::kNone) return "error: get NAME HEX\n";
  const OperationId id = world_->StartGet(Find(words[1]), *key);
  const std::string end = Finish(id, "found");
  const std::string value(world_->value_of(world_->operation(id)));
  world_->TakeOperation(id);
  return end + (value.empty() ? "" : " " + value) + "\n";
}

std::string Stage::Broadcast(const Words& words) {
  if (words.size() < 3 || Find(words[1]) == PeerRef::kNone) return kUnknownPeer;
  BroadcastOptions options;
  options.bytes = Rest(words, 2);
  options.ttl = Duration::Minutes(5);
  world_->StartBroadcast(Find(words[1]), 0, options);
  return {};
}

std::string Stage::Attach(const Words& words) {
  if (words.size() != 3 || Find(words[2]) == PeerRef::kNone) return "error: attach CLIENT NAME\n";
  names_[IdOfName(words[1])] = words[1];
  const OperationId id = world_->StartAttach(Find(words[2]), IdOfName(words[1]));
  const std::string end = Finish(id, "attached");
  world_->TakeOperation(id);
  return end + "\n";
}

std::string Stage::Resolve(const Words& words) {
  if (words.size() != 3 || Find(words[1]) == PeerRef::kNone) return "error: resolve NAME CLIENT\n";
  const OperationId id = world_->StartResolve(Find(words[1]), IdOfName(words[2]));
  const std::string end = Finish(id, "at ");
  const Operation done = world_->TakeOperation(id);
  return end + (done.status == OperationStatus::kSucceeded ? NameOf(done.target) : "") + "\n";
}

std::string Stage::Enter(const Words& words) {
  if (words.size() != 3 || !world_->clients().contains(IdOfName(words[1])))
    return "error: enter CLIENT ROOM\n";
  names_[IdOfName(words[2])] = words[2];
  world_->EnterRoom(IdOfName(words[1]), IdOfName(words[2]));
  return {};
}

std::string Stage::Exit(const Words& words) {
  if (words.size() != 3 || !world_->clients().contains(IdOfName(words[1])))
    return "error: exit CLIENT ROOM\n";
  world_->ExitRoom(IdOfName(words[1]), IdOfName(words[2]));
  return {};
}

// A line about something that has arrived; empty for all other events.
std::string Stage::TextOf(const Event& event) const {
  const auto origin = [&](const NodeId& id) {
    return NameOf(world_->oracle().Find(id, world_->directory()));
  };
  if (const auto* arrived = std::get_if<MessageArrived>(&event)) {
    return origin(arrived->origin) + " sent " + std::string(world_->bytes_of(arrived->payload)) +
           "\n";
  }
  if (const auto* broadcast = std::get_if<BroadcastArrived>(&event)) {
    return origin(broadcast->origin) + " broadcast " +
           std::string(world_->bytes_of(broadcast->payload)) + "\n";
  }
  if (const auto* lost = std::get_if<LeaseLost>(&event)) {
    return names_.at(lost->client) + " is at " + NameOf(lost->home) + " now\n";
  }
  if (const auto* changed = std::get_if<RoomChanged>(&event)) {
    return names_.at(changed->client) + (changed->joined ? " enters " : " leaves ") +
           names_.at(changed->room) + ", at " + NameOf(changed->home) + "\n";
  }
  return {};
}

// What has arrived at a peer since the last time.
std::string Stage::Heard(const Words& words) {
  const PeerRef peer = words.size() == 2 ? Find(words[1]) : PeerRef::kNone;
  if (peer == PeerRef::kNone) return kUnknownPeer;
  std::string text;
  std::size_t& told = heard_[words[1]];
  const std::span<const LoggedEvent> events = world_->events();
  for (; told < events.size(); ++told) {
    if (events[told].peer == peer) text += TextOf(events[told].event);
  }
  return text.empty() ? "nothing\n" : text;
}

std::string Stage::Traffic(const Words& words) {
  std::string text;
  const std::array<std::uint64_t, kMessageKinds> now = world_->metrics().messages;
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::uint64_t count = 0;
    bool known = false;
    for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
      if (!kMessageNames[kind].starts_with(words[i])) continue;
      known = true;
      count += now[kind] - counted_[kind];
    }
    if (!known) return "error: no message is called " + words[i] + "\n";
    text += (text.empty() ? "" : ", ") + words[i] + " " + std::to_string(count);
  }
  counted_ = now;
  return text + "\n";
}

}  // namespace tombolo::sim
