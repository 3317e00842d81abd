// Leaving, and where else to go.
#include "node/link_table.h"

namespace tombolo::node {

using link::v1::Goodbye;

void LinkTable::CloseAll(Goodbye::Reason reason, Time now) {
  closing_ = true;
  for (auto& [peer, link] : links_) link.kept = link.wanted = false;
  for (auto& [id, connection] : connections_) {
    // A dial may still carry a record that is handed over.
    const bool carries = connection.outbound && connection.state < ConnectionState::kReady;
    if (carries && options_.close_spread > Duration{0}) continue;
    if (connection.state != ConnectionState::kReady || options_.close_spread <= Duration{0}) {
      Part(connection, reason, {}, now);
      continue;
    }
    const auto spread = static_cast<std::uint64_t>(options_.close_spread.us);
    connection.deadline =
        now + Duration::Microseconds(static_cast<std::int64_t>(rng_.Below64(spread)));
    NoteDeadline(connection.deadline);
  }
}

// Of whom this node has heard last; looked up once a second at most, since a node that is full says
// many goodbyes.
const std::vector<std::string>& LinkTable::Alternatives(Time now) {
  if (alternatives_at_ && now < *alternatives_at_ + Duration::Seconds(1)) return alternatives_;
  alternatives_at_ = now;
  alternatives_.clear();
  for (const PeerRef peer : peers_.Latest(kMaxAlternatives)) {
    const auto addresses = peers_.addresses(peer);
    if (!addresses.empty()) alternatives_.push_back(addresses.front().text);
  }
  return alternatives_;
}

}  // namespace tombolo::node
