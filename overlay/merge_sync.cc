// Merging: the zip along the trie of ids.
#include <algorithm>
#include <cassert>

#include "overlay/contact_lists.h"
#include "overlay/merge.h"
#include "overlay/node_id.h"

namespace tombolo {
namespace {

bool HasBit(const NodeId& bits, int index) { return index < kIdBits && bits.bit(index); }

void SetBits(NodeId& bits, int first, int last) {
  for (int i = first; i <= last && i < kIdBits; ++i) {
    if (!bits.bit(i)) bits = bits.WithFlippedBit(i);
  }
}

// The same whoever of the two asks.
std::uint64_t SessionOf(std::uint64_t a, std::uint64_t b) {
  return Mix64(Mix64(std::min(a, b)) ^ std::max(a, b));
}

}  // namespace

// Own contacts that share exactly `level` bits with us, in random order; suspects only if there is
// nobody else.
std::vector<PeerRef> Merge::Own(const MergeSession& session, int level,
                                const MergeStep& step) const {
  std::vector<PeerRef> own;
  const auto add = [&](PeerRef peer) {
    const bool listed = std::find(own.begin(), own.end(), peer) != own.end();
    if (!listed && IsSane(peer, step) && !session.IsForeign(peer)) own.push_back(peer);
  };
  for (const PeerRef peer : step.table.live(level)) add(peer);
  for (const PeerRef peer : step.ring.all()) {
    if (CommonPrefixLength(step.self_id, step.ids.id(peer)) == level) add(peer);
  }
  const auto suspects = std::stable_partition(own.begin(), own.end(),
                                              [&](PeerRef peer) { return !IsSuspect(peer, step); });
  if (suspects != own.begin()) own.erase(suspects, own.end());
  const std::size_t count =
      std::min(own.size(), static_cast<std::size_t>(step.config.heal.offered));
  for (std::size_t i = 0; i < count; ++i) {  // Fisher and Yates, as far as needed
    std::swap(own[i], own[i + step.rng.Below(static_cast<std::uint32_t>(own.size() - i))]);
  }
  own.resize(count);
  return own;
}

// The same for several levels: what fits in a list, with a fair share for each, since a level of
// which nobody is named counts as empty.
std::vector<PeerRef> Merge::OwnOf(const MergeSession& session, int first, int last,
                                  const MergeStep& step) const {
  std::vector<std::vector<PeerRef>> levels;
  for (int level = first; level <= last; ++level) levels.push_back(Own(session, level, step));
  const auto filled = static_cast<std::size_t>(
      std::count_if(levels.begin(), levels.end(), [](const auto& own) { return !own.empty(); }));
  const std::size_t share = std::max<std::size_t>(kMaxListed / std::max<std::size_t>(filled, 1), 1);
  std::vector<PeerRef> all;
  for (const std::vector<PeerRef>& own : levels) {
    const std::size_t count = std::min({own.size(), share, kMaxListed - all.size()});
    all.insert(all.end(), own.begin(), own.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return all;
}

// True while a MergeSync of ours at this prefix is under way.
bool Merge::IsMeeting(const MergeSession& session, int level) const {
  return std::any_of(sends_.rows().begin(), sends_.rows().end(), [&](const AckedSend& send) {
    const auto* sync = std::get_if<MergeSync>(&send.message);
    return sync != nullptr && !sync->first && sync->session == session.id && sync->level == level;
  });
}

void Merge::StartFirstSync(PeerRef other, const MergeStep& step) {
  const int level = CommonPrefixLength(step.self_id, step.ids.id(other));
  const std::vector<PeerRef> contacts = OwnOf(MergeSession(), 0, level, step);
  Send(MergeSync{0, step.island, 0, true, {}}, contacts, std::span(&other, 1), step);
}

// Meets one of `others` at a prefix of `level` bits, the nearest first.
void Merge::StartSync(MergeSession& session, std::vector<PeerRef> others, int level,
                      PeerRef partner, const MergeStep& step) {
  if (HasBit(session.met, level) || IsMeeting(session, level)) return;
  std::erase_if(others, [&](PeerRef other) {
    return !IsSane(other, step) || CommonPrefixLength(step.self_id, step.ids.id(other)) < level;
  });
  const MergeSync sync{0, session.id, static_cast<std::uint8_t>(level), false, {}};
  if (others.empty()) return SyncFailed(sync, partner, step);
  std::sort(others.begin(), others.end(), [&](PeerRef a, PeerRef b) {
    return IsCloser(step.ids.id(a), step.ids.id(b), step.self_id);
  });
  std::stable_partition(others.begin(), others.end(),
                        [&](PeerRef other) { return !IsSuspect(other, step); });
  const int shared = CommonPrefixLength(step.self_id, step.ids.id(others.front()));
  Send(sync, OwnOf(session, level, shared, step), others, step, partner);
}

// True if any of them is not a contact or neighbour of ours, or is one only since this merge.
bool Merge::IsNews(const MergeSession& session, std::span<const PeerRef> named,
                   const MergeStep& step) const {
  return std::any_of(named.begin(), named.end(), [&](PeerRef peer) {
    return IsSane(peer, step) && (!Knows(peer, step) || session.IsForeign(peer));
  });
}

// True if the prefix was met before, or if somebody is on it who goes before `from`, or if all that
// the message says was known: the two live in one island.
bool Merge::IsDuplicate(const MergeSession& session, const MergeSync& sync, PeerRef from,
                        const MergeStep& step) const {
  if (HasBit(session.met, sync.level)) return true;
  if (sync.first) return false;
  const bool news = IsNews(session, std::span(&from, 1), step) ||
                    IsNews(session, step.lists.Get(sync.contacts), step);
  return !news || (IsMeeting(session, sync.level) && step.self_id < step.ids.id(from));
}

void Merge::On(PeerRef from, const MergeSync& sync, const MergeStep& step) {
  const int shared = CommonPrefixLength(step.self_id, step.ids.id(from));
  if (sync.level > shared || shared == kIdBits) return step.out.Drop(DropReason::kUnknownRpc);
  const std::uint64_t id = sync.first ? SessionOf(sync.session, step.island) : sync.session;
  MergeSession& session = Use(id, step);
  const Repeat* before = FindRepeat(from, sync.rpc);
  const bool duplicate =
      before != nullptr ? before->duplicate : IsDuplicate(session, sync, from, step);
  std::vector<PeerRef> contacts;
  if (!duplicate) contacts = OwnOf(session, sync.level, shared, step);
  step.out.Send(from, MergeSyncReply{sync.rpc, id, duplicate, step.lists.Add(contacts)});
  if (IsRepeat(from, sync.rpc, duplicate) || duplicate) return;
  const std::span<const PeerRef> named = step.lists.Get(sync.contacts);
  Met(session, from, sync.level, named, true, step);
}

void Merge::On(PeerRef from, const MergeSyncReply& reply, const MergeStep& step) {
  const std::optional<AckedSend> send = sends_.Acked(from, reply.rpc, step);
  const auto* sync = send ? std::get_if<MergeSync>(&send->message) : nullptr;
  if (sync == nullptr) return step.out.Drop(DropReason::kUnknownRpc);
  MergeSession& session = Use(sync->first ? reply.session : sync->session, step);
  if (reply.duplicate) {
    SetBits(session.met, sync->level, sync->level);
    return;
  }
  const std::span<const PeerRef> named = step.lists.Get(reply.contacts);
  Met(session, from, sync->level, named, false, step);
}

// Both sides act on what the other has named, each on its own half at the level where they part;
// above it the responder has both lists first.
void Merge::Met(MergeSession& session, PeerRef other, int level, std::span<const PeerRef> named,
                bool responder, const MergeStep& step) {
  const int part = CommonPrefixLength(step.self_id, step.ids.id(other));
  SetBits(session.met, level, part);
  std::vector<std::vector<PeerRef>> theirs(static_cast<std::size_t>(part - level + 1));
  for (const PeerRef peer : named) {
    if (!IsSane(peer, step)) continue;
    const int shared = CommonPrefixLength(step.self_id, step.ids.id(peer));
    // Of those named for the level where we part only the ones on our half serve us.
    const bool serves = shared >= level && shared != part;
    if (serves) theirs[static_cast<std::size_t>(std::min(shared, part) - level)].push_back(peer);
  }
  std::vector<std::vector<PeerRef>> ours;
  for (int l = level; l <= part; ++l) ours.push_back(Own(session, l, step));
  NoteStranger(other, step);
  Learn(other, step);
  for (const PeerRef peer : named) LearnForeign(peer, session, step);
  refresh_at_ = step.now + step.config.heal.refresh_after;

  for (int l = level; l < part; ++l) {
    const auto& own = ours[static_cast<std::size_t>(l - level)];
    const auto& others = theirs[static_cast<std::size_t>(l - level)];
    if (others.empty()) continue;
    if (own.empty()) {
      EndBranch(session, others, l, step);
    } else if (responder) {
      Send(MergeBridge{0, session.id, other, static_cast<std::uint8_t>(l + 1), {}}, others, own,
           step);
    }
  }
  if (ours.back().empty()) EndBranch(session, std::span(&other, 1), part, step);
  if (theirs.back().empty()) return Place(session, other, kIdBits, step);
  StartSync(session, theirs.back(), part + 1, other, step);
}

void Merge::On(PeerRef from, const MergeBridge& bridge, const MergeStep& step) {
  if (bridge.level > kIdBits - 1) return step.out.Drop(DropReason::kUnknownRpc);
  if (!Acknowledge(from, bridge.rpc, step)) return;
  const std::span<const PeerRef> others = step.lists.Get(bridge.contacts);
  StartSync(Use(bridge.session, step), {others.begin(), others.end()}, bridge.level, bridge.partner,
            step);
}

// Nobody of the other island is alive at this prefix: its peers next to it hear of us instead.
void Merge::SyncFailed(const MergeSync& sync, PeerRef partner, const MergeStep& step) {
  if (sync.first || !IsSane(partner, step)) return;
  const std::span<const PeerRef> to(&partner, 1);
  Send(MergeFill{0, sync.session, sync.level, {}}, std::span(&step.self, 1), to, step);
  Send(MergeLookup{0, sync.session, step.self, kIdBits}, {}, to, step);
}

}  // namespace tombolo
