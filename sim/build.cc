#include "sim/build.h"

#include <algorithm>
#include <cassert>

namespace tombolo::sim {
namespace {

constexpr std::size_t kSpareContacts =
    8;  // room for the first replacements without moving the table

// The peers [begin, end) of a subtree, by position in id order.
struct Range {
  std::uint32_t begin;
  std::uint32_t end;
  std::uint32_t size() const { return end - begin; }
};

// First position in `range` whose id has bit `level` set. The ids of the range agree up to that
// bit.
std::uint32_t SplitPoint(const Directory& ids, Range range, int level) {
  std::uint32_t low = range.begin;
  std::uint32_t high = range.end;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (ids.id(static_cast<PeerRef>(middle)).bit(level)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// `count` distinct random positions of the range (Floyd, CACM 30(9) 1987), or all of them.
void Sample(Range range, std::uint32_t count, Rng& rng, std::vector<PeerRef>& out) {
  out.clear();
  if (range.size() <= count) {
    for (std::uint32_t i = range.begin; i < range.end; ++i) out.push_back(static_cast<PeerRef>(i));
    return;
  }
  for (std::uint32_t last = range.size() - count; last < range.size(); ++last) {
    const auto drawn = static_cast<PeerRef>(range.begin + rng.Below(last + 1));
    const bool taken = std::find(out.begin(), out.end(), drawn) != out.end();
    out.push_back(taken ? static_cast<PeerRef>(range.begin + last) : drawn);
  }
}

// The peers that may be contacts, in id order. Where every peer can be dialled these are all, and
// the index costs nothing; a peer that cannot be dialled is a contact only of those it is linked
// to.
class Eligible {
 public:
  explicit Eligible(const Directory& ids) {
    const auto count = static_cast<std::uint32_t>(ids.size());
    std::vector<std::uint32_t> before(count + 1, 0);
    for (std::uint32_t i = 0; i < count; ++i) {
      const bool dialable = ids.dialable(static_cast<PeerRef>(i));
      if (dialable) members_.push_back(static_cast<PeerRef>(i));
      before[i + 1] = before[i] + (dialable ? 1 : 0);
    }
    if (members_.size() < count) {
      before_ = std::move(before);
    } else {
      members_ = {};
    }
  }

  void SampleFrom(Range range, std::uint32_t count, Rng& rng, std::vector<PeerRef>& out) const {
    if (before_.empty()) return Sample(range, count, rng, out);
    Sample({before_[range.begin], before_[range.end]}, count, rng, out);
    for (PeerRef& position : out) position = members_[Index(position)];
  }

 private:
  std::vector<PeerRef> members_;
  std::vector<std::uint32_t> before_;  // members before a position in the whole population
};

// The subtrees that belong in the buckets of every peer, found once for all peers that share them.
class TableBuilder {
 public:
  TableBuilder(const WorldOptions& options, const Directory& ids, std::vector<Peer>& peers)
      : options_(options), ids_(ids), eligible_(ids), peers_(peers) {}

  void Build() {
    siblings_.reserve(kIdBits);
    Descend({0, static_cast<std::uint32_t>(peers_.size())}, 0);
  }

 private:
  // Walks the id trie; siblings_[i] is the subtree of bucket i for all peers of `range`.
  void Descend(Range range, int level) {
    if (range.size() == 0) return;
    if (range.size() == 1 || level == kIdBits) return BuildOne(range.begin);
    const std::uint32_t split = SplitPoint(ids_, range, level);
    const Range zeros{range.begin, split};
    const Range ones{split, range.end};
    siblings_.push_back(ones);
    Descend(zeros, level + 1);
    siblings_.back() = zeros;
    Descend(ones, level + 1);
    siblings_.pop_back();
  }

  void BuildOne(std::uint32_t index) {
    const auto k = static_cast<std::uint32_t>(options_.core.table.k);
    std::size_t contacts = kSpareContacts;
    for (const Range& sibling : siblings_) contacts += std::min(sibling.size(), k);
    RoutingTable table;
    table.Reserve(contacts, static_cast<int>(siblings_.size()));
    Rng rng = Rng::Split(options_.seed ^ 0x7461626c65ULL, index);
    for (std::size_t level = 0; level < siblings_.size(); ++level) {
      eligible_.SampleFrom(siblings_[level], k, rng, sample_);
      table.Fill(static_cast<int>(level), sample_);
    }
    // Hidden peers look for newcomers next to them from the start.
    const bool hidden = options_.core.links.max_links > 0 && !ids_.dialable(peers_[index].self());
    const std::int64_t interval = (hidden ? options_.core.links.hidden_refresh_interval
                                          : options_.core.table.refresh_interval)
                                      .us;
    const auto spread =
        static_cast<std::int64_t>(rng.Below64(static_cast<std::uint64_t>(interval)));
    peers_[index].Build(std::move(table), Time{interval + spread});
  }

  const WorldOptions& options_;
  const Directory& ids_;
  Eligible eligible_;
  std::vector<Peer>& peers_;
  std::vector<Range> siblings_;
  std::vector<PeerRef> sample_;
};

// Opens links as both ends would have agreed to, where neither is full.
class LinkBuilder {
 public:
  LinkBuilder(const WorldOptions& options, std::vector<Peer>& peers, const Step& step)
      : options_(options), peers_(peers), step_(step) {
    for (const Peer& peer : peers) {
      if (step.ids.dialable(peer.self())) dialable_.push_back(peer.self());
    }
  }

  void Build() {
    for (const Peer& peer : peers_) {
      LinkBuckets(peer);
      LinkNeighbours(peer.self());
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
  std::vector<Peer>& peers_;
  const Step& step_;
  std::vector<PeerRef> dialable_;  // in id order
};

}  // namespace

void BuildTables(const WorldOptions& options, const Directory& ids, std::vector<Peer>& peers) {
  TableBuilder(options, ids, peers).Build();
}

void BuildLinks(const WorldOptions& options, std::vector<Peer>& peers, const Step& step) {
  LinkBuilder(options, peers, step).Build();
}

}  // namespace tombolo::sim
