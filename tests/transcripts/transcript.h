// Runs the stories of this folder; README.md says how they are written.
//
// Thread rule: one caller at a time. Errors: a command that does not exist, or has wrong arguments,
// answers with a line that begins with "error:"; the test fails since no story expects it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/time.h"
#include "sim/world.h"

namespace tombolo::sim {

// What the story says, with its answers replaced by those that the commands give now.
std::string PlayTranscript(const std::string& text);

// The words of a command. The last of a line may contain spaces where a command takes text.
using Words = std::vector<std::string>;

// One story under way.
class Stage {
 public:
  // The answer, lines ended by '\n'; empty if there is nothing to say.
  std::string Do(const std::string& command);

 private:
  using Verb = std::string (Stage::*)(const Words&);
  static const std::map<std::string, Verb>& Verbs();

  // stage_acts.cc: what changes the world.
  std::string MakeWorld(const Words& words);
  std::string NamePeers(const Words& words);
  std::string AddPeer(const Words& words);
  std::string Join(const Words& words);
  std::string Crash(const Words& words);
  std::string Leave(const Words& words);
  std::string Restart(const Words& words);
  std::string Pause(const Words& words);
  std::string Islands(const Words& words);
  std::string Cut(const Words& words);
  std::string Bridge(const Words& words);
  std::string Introduce(const Words& words);
  std::string Heal(const Words& words);
  std::string Run(const Words& words);
  std::string Until(const Words& words);

  // stage_looks.cc: what asks and shows.
  std::string ShowRing(const Words& words);
  std::string ShowSuccessors(const Words& words);
  std::string ShowTable(const Words& words);
  std::string ShowLinks(const Words& words);
  std::string Lookup(const Words& words);
  std::string Send(const Words& words);
  std::string Put(const Words& words);
  std::string Get(const Words& words);
  std::string Broadcast(const Words& words);
  std::string Attach(const Words& words);
  std::string Resolve(const Words& words);
  std::string Enter(const Words& words);
  std::string Exit(const Words& words);
  std::string Heard(const Words& words);
  std::string Traffic(const Words& words);

  PeerRef Find(const std::string& name) const;
  std::string NameOf(PeerRef peer) const;
  template <class Range>
  std::string NamesOf(const Range& peers) const {
    std::string names;
    for (const PeerRef peer : peers) names += (names.empty() ? "" : " ") + NameOf(peer);
    return names.empty() ? "-" : names;
  }
  std::string Finish(OperationId id, std::string_view success);
  std::string TextOf(const Event& event) const;

  std::unique_ptr<World> world_;
  std::map<std::string, PeerRef> peers_;
  std::map<NodeId, std::string> names_;       // of clients and rooms
  std::map<std::string, std::size_t> heard_;  // events already told, by peer
  std::array<std::uint64_t, kMessageKinds> counted_{};
};

// "0af3" as the leading digits of an id.
std::optional<NodeId> ParseId(std::string_view hex);
// The id of a client or room of this name.
NodeId IdOfName(std::string_view name);
// "10s", "250ms", "5min".
std::optional<Duration> ParseSpan(std::string_view text);
std::string SpanText(Duration span);

}  // namespace tombolo::sim
