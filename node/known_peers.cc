#include "node/known_peers.h"

#include <algorithm>
#include <cassert>

namespace tombolo::node {
namespace {

constexpr Duration kSweepInterval = Duration::Minutes(1);
constexpr Duration kNamingWindow = Duration::Minutes(1);

}  // namespace

KnownPeers::KnownPeers(const NodeId& self, std::size_t limit) : limit_(limit) {
  assert(limit >= 16);
  ids_.Add(self, {.address_group = 0, .dialable = false, .proven = true});
  peers_.emplace_back().proven = true;
}

void KnownPeers::SetSelf(std::span<const std::string> addresses, bool dialable) {
  assert(addresses.size() <= kMaxAddresses);
  peers_[0].addresses.clear();
  for (const std::string& address : addresses) peers_[0].addresses.push_back({address, false});
  Publish(self(), dialable && !addresses.empty(), 0);
}

std::uint32_t KnownPeers::NamedBy(PeerRef by, Time now) const {
  assert(ids_.Contains(by));
  const Known& known = peers_[Index(by)];
  return by == self() || known.naming_since + kNamingWindow <= now ? 0 : known.naming;
}

void KnownPeers::CountNamed(PeerRef by, Time now) {
  const std::uint32_t before = NamedBy(by, now);
  Known& known = peers_[Index(by)];
  if (before == 0) known.naming_since = now;
  known.naming = before + 1;
}

bool KnownPeers::HasRoom(std::size_t newcomers, PeerRef by, Time now) const {
  if (NamedBy(by, now) + newcomers > kMaxNamed) return false;
  const std::size_t most = limit_ - limit_ / 8;
  std::size_t room = peers_.size() < most ? most - peers_.size() : 0;
  for (const Free& free : free_) {
    if (room >= newcomers || free.since + kQuarantine > now) break;
    if (peers_[Index(free.peer)].free) ++room;
  }
  return room >= newcomers;
}

std::optional<PeerRef> KnownPeers::Name(const NodeId& id,
                                        std::span<const std::string_view> addresses, PeerRef by,
                                        Time now) {
  std::optional<PeerRef> peer = ids_.Find(id);
  if (!peer && NamedBy(by, now) < kMaxNamed) {
    peer = Add(id, limit_ - limit_ / 8, now);
    if (peer) CountNamed(by, now);
  }
  if (!peer) {
    ++counters_.names_refused;
    return std::nullopt;
  }
  if (!peers_[Index(Use(*peer, now))].proven) {
    for (const std::string_view address : addresses) AddNamed(*peer, address);
  }
  return peer;
}

std::optional<PeerRef> KnownPeers::Prove(const NodeId& id,
                                         std::span<const std::string_view> addresses, bool dialable,
                                         std::string_view from, Time now) {
  std::optional<PeerRef> peer = ids_.Find(id);
  if (!peer) peer = Add(id, limit_, now);
  if (!peer) {
    ++counters_.proofs_refused;
    return std::nullopt;
  }
  Known& known = peers_[Index(Use(*peer, now))];
  known.proven = true;
  known.addresses.clear();
  for (const std::string_view address : addresses.first(std::min(addresses.size(), kMaxAddresses)))
    known.addresses.push_back({std::string(address), false});
  Publish(*peer, dialable && !known.addresses.empty(), AddressGroup(from));
  return peer;
}

void KnownPeers::AddNamed(PeerRef peer, std::string_view address) {
  std::vector<Address>& known = peers_[Index(peer)].addresses;
  for (const Address& other : known) {
    if (other.text == address) return;
  }
  if (known.size() < kMaxAddresses) {
    known.push_back({std::string(address), false});
    return Publish(peer, true, AddressGroup(known.front().text));
  }
  const auto failed =
      std::find_if(known.begin(), known.end(), [](const Address& other) { return other.failed; });
  if (failed == known.end()) {
    ++counters_.addresses_refused;
  } else {
    *failed = {std::string(address), false};
  }
}

void KnownPeers::Publish(PeerRef peer, bool dialable, std::uint32_t group) {
  ids_.set_attributes(peer, {group, dialable, peers_[Index(peer)].proven});
}

void KnownPeers::Reached(PeerRef peer, std::string_view address) {
  std::vector<Address>& known = peers_[Index(peer)].addresses;
  const auto found = std::find_if(known.begin(), known.end(),
                                  [&](const Address& other) { return other.text == address; });
  if (found == known.end()) return;
  found->failed = false;
  std::rotate(known.begin(), found, found + 1);  // the first to be dialled next time
}

void KnownPeers::NotReached(PeerRef peer, std::string_view address) {
  for (Address& known : peers_[Index(peer)].addresses) {
    if (known.text == address) known.failed = true;
  }
}

std::vector<PeerRef> KnownPeers::Latest(std::size_t most) const {
  std::vector<PeerRef> latest;
  for (std::uint32_t i = 1; i < peers_.size(); ++i) {
    if (peers_[i].proven && !peers_[i].free && ids_.dialable(PeerRef{i})) {
      latest.push_back(PeerRef{i});
    }
  }
  std::sort(latest.begin(), latest.end(), [&](PeerRef a, PeerRef b) {
    return last_use(a) != last_use(b) ? last_use(a) > last_use(b) : ids_.id(a) < ids_.id(b);
  });
  latest.resize(std::min(latest.size(), most));
  return latest;
}

PeerRef KnownPeers::Use(PeerRef peer, Time now) {
  Known& known = peers_[Index(peer)];
  known.used = now;
  if (known.free) {
    known.free = false;
    --free_count_;
  }
  return peer;
}

std::optional<PeerRef> KnownPeers::Add(const NodeId& id, std::size_t limit, Time now) {
  while (!free_.empty() && !peers_[Index(free_.front().peer)].free) free_.pop_front();
  if (CanReuse(now)) return Reuse(id, now);
  if (peers_.size() >= limit) return std::nullopt;
  peers_.emplace_back();
  return ids_.Add(id, {.address_group = 0, .dialable = false, .proven = false});
}

bool KnownPeers::CanReuse(Time now) const {
  return !free_.empty() && free_.front().since + kQuarantine <= now;
}

PeerRef KnownPeers::Reuse(const NodeId& id, Time now) {
  const PeerRef peer = free_.front().peer;
  free_.pop_front();
  ids_.Rename(peer, id, {.address_group = 0, .dialable = false, .proven = false});
  Known& known = peers_[Index(Use(peer, now))];
  known.addresses.clear();
  known.naming = 0;
  known.proven = false;
  ++counters_.reused;
  return peer;
}

bool KnownPeers::WantsSweep(Time now) const {
  const std::size_t used = peers_.size() - free_count_;
  return used > limit_ * 3 / 4 && swept_at_ + kSweepInterval <= now;
}

void KnownPeers::Sweep(const std::vector<bool>& held, Time now) {
  assert(held.size() == peers_.size());
  swept_at_ = now;
  std::erase_if(free_, [&](const Free& free) { return !peers_[Index(free.peer)].free; });
  std::vector<PeerRef> unused;
  for (std::uint32_t i = 1; i < peers_.size(); ++i) {
    if (!held[i] && !peers_[i].free) unused.push_back(PeerRef{i});
  }
  std::sort(unused.begin(), unused.end(), [&](PeerRef a, PeerRef b) {
    return last_use(a) != last_use(b) ? last_use(a) < last_use(b) : ids_.id(a) < ids_.id(b);
  });
  for (const PeerRef peer : unused) {
    peers_[Index(peer)].free = true;
    free_.push_back({peer, now});
  }
  free_count_ += unused.size();
}

}  // namespace tombolo::node
