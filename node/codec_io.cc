#include "node/codec_io.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tombolo::node {
namespace {

std::optional<PeerRef> NameContact(const wire::Contact& contact, KnownPeers& peers, PeerRef from,
                                   Time now) {
  std::array<std::string_view, kMaxAddresses> addresses;
  std::copy(contact.addresses().begin(), contact.addresses().end(), addresses.begin());
  const auto count = static_cast<std::size_t>(contact.addresses_size());
  return peers.Name(GetId(contact.id()), {addresses.data(), count}, from, now);
}

}  // namespace

void PutId(const NodeId& id, std::string& bytes) {
  bytes.resize(kIdBytes);
  for (std::size_t i = 0; i < kIdBytes; ++i) {
    bytes[i] = static_cast<char>(id.words[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
  }
}

NodeId GetId(std::string_view bytes) {
  assert(bytes.size() == kIdBytes);
  NodeId id;
  for (std::size_t i = 0; i < kIdBytes; ++i) {
    id.words[i / 4] = id.words[i / 4] << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return id;
}

void Encoder::Contact(PeerRef peer, wire::Contact* out) const {
  PutId(peers_.ids().id(peer), *out->mutable_id());
  if (!peers_.ids().dialable(peer)) return;
  for (const KnownPeers::Address& address : peers_.addresses(peer)) {
    out->add_addresses(address.text);
  }
}

void Encoder::List(ListHandle list, WireContacts* out) const {
  const std::span<const PeerRef> peers = lists_.Get(list);
  out->Reserve(static_cast<int>(peers.size()));
  for (const PeerRef peer : peers) Contact(peer, out->Add());
}

NodeId Decoder::Id(const std::string& bytes) {
  if (bytes.size() == kIdBytes) return GetId(bytes);
  Fail(DecodeError::kBadId);
  return {};
}

void Decoder::Check(const wire::Contact& contact) {
  Require(contact.id().size() == kIdBytes, DecodeError::kBadId);
  Require(static_cast<std::size_t>(contact.addresses_size()) <= kMaxAddresses,
          DecodeError::kBadCount);
  for (const std::string& address : contact.addresses()) {
    Require(IsAddress(address), DecodeError::kBadAddress);
  }
}

void Decoder::Contact(bool present, const wire::Contact& in, PeerRef& out) {
  Require(present, DecodeError::kMissing);
  OptionalContact(present, in, out);
}

void Decoder::OptionalContact(bool present, const wire::Contact& in, PeerRef& out) {
  out = PeerRef::kNone;
  if (!present) return;
  assert(single_count_ < kMaxSingles);
  Check(in);
  singles_[single_count_++] = {&in, &out};
}

void Decoder::List(const WireContacts& in, ListHandle& out, std::size_t most) {
  out = ListHandle::kEmpty;
  if (static_cast<std::size_t>(in.size()) > most) return Fail(DecodeError::kBadCount);
  for (const wire::Contact& contact : in) Check(contact);
  list_ = &in;
  list_out_ = &out;
}

void Decoder::Bytes(std::string* in, Payload& out) {
  out = {};
  Require(in->size() <= max_payload_bytes_, DecodeError::kTooLarge);
  bytes_ = in;
  bytes_out_ = &out;
}

bool Decoder::Finish(KnownPeers& peers, ContactLists& lists, PayloadStore& payloads, PeerRef from,
                     Time now) {
  if (!error_) FinishSingles(peers, from, now);
  if (error_) return false;
  if (list_ != nullptr) *list_out_ = FinishList(peers, lists, from, now);
  if (bytes_ != nullptr && !bytes_->empty()) {
    const auto size = static_cast<std::uint32_t>(bytes_->size());
    *bytes_out_ = payloads.Add(size, std::move(*bytes_));
  }
  return true;
}

void Decoder::FinishSingles(KnownPeers& peers, PeerRef from, Time now) {
  const auto first = singles_.begin();
  const auto end = first + static_cast<std::ptrdiff_t>(single_count_);
  const auto newcomers = std::count_if(
      first, end, [&](const Single& single) { return !peers.ids().Find(GetId(single.in->id())); });
  if (!peers.HasRoom(static_cast<std::size_t>(newcomers), from, now))
    return Fail(DecodeError::kNoRoom);
  for (auto single = first; single != end; ++single) {
    *single->out = NameContact(*single->in, peers, from, now).value();
  }
}

ListHandle Decoder::FinishList(KnownPeers& peers, ContactLists& lists, PeerRef from, Time now) {
  std::array<PeerRef, kMaxListed> named;
  std::size_t count = 0;
  for (const wire::Contact& contact : *list_) {
    const std::optional<PeerRef> peer = NameContact(contact, peers, from, now);
    if (!peer) {
      contacts_cut_ = static_cast<std::size_t>(list_->size()) - count;
      break;
    }
    named[count++] = *peer;
  }
  return lists.Add({named.data(), count});
}

}  // namespace tombolo::node
