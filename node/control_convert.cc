#include "node/control_convert.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "overlay/message.h"

namespace tombolo::node {
namespace {

const NodeId& IdOf(const Host& host, PeerRef peer) { return host.known().ids().id(peer); }

template <class Refs, class Field>
void AddIds(const Host& host, const Refs& refs, Field* field) {
  for (const PeerRef peer : refs) *field->Add() = BytesOf(IdOf(host, peer));
}

const Link* LinkTo(const Host& host, PeerRef peer) {
  const std::span<const Link> links = host.core().links();
  const auto found =
      std::ranges::find_if(links, [peer](const Link& link) { return link.peer == peer; });
  return found == links.end() ? nullptr : &*found;
}

struct EventFiller {
  const Host& host;
  const std::string& payload;
  control::Event& out;

  bool operator()(const MessageArrived& event) const {
    out.mutable_message()->set_origin(BytesOf(event.origin));
    out.mutable_message()->set_payload(payload);
    out.mutable_message()->set_hops(event.hops);
    return true;
  }
  bool operator()(const BroadcastArrived& event) const {
    control::BroadcastEvent& broadcast = *out.mutable_broadcast();
    broadcast.set_origin(BytesOf(event.origin));
    broadcast.set_payload(payload);
    broadcast.set_hops(event.hops);
    broadcast.set_topic(event.topic);
    broadcast.set_sequence(event.sequence);
    return true;
  }
  bool operator()(const PeerUp& event) const {
    out.mutable_peer_up()->set_id(BytesOf(IdOf(host, event.peer)));
    return true;
  }
  bool operator()(const PeerLost& event) const {
    out.mutable_peer_lost()->set_id(BytesOf(IdOf(host, event.peer)));
    return true;
  }
  bool operator()(const Joined& event) const {
    out.mutable_joined()->set_contacts(event.contacts);
    return true;
  }
  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }
};

void FillCounters(const Host& host, const GrpcTransport& transport, control::StatusReply& reply) {
  auto& counters = *reply.mutable_counters();
  for (std::size_t i = 0; i < kTransportCountNames.size(); ++i) {
    counters["transport_" + std::string(kTransportCountNames[i])] =
        transport.counts()[static_cast<TransportCount>(i)];
  }
  for (std::size_t i = 0; i < kLinkCounts; ++i) {
    counters["links_" + std::string(kLinkCountNames[i])] = host.links().counters()[i];
  }
  for (std::size_t i = 0; i < kChannelCounts; ++i) {
    counters["channels_" + std::string(kChannelCountNames[i])] = host.channels().counters()[i];
  }
  counters["channels"] = host.channels().size();
  counters["channel_memory_bytes"] = host.channels().memory();
  for (std::size_t i = 0; i < kDecodeErrors; ++i) {
    counters["decode_errors_" + std::string(kDecodeErrorNames[i])] =
        host.codec().counters().errors[i];
  }
  const KnownPeers::Counters& known = host.known().counters();
  counters["known_peers_names_refused"] = known.names_refused;
  counters["known_peers_proofs_refused"] = known.proofs_refused;
  counters["known_peers_addresses_refused"] = known.addresses_refused;
  counters["known_peers_reused"] = known.reused;
  counters["known_peers_sweeps"] = host.counters().sweeps;
  counters["contacts_cut"] = host.codec().counters().contacts_cut;
  counters["records_not_kept"] = host.counters().records_not_kept;
  counters["strange_payloads"] = host.counters().strange_payloads;
  counters["joins_begun"] = host.counters().joins_begun;
  counters["puts_refused"] = host.counters().puts_refused;
  counters["sends_refused_memory"] = host.counters().sends_refused_memory;
  counters["messages_refused_memory"] = host.counters().messages_refused_memory;
  // Of the core: only what has happened, for there are many kinds.
  const auto add = [&](const char* what, std::string_view name, std::uint64_t count) {
    if (count > 0) counters[what + std::string(name)] = count;
  };
  for (std::size_t i = 0; i < kMessageKinds; ++i) {
    add("sent_", kMessageNames[i], host.counters().sent[i]);
    add("received_", kMessageNames[i], host.counters().received[i]);
  }
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    add("dropped_", kDropNames[i], host.counters().drops[i]);
  }
}

}  // namespace

std::string BytesOf(const NodeId& id) {
  std::string bytes(kIdBytes, '\0');
  for (std::size_t i = 0; i < kIdBytes; ++i) {
    bytes[i] = static_cast<char>(id.words[i / 4] >> (24 - 8 * (i % 4)));
  }
  return bytes;
}

