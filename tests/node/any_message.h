// Messages of every kind with random fields that an honest core might send: for round trips, and as
// the seeds of mutations. Fields are found by reflection, so that a new field of a message is
// filled and compared without anybody's help.
#pragma once

#include <boost/pfr.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "node/codec.h"
#include "overlay/message.h"
#include "overlay/rng.h"

namespace tombolo::node {

// A node's tables, with some peers to speak of.
struct CodecWorld {
  explicit CodecWorld(std::uint64_t seed, std::uint32_t strangers = 40)
      : rng(seed), peers(AnyId()), codec(peers, lists, payloads) {
    const std::vector<std::string> own = {"10.0.0.1:7400"};
    peers.SetSelf(own, true);
    for (std::uint32_t i = 0; i < strangers; ++i) {
      const std::string address = "10.1.0." + std::to_string(i + 1) + ":7400";
      const std::string other = "node-" + std::to_string(i) + ".example.net:80";
      const std::string_view both[] = {address, other};
      const auto count = static_cast<std::size_t>(rng.Below(3));
      refs.push_back(*peers.Name(AnyId(), {both, count}, KnownPeers::self(), Time{}));
    }
  }

  NodeId AnyId() {
    NodeId id;
    for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(rng.Next());
    return id;
  }
  PeerRef AnyRef() { return refs[rng.Below(static_cast<std::uint32_t>(refs.size()))]; }

