// The commands that change the world.
#include "sim/conditions.h"
#include "sim/scenario.h"
#include "tests/transcripts/transcript.h"

namespace tombolo::sim {
namespace {

constexpr const char* kUnknownPeer = "error: unknown peer\n";

// Settings of the core that scenarios have no key for. False if this is none of them.
bool SetCore(const std::string& setting, Config& core) {
  const std::size_t equals = setting.find('=');
  const std::string key = setting.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : setting.substr(equals + 1);
  if (key == "overlay") {
    core.overlay = value == "both"    ? OverlayKind::kBoth
                   : value == "chord" ? OverlayKind::kChord
                                      : OverlayKind::kKademlia;
    return value == "both" || value == "chord" || value == "kademlia";
  }
  const std::optional<Duration> span = ParseSpan(value);
  if (!span) return false;
  if (key == "stabilise") core.ring.stabilise_interval = *span;
  if (key == "remember") core.heal.remember_after = *span;
  if (key == "probe") core.heal.probe_interval = *span;
  if (key == "compare") core.gossip.compare_interval = *span;
  return key == "stabilise" || key == "remember" || key == "probe" || key == "compare";
}

}  // namespace

// The peer that every world begins with dies before it says anything: the story has its own. But a
// world that is built begins with those that were asked for.
std::string Stage::MakeWorld(const Words& words) {
  Scenario scenario;
  scenario.world.peers = 1;
  scenario.world.start = StartMode::kJoin;
  std::vector<std::string> settings(words.begin() + 1, words.end());
  std::erase_if(settings, [&](const std::string& s) { return SetCore(s, scenario.world.core); });
  if (const absl::Status status = ApplySettings(settings, scenario); !status.ok())
    return "error: " + std::string(status.message()) + "\n";
  world_ = std::make_unique<World>(scenario.world);
  world_->RunUntil(Time{});
  if (scenario.world.start == StartMode::kJoin) world_->Crash(static_cast<PeerRef>(0));
  world_->RecordEvents(100'000);
  return {};
}

std::string Stage::NamePeers(const Words& words) {
  if (words.size() != world_->peer_count() + 1) return "error: names NAME ..., one for each peer\n";
  for (std::uint32_t i = 0; i < world_->peer_count(); ++i)
    peers_[words[i + 1]] = static_cast<PeerRef>(i);
  return {};
}

std::string Stage::AddPeer(const Words& words) {
  const std::optional<NodeId> id = words.size() == 3 ? ParseId(words[2]) : std::nullopt;
  if (!id || Find(words[1]) != PeerRef::kNone) return "error: peer NAME HEX, a new name\n";
  peers_[words[1]] = world_->AddPeer(*id);
  return {};
}

std::string Stage::Join(const Words& words) {
  const PeerRef peer = words.size() > 1 ? Find(words[1]) : PeerRef::kNone;
  if (peer == PeerRef::kNone) return kUnknownPeer;
  // Nobody but itself: it founds an overlay.
  const PeerRef through = words.size() > 2 ? Find(words[2]) : peer;
  if (through == PeerRef::kNone) return kUnknownPeer;
  world_->Join(peer, std::array<PeerRef, 1>{through});
  return {};
}

std::string Stage::Crash(const Words& words) {
  const PeerRef peer = words.size() > 1 ? Find(words[1]) : PeerRef::kNone;
  if (peer == PeerRef::kNone) return kUnknownPeer;
  world_->Crash(peer, words.size() > 2 && words[2] == "keep");
  return {};
}

std::string Stage::Leave(const Words& words) {
  const PeerRef peer = words.size() > 1 ? Find(words[1]) : PeerRef::kNone;
  if (peer == PeerRef::kNone) return kUnknownPeer;
  world_->Leave(peer);
  return {};
}

std::string Stage::Restart(const Words& words) {
  const PeerRef peer = words.size() > 1 ? Find(words[1]) : PeerRef::kNone;
  if (peer == PeerRef::kNone || world_->is_up(peer)) return "error: nobody who is down\n";
  world_->Restart(peer, words.size() > 2 && words[2] == "forget");
  return {};
}

std::string Stage::Pause(const Words& words) {
  const std::optional<Duration> span = words.size() == 3 ? ParseSpan(words[2]) : std::nullopt;
  if (!span || Find(words[1]) == PeerRef::kNone) return "error: pause NAME SPAN\n";
  world_->Pause(Find(words[1]), *span);
  return {};
}

std::string Stage::Islands(const Words& words) {
  std::vector<std::uint16_t> island_of(world_->peer_count());
  std::uint16_t island = 0;
  // Whoever is not named is somewhere else.
  for (std::size_t i = 0; i < island_of.size(); ++i)
    island_of[i] = static_cast<std::uint16_t>(500 + i);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "|") {
      ++island;
      continue;
    }
    const PeerRef peer = Find(words[i]);
    if (peer == PeerRef::kNone) return kUnknownPeer;
    island_of[Index(peer)] = island;
  }
  world_->PartitionInto(island_of);
  return {};
}

std::string Stage::Cut(const Words& words) {
  const bool one_way = words.size() == 4 && words[2] == ">";
  if (words.size() < 3 || Find(words[1]) == PeerRef::kNone || Find(words.back()) == PeerRef::kNone)
    return kUnknownPeer;
  world_->Cut(Find(words[1]), Find(words.back()), one_way);
  return {};
}

std::string Stage::Bridge(const Words& words) {
  if (words.size() != 3 || Find(words[1]) == PeerRef::kNone || Find(words[2]) == PeerRef::kNone)
    return kUnknownPeer;
  world_->Bridge(Find(words[1]), Find(words[2]));
  return {};
}

std::string Stage::Introduce(const Words& words) {
  if (words.size() != 3 || Find(words[1]) == PeerRef::kNone || Find(words[2]) == PeerRef::kNone)
    return kUnknownPeer;
  world_->Introduce(Find(words[1]), Find(words[2]));
  return {};
}

std::string Stage::Heal(const Words&) {
  world_->Heal();
  return {};
}

std::string Stage::Run(const Words& words) {
  const std::optional<Duration> span = words.size() == 2 ? ParseSpan(words[1]) : std::nullopt;
  if (!span) return "error: run SPAN\n";
  world_->RunFor(*span);
  return {};
}

std::string Stage::Until(const Words& words) {
  const std::optional<Condition> condition =
      words.size() == 3 ? FindCondition(words[1]) : std::nullopt;
  const std::optional<Duration> limit = words.size() == 3 ? ParseSpan(words[2]) : std::nullopt;
  if (!condition || !limit) return "error: until CONDITION SPAN\n";
  const Time start = world_->now();
  const Wait wait = RunUntil(*world_, *condition, *limit);
  return (wait.reached ? "after " : "not within ") + SpanText(world_->now() - start) + "\n";
}

}  // namespace tombolo::sim