std::optional<NodeId> IdOf(const std::string& bytes) {
  if (bytes.size() != kIdBytes) return std::nullopt;
  NodeId id;
  for (std::size_t i = 0; i < kIdBytes; ++i) {
    id.words[i / 4] = (id.words[i / 4] << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return id;
}

std::optional<NodeId> IdOf(const control::Key& key) {
  if (key.what_case() == control::Key::kId) return IdOf(key.id());
  if (key.what_case() != control::Key::kName) return std::nullopt;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(key.name().data()), key.name().size(),
         digest.data());
  return IdOf(std::string(reinterpret_cast<const char*>(digest.data()), kIdBytes));
}

control::Failure FailureOf(const Event& event) {
  const Failed* failed = std::get_if<Failed>(&event);
  if (failed == nullptr) return control::NONE;
  switch (failed->reason) {
    case FailReason::kDeadline:
      return control::DEADLINE;
    case FailReason::kUnreachable:
      return control::UNREACHABLE;
    case FailReason::kNoLinks:
      return control::NO_LINKS;
    case FailReason::kUndialable:
      return control::UNDIALABLE;
    case FailReason::kRefused:
      return control::REFUSED;
    case FailReason::kOverload:
      return control::OVERLOAD;
    case FailReason::kLeft:
      return control::LEFT;
  }
  return control::REFUSED;
}

std::optional<control::Event> ConvertEvent(const Host& host, const Event& event,
                                           const std::string& payload) {
  control::Event converted;
  if (!std::visit(EventFiller{host, payload, converted}, event)) return std::nullopt;
  return converted;
}

void FillStatus(const Host& host, const GrpcTransport& transport, control::StatusReply& reply) {
  reply.set_id(BytesOf(host.self().id));
  reply.set_state(static_cast<control::StatusReply::State>(host.core().state()));
  reply.set_listening(transport.listening());
  for (const std::string& address : host.self().addresses) reply.add_addresses(address);
  reply.set_dialable(host.self().dialable);
  reply.set_reachability(static_cast<control::StatusReply::Reachability>(host.reach()));
  reply.set_connections(static_cast<std::uint32_t>(host.links().connection_count()));
  reply.set_links(static_cast<std::uint32_t>(host.links().kept_count()));
  reply.set_contacts(static_cast<std::uint32_t>(host.core().table().live_count()));
  FillCounters(host, transport, reply);
}

void FillPeers(const Host& host, Time now, control::PeersReply& reply) {
  std::vector<PeerRef> peers;
  host.links().ForEachPeer([&](PeerRef peer) { peers.push_back(peer); });
  std::ranges::sort(peers, {}, [&](PeerRef peer) { return IdOf(host, peer); });
  peers.erase(std::unique(peers.begin(), peers.end()), peers.end());
  for (const PeerRef peer : peers) {
    const Connection* connection = host.links().Find(peer);
    if (connection == nullptr) continue;
    control::PeersReply::Peer& row = *reply.add_peers();
    row.set_id(BytesOf(IdOf(host, peer)));
    row.set_address(connection->address);
    row.set_outbound(connection->outbound);
    row.set_kept(host.links().IsKept(peer));
    if (const Link* link = LinkTo(host, peer)) {
      row.set_rtt_us(static_cast<std::uint64_t>(link->srtt.us));
    }
    row.set_since_ms(static_cast<std::uint64_t>((now - connection->since).us / 1000));
    row.set_queued_bytes(host.links().queued(*connection));
  }
}

void FillTopology(const Host& host, control::TopologyReply& reply) {
  const RoutingTable& table = host.core().table();
  for (int level = 0; level < table.levels(); ++level) {
    if (table.live(level).empty()) continue;
    control::TopologyReply::Bucket& bucket = *reply.add_buckets();
    bucket.set_level(static_cast<std::uint32_t>(level));
    AddIds(host, table.live(level), bucket.mutable_contacts());
  }
  if (const Ring* ring = host.core().ring()) {
    AddIds(host, ring->neighbours().successors(), reply.mutable_successors());
    AddIds(host, ring->neighbours().predecessors(), reply.mutable_predecessors());
  }
  for (const Link& link : host.core().links()) {
    *reply.add_links() = BytesOf(IdOf(host, link.peer));
  }
}

}  // namespace tombolo::node
