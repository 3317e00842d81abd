#include "overlay/link_room.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "overlay/link_rows.h"
#include "overlay/node_id.h"

namespace tombolo {

Link NewLink(PeerRef peer, bool outbound, bool dialable, const PartStep& step) {
  Link link;
  link.peer = peer;
  link.bucket = static_cast<std::uint8_t>(CommonPrefixLength(step.self_id, step.ids.id(peer)));
  link.outbound = outbound;
  link.dialable = dialable;
  link.up_since = step.now;
  return link;
}

void InsertLink(std::vector<Link>& rows, const Link& link, const PartStep& step) {
  const NodeId& id = step.ids.id(link.peer);
  const auto at = std::partition_point(rows.begin(), rows.end(), [&](const Link& other) {
    return std::tie(other.bucket, step.ids.id(other.peer)) < std::tie(link.bucket, id);
  });
  // Grown by a quarter: doubling would waste a third of the memory of a table that never shrinks.
  if (rows.size() == rows.capacity()) {
    const auto index = at - rows.begin();
    rows.reserve(rows.size() + rows.size() / 4 + 4);
    rows.insert(rows.begin() + index, link);
    return;
  }
  rows.insert(at, link);
}

int FreeLinks(std::span<const Link> rows, const LinkConfig& config) {
  const auto undialable = static_cast<int>(
      std::count_if(rows.begin(), rows.end(), [](const Link& link) { return !link.dialable; }));
  const int in_reserve = std::min(undialable, config.reserved);
  return config.max_links - config.reserved - (static_cast<int>(rows.size()) - in_reserve);
}

std::size_t LinkToGo(std::span<const Link> rows, std::span<const PeerRef> neighbours,
                     const LinkConfig& config) {
  std::size_t worst = rows.size();
  std::optional<std::tuple<int, bool, Time>> worst_rank;
  int reserved = config.reserved;
  // From the deepest bucket up, since the reserve belongs to the closest.
  for (std::size_t i = rows.size(); i-- > 0;) {
    const Link& link = rows[i];
    if (!link.dialable && reserved-- > 0) continue;
    const int in_bucket = CountLinks(rows, link.bucket);
    if (link.requested || in_bucket <= config.per_bucket) continue;
    if (std::find(neighbours.begin(), neighbours.end(), link.peer) != neighbours.end()) continue;
    const std::tuple<int, bool, Time> rank{in_bucket, link.suspect, link.up_since};
    if (worst_rank && rank <= *worst_rank) continue;
    worst = i;
    worst_rank = rank;
  }
  return worst;
}

bool WouldStay(PeerRef peer, std::span<const Link> rows, std::span<const PeerRef> dialing,
               std::span<const PeerRef> neighbours, const PartStep& step) {
  const LinkConfig& config = step.config.links;
  if (FreeLinks(rows, config) > std::ssize(dialing)) return true;
  std::vector<Link> after(rows.begin(), rows.end());
  const auto come_up = [&](PeerRef newcomer) {
    InsertLink(after, NewLink(newcomer, true, true, step), step);
    if (FreeLinks(after, config) >= 0) return true;
    const std::size_t gone = LinkToGo(after, neighbours, config);
    const bool stays = gone < after.size() && after[gone].peer != newcomer;
    after.erase(after.begin() +
                static_cast<std::ptrdiff_t>(
                    stays ? gone : FindLink(after, step.self_id, newcomer, step.ids)));
    return stays;
  };
  for (const PeerRef other : dialing) come_up(other);
  return come_up(peer);
}

}  // namespace tombolo