  Rng rng;
  KnownPeers peers;
  std::vector<PeerRef> refs;
  ContactLists lists;
  PayloadStore payloads;
  Codec codec;
};

// ---- Fields.

template <class T>
constexpr bool kIsArray = false;
template <class T, std::size_t n>
constexpr bool kIsArray<std::array<T, n>> = true;

// The last value of an enum of a message.
constexpr std::uint32_t LastOf(HangupReason) { return 3; }
constexpr std::uint32_t LastOf(ForwardKind) { return 5; }
constexpr std::uint32_t LastOf(UnreachableReason) { return 1; }
constexpr std::uint32_t LastOf(HopStatus) { return 3; }
constexpr std::uint32_t LastOf(StoreStatus) { return 3; }
constexpr std::uint32_t LastOf(MeetKind) { return 2; }

template <class T>
void FillField(T& field, CodecWorld& world) {
  Rng& rng = world.rng;
  if constexpr (std::is_same_v<T, NodeId>) {
    field = world.AnyId();
  } else if constexpr (std::is_same_v<T, PeerRef>) {
    field = world.AnyRef();
  } else if constexpr (std::is_same_v<T, ListHandle>) {
    std::vector<PeerRef> peers(rng.Below(kSketchSize + 1));
    for (PeerRef& peer : peers) peer = world.AnyRef();
    field = world.lists.Add(peers);
  } else if constexpr (std::is_same_v<T, Payload>) {
    std::string bytes(rng.Below(200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.Next());
    field = {};
    const auto size = static_cast<std::uint32_t>(bytes.size());
    if (size > 0) field = world.payloads.Add(size, std::move(bytes));
  } else if constexpr (std::is_same_v<T, Duration>) {
    field = Duration{static_cast<std::int64_t>(rng.Below64(24ULL * 3600 * 1'000'000))};
  } else if constexpr (std::is_same_v<T, Record>) {
    boost::pfr::for_each_field(field, [&](auto& inner) { FillField(inner, world); });
  } else if constexpr (kIsArray<T>) {
    for (auto& element : field) FillField(element, world);
  } else if constexpr (std::is_enum_v<T>) {
    field = static_cast<T>(rng.Below(LastOf(T{}) + 1));
  } else if constexpr (std::is_same_v<T, bool>) {
    field = rng.Below(2) == 1;
  } else {
    static_assert(std::is_unsigned_v<T>);
    field = static_cast<T>(rng.Next());
  }
}

// ---- What fields have to do with each other. What does not travel is as a decoder leaves it.

template <class T, std::size_t n>
void Blank(std::array<T, n>& values, std::size_t used, T blank = {}) {
  for (std::size_t i = used; i < n; ++i) values[i] = blank;
}

template <class Kind>
void Reconcile(Kind&, CodecWorld&) {}

template <class Kind>
void LimitSuccessors(Kind& kind, CodecWorld& world) {
  const auto listed = static_cast<std::uint32_t>(world.lists.Get(kind.contacts).size());
  kind.successors = static_cast<std::uint8_t>(world.rng.Below(listed + 1));
}
inline void Reconcile(RingNeighbours& ring, CodecWorld& world) {
  LimitSuccessors(ring, world);
  if (world.rng.Below(3) == 0) ring.predecessor = PeerRef::kNone;
}
inline void Reconcile(RingLeave& leave, CodecWorld& world) { LimitSuccessors(leave, world); }
inline void Reconcile(MergeMeet& meet, CodecWorld& world) { LimitSuccessors(meet, world); }

inline void Reconcile(IslandProbe& probe, CodecWorld& world) {
  Blank(probe.ages, world.lists.Get(probe.contacts).size());
}
inline void Reconcile(IslandReply& reply, CodecWorld& world) {
  Blank(reply.ages, world.lists.Get(reply.contacts).size());
}
inline void Reconcile(Evict& evict, CodecWorld& world) {
  evict.count = static_cast<std::uint8_t>(world.rng.Below(kMaxAlternatives + 1));
  Blank(evict.alternatives, evict.count, PeerRef::kNone);
}
inline void Reconcile(GossipHave& have, CodecWorld& world) {
  have.count = static_cast<std::uint8_t>(world.rng.Below(kMaxAnnounced + 1));
  Blank(have.keys, have.count);
  Blank(have.hops, have.count);
}
inline void Reconcile(GossipGraft& graft, CodecWorld& world) {
  graft.count = static_cast<std::uint8_t>(world.rng.Below(kMaxGrafted + 1));
  Blank(graft.keys, graft.count);
}

// Sets a count of entries and returns the bits that stand for them.
template <class Kind>
std::uint8_t CountEntries(Kind& kind, CodecWorld& world) {
  kind.count = static_cast<std::uint8_t>(world.rng.Below(Kind::kMaxEntries + 1));
  return static_cast<std::uint8_t>((1U << kind.count) - 1);
}
inline void Reconcile(LeaseUpdate& update, CodecWorld& world) {
  const std::uint8_t used = CountEntries(update, world);
  update.rooms = update.rooms & used;
  update.ends = update.ends & used;
  Blank(update.keys, update.count);
  Blank(update.sequences, update.count);
}
inline void Reconcile(LeaseCrowded& crowded, CodecWorld& world) {
  crowded.rooms = crowded.rooms & CountEntries(crowded, world);
  Blank(crowded.keys, crowded.count);
}
inline void Reconcile(RoomVersions& versions, CodecWorld& world) {
  CountEntries(versions, world);
  Blank(versions.rooms, versions.count);
  Blank(versions.versions, versions.count);
}
inline void Reconcile(LeaseAck& ack, CodecWorld&) {
  ack.refused = ack.refused & 3;
  ack.outdated = ack.outdated & 3;
}
inline void Reconcile(RoomMembers& members, CodecWorld& world) {
  members.first = static_cast<std::uint16_t>(world.rng.Below(5));
  members.total = static_cast<std::uint16_t>(world.rng.Below(5));
  Blank(members.members, members.entries());
}

// ---- Whole messages.

template <class Kind>
Message AnyOf(CodecWorld& world) {
  Kind kind{};
  boost::pfr::for_each_field(kind, [&](auto& field) { FillField(field, world); });
  Reconcile(kind, world);
  return kind;
}

// A message of the kind with this index in the variant.
inline Message AnyMessageOf(std::size_t kind, CodecWorld& world) {
  return [&]<class... Kinds>(MessageFamily<Kinds...>) {
    using Make = Message (*)(CodecWorld&);
    constexpr std::array<Make, kMessageKinds> kMakers = {&AnyOf<Kinds>...};
    return kMakers[kind](world);
  }(AllMessages{});
}

template <class T>
bool SameField(const T& a, const T& b, const CodecWorld& world) {
  if constexpr (std::is_same_v<T, ListHandle>) {
    const auto x = world.lists.Get(a), y = world.lists.Get(b);
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
  } else if constexpr (std::is_same_v<T, Payload>) {
    if (a.empty() || b.empty()) return a.empty() == b.empty();
    return a.bytes == b.bytes && world.payloads.bytes(a) == world.payloads.bytes(b);
  } else if constexpr (std::is_same_v<T, Record>) {
    return a.key == b.key && SameField(a.payload, b.payload, world) && a.sequence == b.sequence &&
           a.ttl == b.ttl;
  } else {
    return a == b;
  }
}

// Field by field, lists and payloads by their contents.
inline bool SameMessage(const Message& a, const Message& b, const CodecWorld& world) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&]<class Kind>(const Kind& first) {
        const Kind& second = std::get<Kind>(b);
        return [&]<std::size_t... i>(std::index_sequence<i...>) {
          return (SameField(boost::pfr::get<i>(first), boost::pfr::get<i>(second), world) && ...);
        }
        (std::make_index_sequence<boost::pfr::tuple_size_v<Kind>>());
      },
      a);
}

inline void Discard(const Message& message, CodecWorld& world) {
  world.lists.Release(ListOf(message));
  world.payloads.Release(PayloadOf(message));
}

}  // namespace tombolo::node
