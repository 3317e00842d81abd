// What [[at]] does to the world.
#include <cmath>
#include <string>
#include <utility>

#include "sim/partition.h"
#include "sim/scenario_options.h"

namespace tombolo::sim {
namespace {

constexpr int kBridgeDraws = 1000;  // of a random pair, before a bridge is left out

std::optional<std::string> CheckPeers(const std::string& key,
                                      const std::vector<std::uint32_t>& list, std::uint32_t peers) {
  for (const std::uint32_t peer : list) {
    if (peer >= peers) {
      return key + " names peer " + std::to_string(peer) + ": allowed are 0 to " +
             std::to_string(peers - 1);
    }
  }
  return std::nullopt;
}

std::optional<std::string> CheckPair(const std::string& key, const std::vector<std::uint32_t>& list,
                                     std::uint32_t peers) {
  if (list.empty()) return std::nullopt;
  if (list.size() != 2 || list[0] == list[1])
    return key + " is not a pair: allowed are the numbers of two different peers";
  return CheckPeers(key, list, peers);
}

PeerRef Ref(std::uint32_t number) { return static_cast<PeerRef>(number); }

void BridgeRandomIslands(World& world) {
  for (int i = 0; i < kBridgeDraws && world.live_count() > 0; ++i) {
    const PeerRef a = world.RandomLivePeer();
    const PeerRef b = world.RandomLivePeer();
    if (a != b && world.island_of(a) != world.island_of(b)) return world.Bridge(a, b);
  }
}

}  // namespace

std::optional<std::string> TimedAction::Validate(std::uint32_t peers) const {
  const bool cuts = !partition.empty() || !isolate.empty() || !cut.empty() ||
                    !cut_one_way.empty() || !bridge.empty() || bridges > 0;
  if (!cuts && !heal && crash <= 0 && leave <= 0 && join == 0) {
    return "this [[at]] does nothing; give one of crash, leave, join, heal, partition, isolate, "
           "cut, cut_one_way, bridge, bridges";
  }
  if (!partition.empty()) {
    if (auto broken = CheckShares(partition)) return broken;
  }
  if (auto broken = CheckPeers("isolate", isolate, peers)) return broken;
  if (auto broken = CheckPair("cut", cut, peers)) return broken;
  if (auto broken = CheckPair("cut_one_way", cut_one_way, peers)) return broken;
  return CheckPair("bridge", bridge, peers);
}

void TimedAction::Perform(World& world) const {
  if (crash > 0) world.CrashShare(crash);
  const double leaving = leave * world.live_count();
  for (auto left = static_cast<std::uint32_t>(std::floor(leaving + 0.5)); left > 0; --left)
    world.Leave(world.RandomLivePeer());
  for (std::uint32_t i = 0; i < join; ++i) world.Join(world.AddPeer());
  if (heal) world.Heal();
  if (!partition.empty())
    world.Partition(partition, partition_one_way ? Crossing::kUpward : Crossing::kNone);
  for (const std::uint32_t peer : isolate) world.Isolate(Ref(peer));
  if (!cut.empty()) world.Cut(Ref(cut[0]), Ref(cut[1]));
  if (!cut_one_way.empty()) world.Cut(Ref(cut_one_way[0]), Ref(cut_one_way[1]), true);
  if (!bridge.empty()) world.Bridge(Ref(bridge[0]), Ref(bridge[1]));
  for (std::uint32_t i = 0; i < bridges; ++i) BridgeRandomIslands(world);
}

}  // namespace tombolo::sim
