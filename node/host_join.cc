// Getting into an overlay, and back into it.
#include <algorithm>

#include "node/host.h"

namespace tombolo::node {

// Nobody is known to live.
bool Host::IsAlone() const {
  const bool contacts = core_.table().live_count() > 0;
  const bool neighbours = core_.ring() != nullptr && !core_.ring()->neighbours().all().empty();
  return !contacts && !neighbours && links_.kept_count() == 0;
}

// Asks the next linked peer for a dial back, at the first address that is this node's.
void Host::TickReachability() {
  std::vector<PeerRef> linked;
  links_.ForEachPeer([&](PeerRef peer) {
    if (links_.IsKept(peer)) linked.push_back(peer);
  });
  const std::optional<PeerRef> peer = reachability_.Choose(linked, now_);
  if (peer) links_.AskDialBack(*peer, dial_back_.empty() ? self_.addresses.front() : dial_back_);
}

void Host::DialledBy(PeerRef) { TellReachability(reachability_.Reached(now_)); }

void Host::DialBackDone(PeerRef peer, link::v1::DialBackResult::Outcome outcome) {
  using link::v1::DialBackResult;
  if (outcome == DialBackResult::REACHED) TellReachability(reachability_.Reached(now_));
  if (outcome == DialBackResult::FAILED) TellReachability(reachability_.NotReached(peer, now_));
}

void Host::TellReachability(bool changed) {
  if (!changed) return;
  self_.dialable = reachability_.dialable();
  known_.SetSelf(self_.addresses, self_.dialable);
}

// Only who is left with nobody follows: the others have better ways to find links.
void Host::On(AlternativesEvent& event) {
  if (stopping_ || !IsAlone()) return;
  for (const std::string& address : event.addresses) links_.DialAddress(address, now_);
}

void Host::TickBootstrap() {
  for (const std::string& address : bootstrap_.Due(IsAlone(), now_)) {
    links_.DialAddress(address, now_);
  }
}

void Host::AddressDone(const std::string& address, PeerRef peer) {
  using Outcome = Bootstrap::Outcome;
  const bool self = peer == KnownPeers::self();
  const bool nobody = peer == PeerRef::kNone;
  bootstrap_.Done(address,
                  self     ? Outcome::kSelf
                  : nobody ? Outcome::kNobody
                           : Outcome::kReached,
                  now_);
  if (stopping_) return;
  if (bootstrap_.TakeExhausted() && IsAlone()) JoinThroughRemembered();
  if (self || nobody) return;
  if (core_.state() == PeerState::kIdle || IsAlone()) return JoinThrough({&peer, 1});
  // One more to join through, or a way to another island.
  inputs_.push_back(CommandInput{Introduce{peer}});
}

void Host::JoinThrough(std::span<const PeerRef> peers) {
  ++counters_.joins_begun;
  inputs_.push_back(CommandInput{Join{lists_.Add(peers)}});
}

// Those of the last life, then those met in this one; nobody at all founds an overlay.
void Host::JoinThroughRemembered() {
  std::vector<PeerRef> peers = remembered_;
  for (const PeerRef peer : known_.Latest(kMaxListed)) {
    const bool listed = std::find(peers.begin(), peers.end(), peer) != peers.end();
    if (!listed && peers.size() < kMaxListed) peers.push_back(peer);
  }
  // Whoever has founded an overlay once need not do it again.
  if (!peers.empty() || core_.state() == PeerState::kIdle) JoinThrough(peers);
}

}  // namespace tombolo::node
