#include "sim/build.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "sim/network.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kSpareContacts =
    8;  // room for the first replacements without moving the table

// The peers [begin, end) of a subtree, by position in the id order of an island.
struct Range {
  std::uint32_t begin;
  std::uint32_t end;
  std::uint32_t size() const { return end - begin; }
};

// First position in `range` whose id has bit `level` set. The ids of the range agree up to that
// bit.
std::uint32_t SplitPoint(const Directory& ids, std::span<const PeerRef> island, Range range,
                         int level) {
  std::uint32_t low = range.begin;
  std::uint32_t high = range.end;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (ids.id(island[middle]).bit(level)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// `count` distinct random positions of the range (Floyd, CACM 30(9) 1987), or all of them.
void Sample(Range range, std::uint32_t count, Rng& rng, std::vector<std::uint32_t>& out) {
  out.clear();
  if (range.size() <= count) {
    for (std::uint32_t i = range.begin; i < range.end; ++i) out.push_back(i);
    return;
  }
  for (std::uint32_t last = range.size() - count; last < range.size(); ++last) {
    const std::uint32_t drawn = range.begin + rng.Below(last + 1);
    const bool taken = std::find(out.begin(), out.end(), drawn) != out.end();
    out.push_back(taken ? range.begin + last : drawn);
  }
}

// The peers of an island that may be contacts, in id order. Where every peer can be dialled these
// are all, and the index costs nothing; a peer that cannot be dialled is a contact only of those it
// is linked to.
class Eligible {
 public:
  Eligible(const Directory& ids, std::span<const PeerRef> island) : members_(island) {
    const auto count = static_cast<std::uint32_t>(island.size());
    std::vector<std::uint32_t> before(count + 1, 0);
    std::vector<PeerRef> dialable;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (ids.dialable(island[i])) dialable.push_back(island[i]);
      before[i + 1] = static_cast<std::uint32_t>(dialable.size());
    }
    if (dialable.size() == count) return;
    dialable_ = std::move(dialable);
    members_ = dialable_;
    before_ = std::move(before);
  }

  void SampleFrom(Range range, std::uint32_t count, Rng& rng, std::vector<PeerRef>& out) {
    if (!before_.empty()) range = {before_[range.begin], before_[range.end]};
    Sample(range, count, rng, positions_);
    out.clear();
    for (const std::uint32_t position : positions_) out.push_back(members_[position]);
  }

 private:
  std::span<const PeerRef> members_;
  std::vector<PeerRef> dialable_;
  std::vector<std::uint32_t> before_;  // members before a position in the whole island
  std::vector<std::uint32_t> positions_;
};

// The subtrees that belong in the buckets of every peer of an island, found once for all peers that
// share them.
class TableBuilder {
 public:
  TableBuilder(const WorldOptions& options, const Directory& ids, std::span<const PeerRef> island,
               std::vector<Peer>& peers)
      : options_(options), ids_(ids), island_(island), eligible_(ids, island), peers_(peers) {}

  void Build() {
    siblings_.reserve(kIdBits);
    Descend({0, static_cast<std::uint32_t>(island_.size())}, 0);
  }

 private:
  // Walks the id trie; siblings_[i] is the subtree of bucket i for all peers of `range`.
  void Descend(Range range, int level) {
    if (range.size() == 0) return;
    if (range.size() == 1 || level == kIdBits) return BuildOne(island_[range.begin]);
    const std::uint32_t split = SplitPoint(ids_, island_, range, level);
    const Range zeros{range.begin, split};
    const Range ones{split, range.end};
    siblings_.push_back(ones);
    Descend(zeros, level + 1);
    siblings_.back() = zeros;
    Descend(ones, level + 1);
    siblings_.pop_back();
  }

  void BuildOne(PeerRef peer) {
    const auto k = static_cast<std::uint32_t>(options_.core.table.k);
    std::size_t contacts = kSpareContacts;
    for (const Range& sibling : siblings_) contacts += std::min(sibling.size(), k);
    RoutingTable table;
    table.Reserve(contacts, static_cast<int>(siblings_.size()));
    Rng rng = Rng::Split(options_.seed ^ 0x7461626c65ULL, Index(peer));
    Rng gaps = Rng::Split(options_.seed ^ 0x67617073ULL, Index(peer));
    for (std::size_t level = 0; level < siblings_.size(); ++level) {
      eligible_.SampleFrom(siblings_[level], k, rng, sample_);
      if (options_.missing_share > 0) {
        std::erase_if(sample_,
                      [&](PeerRef) { return gaps.Chance(ChanceParts(options_.missing_share)); });
      }
      table.Fill(static_cast<int>(level), sample_);
    }
    // Hidden peers look for newcomers next to them from the start.
    const bool hidden = options_.core.links.max_links > 0 && !ids_.dialable(peer);
    const std::int64_t interval = (hidden ? options_.core.links.hidden_refresh_interval
                                          : options_.core.table.refresh_interval)
                                      .us;
    const auto spread =
        static_cast<std::int64_t>(rng.Below64(static_cast<std::uint64_t>(interval)));
    peers_[Index(peer)].Build(std::move(table), Time{interval + spread});
  }

  const WorldOptions& options_;
  const Directory& ids_;
  const std::span<const PeerRef> island_;
  Eligible eligible_;
  std::vector<Peer>& peers_;
  std::vector<Range> siblings_;
  std::vector<PeerRef> sample_;
};

// Opens links as both ends would have agreed to, where neither is full.
class LinkBuilder {
 public:
  LinkBuilder(const WorldOptions& options, std::span<const PeerRef> island,
              std::vector<Peer>& peers, const Step& step)
      : options_(options), island_(island), peers_(peers), step_(step) {
    for (const PeerRef peer : island) {
      if (step.ids.dialable(peer)) dialable_.push_back(peer);
    }
  }

  void Build() {
    for (const PeerRef peer : island_) {
      LinkBuckets(peers_[Index(peer)]);
      LinkNeighbours(peer);
    }
  }

 private:
  void LinkBuckets(const Peer& peer) {
    Rng rng = Rng::Split(options_.seed ^ 0x6c696e6b73ULL, Index(peer.self()));
    for (int level = 0; level < peer.table().levels(); ++level) {
      std::vector<PeerRef> bucket(peer.table().live(level).begin(), peer.table().live(level).end());
      std::erase_if(bucket, [&](PeerRef contact) { return !step_.ids.dialable(contact); });
      for (int i = 0; i < options_.core.links.per_bucket && !bucket.empty(); ++i) {
        const std::uint32_t drawn = rng.Below(static_cast<std::uint32_t>(bucket.size()));
        Link(peer.self(), bucket[drawn]);
        bucket.erase(bucket.begin() + drawn);
      }
    }
  }

  // The nearest peers that can be dialled, on both sides of the ring.
  void LinkNeighbours(PeerRef peer) {
    const auto count = static_cast<std::ptrdiff_t>(dialable_.size());
    const auto here =
        std::lower_bound(dialable_.begin(), dialable_.end(), peer) - dialable_.begin();
    const std::ptrdiff_t reach =
        std::min<std::ptrdiff_t>(options_.core.links.neighbours, count - 1);
    for (std::ptrdiff_t i = -reach; i <= reach; ++i) {
      Link(peer, dialable_[static_cast<std::size_t>((here + i + count) % count)]);
    }
  }

  bool Linked(PeerRef a, PeerRef b) const {
    const std::span<const tombolo::Link> links = peers_[Index(a)].links();
    return std::any_of(links.begin(), links.end(),
                       [&](const tombolo::Link& link) { return link.peer == b; });
  }

  // True if `peer` would turn `newcomer` away, or another one for it: part of the table is reserved
  // for peers that cannot be dialled.
  bool Full(PeerRef peer, PeerRef newcomer) const {
    const LinkConfig& config = options_.core.links;
    const std::span<const tombolo::Link> links = peers_[Index(peer)].links();
    const auto undialable =
        std::count_if(links.begin(), links.end(),
                      [](const tombolo::Link& link) { return !link.dialable; }) +
        (step_.ids.dialable(newcomer) ? 0 : 1);
    const auto in_reserve = std::min<std::ptrdiff_t>(undialable, config.reserved);
    return std::ssize(links) + 1 - in_reserve > config.max_links - config.reserved;
  }

  void Link(PeerRef from, PeerRef to) {
    if (from == to || Linked(from, to) || Full(from, to) || Full(to, from)) return;
    peers_[Index(from)].LinkUp(to, {true, true}, step_);
    peers_[Index(to)].LinkUp(from, {false, step_.ids.dialable(from)}, step_);
    step_.out.Clear();
  }

  const WorldOptions& options_;
  const std::span<const PeerRef> island_;
  std::vector<Peer>& peers_;
  const Step& step_;
  std::vector<PeerRef> dialable_;  // in id order
};

}  // namespace

void BuildTables(const WorldOptions& options, const Islands& islands, const Directory& ids,
                 std::vector<Peer>& peers) {
  for (std::size_t island = 0; island < islands.count(); ++island)
    TableBuilder(options, ids, islands.members(island), peers).Build();
}

void BuildLinks(const WorldOptions& options, const Islands& islands, std::vector<Peer>& peers,
                const Step& step) {
  for (std::size_t island = 0; island < islands.count(); ++island)
    LinkBuilder(options, islands.members(island), peers, step).Build();
}

void BuildSketches(const Islands& islands, std::vector<Peer>& peers, const Step& step) {
  for (std::size_t island = 0; island < islands.count(); ++island) {
    const std::vector<PeerRef> sketch = IslandDigest::Choose(islands.members(island), step.ids);
    for (const PeerRef member : islands.members(island))
      peers[Index(member)].BuildIsland(sketch, step);
  }
}

}  // namespace tombolo::sim
