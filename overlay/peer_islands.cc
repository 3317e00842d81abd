// Noticing other islands: whom to remember, whom to ask, and what the answers mean.
//
// Without healing (Config::heals) nothing here is ever called on or allocated. A message of this
// family teaches the table only if its sender was a contact before: the confirmation of a merge
// asks whether anybody in the island knows the other one, and must not find what it is about.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "overlay/peer.h"

namespace tombolo {

IslandWatch* Peer::Watch() {
  return parts_ && parts_->healing ? parts_->healing->watch.get() : nullptr;
}

const IslandWatch* Peer::watch() const {
  return parts_ && parts_->healing ? parts_->healing->watch.get() : nullptr;
}

// A peer that is a member already when it starts to watch was built as a long-joined one.
IslandWatch& Peer::EnsureWatch() {
  Lazy<IslandWatch>& watch = EnsureParts().healing.Ensure().watch;
  if (watch) return *watch;
  watch.Ensure().remembered.Start(rng_.Next());
  watch->long_known = state_ == PeerState::kJoined;
  return *watch;
}

void Peer::BuildIsland(std::span<const PeerRef> sketch, const Step& step) {
  const PartStep part = Part(step);
  IslandWatch& watch = EnsureWatch();
  const auto later = [&](Duration most) {
    const auto us = static_cast<std::uint64_t>(most.us);
    return step.now + Duration{static_cast<std::int64_t>(rng_.Below64(us + 1))};
  };
  watch.digest.Settle(sketch, part);
  watch.survey_at = later(step.config.heal.remember_after);
  watch.prober.StartExchange(later(step.config.heal.exchange_interval));
  Settle();
}

// Names the island of this peer.
std::uint64_t Peer::IslandLabel(const PartStep& step) const {
  const IslandWatch* known = watch();
  return known != nullptr ? known->digest.label(id_, step.ids) : IslandDigest::Hash(id_);
}

// The estimate from lookups, or from the nearest contacts if that is smaller: it is noisier, but
// knows of a loss at once.
std::uint32_t Peer::IslandSize(const PartStep& step) {
  std::array<PeerRef, kMaxListed> closest;
  const auto k = static_cast<std::size_t>(step.config.table.k);
  const std::size_t count = table_.Closest(id_, id_, k, step.ids, closest);
  auto size = static_cast<std::uint32_t>(count + 1);
  if (count == k) {
    NodeId farthest;
    for (std::size_t i = 0; i < count; ++i) {
      farthest = std::max(farthest, Distance(id_, step.ids.id(closest[i])));
    }
    size = std::max(size, SizeEstimate::FromFarthest(count, farthest));
  }
  const IslandWatch* known = Watch();
  const std::uint32_t mean = known != nullptr ? known->size.Mean(step.now) : 0;
  return mean > 0 ? std::min(size, mean) : size;
}

// Live contacts, neighbours and links: who is one of them is of our island.
bool Peer::IsContact(PeerRef peer, const PartStep& step) {
  if (peer == self_) return true;
  const std::span<const PeerRef> bucket = table_.live(LevelOf(peer, step));
  if (std::find(bucket.begin(), bucket.end(), peer) != bucket.end()) return true;
  const Neighbours* neighbours = NeighbourSet();
  if (neighbours != nullptr && neighbours->Contains(peer)) return true;
  const RelayParts* relaying = Relaying();
  return relaying != nullptr && relaying->links.Find(peer, step) != nullptr;
}

void Peer::JoinIsland(std::span<const PeerRef> bootstrap, const PartStep& step) {
  IslandWatch& watch = EnsureWatch();
  for (const PeerRef peer : bootstrap) watch.remembered.AddRendezvous(peer, step);
}

void Peer::JoinedIsland(const PartStep& step) {
  IslandWatch& watch = EnsureWatch();
  if (table_.live_count() == 0) watch.digest.Settle({}, step);
  watch.prober.StartExchange(step.now);
  SurveyIsland(step);
}

void Peer::SurveyIsland(const PartStep& step) {
  IslandWatch& watch = *Watch();
  std::vector<PeerRef> contacts;
  for (int level = 0; level < table_.levels(); ++level) {
    const std::span<const PeerRef> bucket = table_.live(level);
    contacts.insert(contacts.end(), bucket.begin(), bucket.end());
  }
  if (const Neighbours* neighbours = NeighbourSet()) {
    contacts.insert(contacts.end(), neighbours->all().begin(), neighbours->all().end());
  }
  // The others cannot be asked once they are lost.
  std::erase_if(contacts, [&](PeerRef peer) { return !step.ids.dialable(peer); });
  watch.remembered.Survey(contacts, std::exchange(watch.long_known, false), step);
  watch.survey_at = step.now + step.config.heal.remember_after;
  const auto is_contact = [&](PeerRef peer) { return IsContact(peer, step); };
  if (watch.remembered.HasTarget(is_contact)) watch.prober.StartProbing(IslandSize(step), step);
}

// To be called before a peer that fell silent is forgotten.
void Peer::LostContact(PeerRef peer, const PartStep& step) {
  if (state_ != PeerState::kJoined || !step.ids.dialable(peer) || !IsContact(peer, step)) return;
  IslandWatch& watch = EnsureWatch();
  if (watch.long_known) SurveyIsland(step);
  const Neighbours* neighbours = NeighbourSet();
  watch.remembered.Lost(peer, neighbours != nullptr && neighbours->Contains(peer), step);
  watch.prober.StartProbing(IslandSize(step), step);
  watch.prober.Adjust(IslandSize(step), step);
}

// Everybody whom we remember and miss.
std::vector<PeerRef> Peer::LostPeers(const PartStep& step) {
  return Watch()->remembered.Targets([&](PeerRef peer) { return IsContact(peer, step); }, step);
}

// Newcomers take over whom the one that let them in has lost: it may die before it finds them.
void Peer::RememberLost(std::span<const PeerRef> lost, const PartStep& step) {
  IslandWatch& watch = *Watch();
  for (const PeerRef peer : lost) {
    if (!step.ids.dialable(peer) || IsContact(peer, step)) continue;
    watch.remembered.Lost(peer, true, step);
    watch.prober.StartProbing(IslandSize(step), step);
  }
}

// What a lookup says about the size of the island.
void Peer::SampleIsland(const LookupState& done, const PartStep& step) {
  IslandWatch* watch = Watch();
  if (watch == nullptr || done.goal().purpose == LookupPurpose::kGet) return;
  std::array<PeerRef, kMaxListed> closest;
  const auto k = static_cast<std::size_t>(step.config.table.k);
  const std::size_t count = done.Closest({closest.data(), k});
  if (count == 0) return;
  const NodeId farthest = Distance(done.goal().target, step.ids.id(closest[count - 1]));
  const std::uint32_t size = count < k ? static_cast<std::uint32_t>(count + 1)
                                       : SizeEstimate::FromFarthest(count, farthest);
  if (watch->size.Add(size, k, step.now)) watch->prober.Boost(step);
  watch->prober.Adjust(IslandSize(step), step);
}

void Peer::TickIslands(const PartStep& step) {
  IslandWatch* watch = Watch();
  if (watch == nullptr) return;
  std::vector<PeerRef> silent;
  watch->prober.Expire(step, silent);
  // A question is asked once: over a lossy path many live contacts miss one, which says nothing.
  for (const PeerRef peer : silent) watch->remembered.NotAnswered(peer, step);
  if (watch->survey_at <= step.now) SurveyIsland(step);
  if (watch->prober.ProbeIsDue(step.now)) ProbeLost(step);
  if (watch->prober.ClaimExchange(step)) AskIsland(ExchangePartner(step), step);
}

void Peer::ProbeLost(const PartStep& step) {
  IslandWatch& watch = *Watch();
  watch.prober.Probed(IslandSize(step), step);
  const auto is_contact = [&](PeerRef peer) { return IsContact(peer, step); };
  const auto order =
      step.rng.Below(2) == 0 ? Remembered::Order::kLostLast : Remembered::Order::kDueLongest;
  AskIsland(watch.remembered.NextTarget(order, is_contact, step), step);
  if (!watch.remembered.HasTarget(is_contact)) watch.prober.StopProbing();
}

// One that we joined through or a random contact, half of the time each; before we have a sketch,
// one that we joined through.
PeerRef Peer::ExchangePartner(const PartStep& step) {
  const PeerRef rendezvous = Watch()->remembered.RandomRendezvous(step.rng);
  const std::size_t contacts = table_.live_count();
  const bool prefers_contact = Watch()->digest.settled() && step.rng.Below(2) == 0;
  if (contacts == 0 || (rendezvous != PeerRef::kNone && !prefers_contact)) return rendezvous;
  std::size_t drawn = step.rng.Below(static_cast<std::uint32_t>(contacts));
  for (int level = 0; level < table_.levels(); ++level) {
    const std::span<const PeerRef> bucket = table_.live(level);
    if (drawn < bucket.size()) return bucket[drawn];
    drawn -= bucket.size();
  }
  return rendezvous;
}

void Peer::AskIsland(PeerRef peer, const PartStep& step) {
  IslandWatch& watch = *Watch();
  if (peer == PeerRef::kNone || peer == self_ || !watch.prober.CanAsk()) return;
  IslandProbe probe{};
  probe.rpc = watch.prober.Ask(peer, step);
  probe.contacts = watch.digest.Write({}, probe.ages, step);
  step.out.Send(peer, probe);
}

void Peer::Handle(PeerRef from, const IslandProbe& probe, const PartStep& step) {
  if (!step.config.heals()) return step.out.Drop(DropReason::kUnknownRpc);
  IslandReply reply{};
  reply.rpc = probe.rpc;
  reply.contacts = ListHandle::kEmpty;
  if (IslandWatch* watch = Watch()) {
    std::vector<PeerRef> lost;
    const bool newcomer = step.lists.Get(probe.contacts).empty();
    if (newcomer && IslandSize(step) <= kSketchSize) lost = LostPeers(step);
    reply.contacts = watch->digest.Write(lost, reply.ages, step);
  }
  step.out.Send(from, reply);
  HeardOfIsland(from, probe.contacts, probe.ages, false, step);
}

void Peer::Handle(PeerRef from, const IslandReply& reply, const PartStep& step) {
  IslandWatch* watch = Watch();
  if (watch == nullptr || !watch->prober.Answered(from, reply.rpc)) {
    return step.out.Drop(DropReason::kUnknownRpc);
  }
  watch->remembered.Answered(from, step);
  HeardOfIsland(from, reply.contacts, reply.ages, true, step);
}

// A peer that is no contact, or whose sketch has nobody in common with ours, may live in another
// island. Sketches become one only between contacts: until then their labels tell the islands
// apart. `answer`: whoever has asked us sees to a merge itself.
void Peer::HeardOfIsland(PeerRef from, ListHandle sketch, const SketchAges& ages, bool answer,
                         const PartStep& step) {
  const bool known = IsContact(from, step);
  if (known) SeenAlive(from, step);
  IslandWatch* watch = Watch();
  const std::span<const PeerRef> named = step.lists.Get(sketch);
  const std::span<const PeerRef> listed = named.first(IslandDigest::SketchPart(named, ages));
  const bool other =
      watch != nullptr && watch->digest.Compare(listed, step) == IslandDigest::Verdict::kOther;
  if (watch != nullptr && answer && !watch->digest.settled()) {
    RememberLost(named.subspan(listed.size()), step);
  }
  if (watch != nullptr && (known || !watch->digest.settled())) {
    watch->digest.Learn(listed, ages, step);
  }
  if (answer && (!known || other)) Start(Introduce{from}, step);
}

}  // namespace tombolo
