// What the Put and Get of each kind of message are written in.
//
// Put copies fields to the wire with the help of an Encoder; Get reads them with that of a Decoder.
// A Get does not stop at an error: the decoder keeps the first one, and what follows is read for
// nothing. Contacts, lists and payloads are checked at once but taken only by Finish, when the
// whole message has proved to be good: until then the decoder remembers where they go, so the
// message must stay where it is. Thread rule: one caller at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "node/codec.h"

namespace tombolo::node {

using WireContacts = google::protobuf::RepeatedPtrField<wire::Contact>;

class Encoder {
 public:
  Encoder(const KnownPeers& peers, const ContactLists& lists, const PayloadStore& payloads)
      : peers_(peers), lists_(lists), payloads_(payloads) {}

  static void Id(const NodeId& id, std::string* out) { PutId(id, *out); }
  void Contact(PeerRef peer, wire::Contact* out) const;
  void List(ListHandle list, WireContacts* out) const;

  // The bytes; none for the empty payload.
  std::string Bytes(const Payload& payload) const {
    return payload.empty() ? std::string() : std::string(payloads_.bytes(payload));
  }

 private:
  const KnownPeers& peers_;
  const ContactLists& lists_;
  const PayloadStore& payloads_;
};

class Decoder {
 public:
  explicit Decoder(std::uint32_t max_payload_bytes) : max_payload_bytes_(max_payload_bytes) {}

  void Fail(DecodeError error) {
    if (!error_) error_ = error;
  }
  void Require(bool condition, DecodeError error) {
    if (!condition) Fail(error);
  }
  const std::optional<DecodeError>& error() const { return error_; }

  NodeId Id(const std::string& bytes);

  // A number that fits the field of the core.
  template <class T>
  T Number(std::uint32_t value) {
    Require(value <= std::numeric_limits<T>::max(), DecodeError::kBadRange);
    return static_cast<T>(value);
  }
  template <class E>
  E Enum(std::uint32_t value, E last) {
    Require(value <= static_cast<std::uint32_t>(last), DecodeError::kBadRange);
    return static_cast<E>(value);
  }

  void Contact(bool present, const wire::Contact& in, PeerRef& out);
  void OptionalContact(bool present, const wire::Contact& in, PeerRef& out);
  void List(const WireContacts& in, ListHandle& out, std::size_t most = kMaxListed);
  void Bytes(std::string* in, Payload& out);

  // Takes what the message carries. False, and nothing is taken, after an error.
  bool Finish(KnownPeers& peers, ContactLists& lists, PayloadStore& payloads, PeerRef from,
              Time now);

  // Contacts of the list that had no room.
  std::size_t contacts_cut() const { return contacts_cut_; }

 private:
  static constexpr std::size_t kMaxSingles = 3;  // contacts of one message outside its list

  struct Single {
    const wire::Contact* in = nullptr;
    PeerRef* out = nullptr;
  };

  void Check(const wire::Contact& contact);
  void FinishSingles(KnownPeers& peers, PeerRef from, Time now);
  ListHandle FinishList(KnownPeers& peers, ContactLists& lists, PeerRef from, Time now);

  std::uint32_t max_payload_bytes_;
  std::optional<DecodeError> error_;
  std::array<Single, kMaxSingles> singles_;
  std::size_t single_count_ = 0;
  const WireContacts* list_ = nullptr;
  ListHandle* list_out_ = nullptr;
  std::string* bytes_ = nullptr;
  Payload* bytes_out_ = nullptr;
  std::size_t contacts_cut_ = 0;
};

}  // namespace tombolo::node
