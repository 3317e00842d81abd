// The key of a private network: 32 to 1024 secret bytes that all its nodes share. Each side of a
// new link proves that it knows the key without showing it:
//
//   proof = HMAC-SHA256(key, "tombolo network v1" | side | id of the dialler | id of the listener |
//                            nonce of the dialler | nonce of the listener)
//
// Both ids are those that TLS has proven, so a proof cannot be passed on by somebody in the middle;
// both nonces are fresh, so it cannot be used again; the side tells the two proofs apart, so it
// cannot be sent back. Thread rule: immutable once made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "overlay/node_id.h"

namespace tombolo::node {

// What the two proofs of one link have in common.
struct LinkTranscript {
  NodeId dialler;
  NodeId listener;
  std::string dialler_nonce;  // kNonceBytes each
  std::string listener_nonce;
};

inline constexpr std::size_t kNonceBytes = 32;

// Unpredictable bytes.
std::string MakeNonce();

class NetworkKey {
 public:
  // The file's bytes are the key, but for white space at the end. A file that others may read is an
  // error.
  static absl::StatusOr<NetworkKey> Load(const std::string& path);
  static absl::StatusOr<NetworkKey> FromBytes(std::string_view bytes);

  enum class Side : std::uint8_t { kDialler = 1, kListener = 2 };
  std::string Proof(Side side, const LinkTranscript& link) const;
  // In constant time; false for nonces of the wrong length, too.
  bool Verify(Side side, const LinkTranscript& link, std::string_view proof) const;

 private:
  explicit NetworkKey(std::string_view bytes) : bytes_(bytes) {}

  std::string bytes_;
};

}  // namespace tombolo::node
