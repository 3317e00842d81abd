#include "node/codec.h"

#include <algorithm>
#include <limits>
#include <string>

#include "node/codec_table.h"

namespace tombolo::node {
namespace {

// The tables of all families in the order of the variant.
template <class... Families>
std::array<KindCodec, kMessageKinds> Concat(const FamilyTable<Families>&... tables) {
  static_assert(std::is_same_v<typename ConcatFamilies<Families...>::Type, AllMessages>,
                "one table per family, in the order of message.h");
  std::array<KindCodec, kMessageKinds> all{};
  auto end = all.begin();
  ((end = std::copy(tables.rows().begin(), tables.rows().end(), end)), ...);
  return all;
}

const std::array<KindCodec, kMessageKinds>& Kinds() {
  static const std::array<KindCodec, kMessageKinds> kinds =
      Concat(KademliaTable(), RelayTable(), RingTable(), GossipTable(), HealTable(), AttachTable());
  return kinds;
}

constexpr std::size_t kMaxCase = 256;
constexpr std::uint8_t kNoKind = std::numeric_limits<std::uint8_t>::max();
static_assert(kMessageKinds < kNoKind);

// Index into Kinds() by the number on the wire.
const std::array<std::uint8_t, kMaxCase>& KindsByCase() {
  static const std::array<std::uint8_t, kMaxCase> by_case = [] {
    std::array<std::uint8_t, kMaxCase> table{};
    table.fill(kNoKind);
    for (std::size_t i = 0; i < kMessageKinds; ++i) {
      table.at(static_cast<std::size_t>(Kinds()[i].kind_case)) = static_cast<std::uint8_t>(i);
    }
    return table;
  }();
  return by_case;
}

absl::Status Refusal(std::size_t kind, DecodeError error) {
  const std::string_view name = kind < kMessageKinds ? kMessageNames[kind] : "message";
  const std::string_view what = kDecodeErrorNames[static_cast<std::size_t>(error)];
  return absl::InvalidArgumentError(std::string(name) + ": " + std::string(what));
}

}  // namespace

void Codec::Encode(const Message& message, wire::Message& out) const {
  Kinds()[message.index()].put(message, Encoder(peers_, lists_, payloads_), out);
}

absl::Status Codec::Decode(wire::Message& in, PeerRef from, Time now, Message& out) {
  const std::size_t kind = KindsByCase()[static_cast<std::size_t>(in.kind_case())];
  Decoder decoder(max_payload_bytes_);
  if (kind == kNoKind) {
    decoder.Fail(DecodeError::kUnknownKind);
  } else {
    Kinds()[kind].get(in, decoder, out);
  }
  if (!decoder.Finish(peers_, lists_, payloads_, from, now)) {
    ++counters_.errors[static_cast<std::size_t>(*decoder.error())];
    return Refusal(kind, *decoder.error());
  }
  counters_.contacts_cut += decoder.contacts_cut();
  return absl::OkStatus();
}

}  // namespace tombolo::node
