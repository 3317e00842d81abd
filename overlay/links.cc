#include "overlay/links.h"

#include <algorithm>

#include "overlay/link_room.h"
#include "overlay/link_rows.h"

namespace tombolo {

bool Links::OnUp(PeerRef peer, const LinkAttributes& attributes, bool requested,
                 std::span<const PeerRef> neighbours, const PartStep& step) {
  std::erase(dialing_, peer);
  if (peer == step.self) return false;
  if (const std::size_t known = IndexOf(peer, step); known < rows_.size()) {
    Link& link = rows_[known];
    link.dialable = attributes.dialable;
    link.requested = link.requested || requested;
    link.suspect = false;
    return true;
  }
  Link link = NewLink(peer, attributes.outbound, attributes.dialable, step);
  link.requested = requested;
  InsertLink(rows_, link, step);
  if (FreeLinks(rows_, step.config.links) < 0) {
    std::size_t goes = LinkToGo(rows_, neighbours, step.config.links);
    if (goes == rows_.size()) goes = IndexOf(peer, step);
    const PeerRef evicted = rows_[goes].peer;
    TurnAway(goes, step);
    if (evicted == peer) return false;
    step.out.Notify(PeerLost{evicted, LinkDownReason::kHungUp});
  }
  step.out.Notify(PeerUp{peer});
  return true;
}

bool Links::OnDown(PeerRef peer, LinkDownReason reason, const PartStep& step) {
  if (reason == LinkDownReason::kDialFailed) {
    if (std::erase(dialing_, peer) > 0) SetBackOff(peer, step);
    return false;
  }
  const std::size_t index = IndexOf(peer, step);
  if (index == rows_.size()) return false;
  Drop(index, reason, step);
  return true;
}

bool Links::OnEvict(PeerRef from, const Evict& evict, const PartStep& step) {
  const std::size_t index = IndexOf(from, step);
  if (index == rows_.size()) {
    // A host may tell us of the link that we are opening only after this.
    if (IsDialing(from)) SetBackOff(from, step);
    step.out.Drop(DropReason::kNotLinked);
    return false;
  }
  Evicted evicted{from, evict.reason, 0, {}};
  for (std::size_t i = 0; i < std::min<std::size_t>(evict.count, kMaxAlternatives); ++i) {
    if (step.ids.Contains(evict.alternatives[i])) {
      evicted.alternatives[evicted.count++] = evict.alternatives[i];
    }
  }
  SetBackOff(from, step);
  Drop(index, LinkDownReason::kClosed, step);
  step.out.Notify(evicted);
  return true;
}

bool Links::MarkRequested(PeerRef peer, const PartStep& step) {
  const std::size_t index = IndexOf(peer, step);
  if (index == rows_.size()) return false;
  rows_[index].requested = true;
  return true;
}

bool Links::IsDialing(PeerRef peer) const {
  return std::find(dialing_.begin(), dialing_.end(), peer) != dialing_.end();
}

bool Links::CanDial(PeerRef peer, const PartStep& step) const {
  return peer != step.self && step.ids.Contains(peer) && step.ids.dialable(peer) &&
         IndexOf(peer, step) == rows_.size() &&
         dialing_.size() < static_cast<std::size_t>(step.config.links.max_dialing);
}

bool Links::Dial(PeerRef peer, bool requested, const PartStep& step) {
  if (IsDialing(peer)) return true;
  if (!CanDial(peer, step) || (!requested && BackedOff(peer, step.now))) return false;
  dialing_.push_back(peer);
  step.out.Dial(peer);
  return true;
}

void Links::Fill(std::span<const PeerRef> candidates, std::span<const PeerRef> neighbours,
                 const PartStep& step) {
  for (const PeerRef peer : candidates) {
    if (!step.ids.Contains(peer)) continue;
    const int bucket = CommonPrefixLength(step.self_id, step.ids.id(peer));
    if (bucket < kIdBits && Missing(bucket, step) > 0) DialToStay(peer, neighbours, step);
  }
}

void Links::DialAll(std::span<const PeerRef> peers, std::span<const PeerRef> neighbours,
                    const PartStep& step) {
  for (const PeerRef peer : peers) DialToStay(peer, neighbours, step);
}

void Links::DialToStay(PeerRef peer, std::span<const PeerRef> neighbours, const PartStep& step) {
  if (!IsDialing(peer) && CanDial(peer, step) && !BackedOff(peer, step.now) &&
      WouldStay(peer, rows_, dialing_, neighbours, step)) {
    Dial(peer, false, step);
  }
}

int Links::Missing(int bucket, const PartStep& step) const {
  const auto dials = std::count_if(dialing_.begin(), dialing_.end(), [&](PeerRef peer) {
    return CommonPrefixLength(step.self_id, step.ids.id(peer)) == bucket;
  });
  return std::max(0, step.config.links.per_bucket - Count(bucket) - static_cast<int>(dials));
}

bool Links::Hangup(PeerRef peer, HangupReason reason, const PartStep& step) {
  const std::size_t index = IndexOf(peer, step);
  if (index == rows_.size()) return false;
  step.out.Hangup(peer, reason);
  SetBackOff(peer, step);
  Drop(index, LinkDownReason::kHungUp, step);
  return true;
}

void Links::Stop(const PartStep& step) {
  for (const Link& link : rows_) {
    step.out.Hangup(link.peer, HangupReason::kLeaving);
    step.out.Notify(PeerLost{link.peer, LinkDownReason::kHungUp});
  }
  *this = Links();
}

void Links::Heard(PeerRef peer, const PartStep& step) {
  if (const std::size_t index = IndexOf(peer, step); index < rows_.size())
    rows_[index].suspect = false;
}

void Links::SetPressure(PeerRef peer, LinkPressure pressure, const PartStep& step) {
  if (const std::size_t index = IndexOf(peer, step); index < rows_.size())
    rows_[index].pressure = pressure;
}

bool Links::ClaimMaintenance(const PartStep& step) {
  if (step.now < maintain_at_) return false;
  // Spread over an eighth of the interval, so that peers that started together do not stay in step.
  const Duration interval = step.config.links.maintenance_interval;
  const auto spread = step.rng.Below64(static_cast<std::uint64_t>(interval.us) / 8 + 1);
  maintain_at_ = step.now + interval - Duration{static_cast<std::int64_t>(spread)};
  for (const Link& link : rows_) {
    if (link.suspect) step.out.Send(link.peer, HopProbe{});
  }
  return true;
}

const Link* Links::Find(PeerRef peer, const PartStep& step) const {
  const std::size_t index = IndexOf(peer, step);
  return index < rows_.size() ? &rows_[index] : nullptr;
}

int Links::Count(int bucket) const { return CountLinks(rows_, bucket); }

std::size_t Links::IndexOf(PeerRef peer, const PartStep& step) const {
  return FindLink(rows_, step.self_id, peer, step.ids);
}

// Peers closer to us than the one that goes share with it exactly what we share with it.
void Links::TurnAway(std::size_t index, const PartStep& step) {
  const Link& link = rows_[index];
  Evict evict{HangupReason::kFull, 0, {}};
  // Drawn at random: the same few named to everybody would be full next.
  std::uint32_t eligible = 0;
  for (const Link& other : rows_) {
    if (other.bucket <= link.bucket || !other.dialable || other.suspect) continue;
    const std::uint32_t place =
        eligible < kMaxAlternatives ? eligible : step.rng.Below(eligible + 1);
    ++eligible;
    if (place < kMaxAlternatives) evict.alternatives[place] = other.peer;
  }
  evict.count = static_cast<std::uint8_t>(std::min<std::uint32_t>(eligible, kMaxAlternatives));
  const PeerRef peer = link.peer;
  step.out.Send(peer, evict);
  step.out.Hangup(peer, HangupReason::kFull);
  SetBackOff(peer, step);
  rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Links::Drop(std::size_t index, LinkDownReason reason, const PartStep& step) {
  const PeerRef peer = rows_[index].peer;
  rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(index));
  step.out.Notify(PeerLost{peer, reason});
}

bool Links::BackedOff(PeerRef peer, Time now) const {
  return std::any_of(back_offs_.begin(), back_offs_.end(),
                     [&](const BackOff& entry) { return entry.peer == peer && now < entry.until; });
}

void Links::SetBackOff(PeerRef peer, const PartStep& step) {
  std::erase_if(back_offs_, [&](const BackOff& entry) {
    return entry.peer == peer || entry.until <= step.now;
  });
  // In order of their end while the configuration stays the same, so the first ends first.
  if (back_offs_.size() >= kMaxBackOffs) back_offs_.erase(back_offs_.begin());
  back_offs_.push_back({peer, step.now + step.config.links.dial_back_off});
}

}  // namespace tombolo
