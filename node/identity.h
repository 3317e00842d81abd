// Who a node is: an Ed25519 key, the id that follows from it, and the certificate that proves it.
//
// NodeId = the first 160 bits of SHA-256 of the 32-byte public key. The certificate is self-signed,
// version 3, named after the id (CN = 40 hexadecimal digits) and without end: whoever holds the key
// is the node, so there is nothing that a date or an issuer could add. It is made anew from the key
// at each start and always comes out the same.
//
// Ownership: an Identity holds its key in memory; certificate and key leave it as PEM for the TLS
// library only. Thread rule: immutable once made; IdOfCertificate may be called from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "overlay/node_id.h"

namespace tombolo::node {

class Identity {
 public:
  // Reads the key (PKCS #8 PEM) at `path`; if there is none, makes one with permissions 0600. A
  // file that others may read or write, or that holds anything but one Ed25519 key, is an error
  // that names the file and the cure: a key is never replaced.
  static absl::StatusOr<Identity> LoadOrCreate(const std::string& path);

  // A new key that exists in memory alone.
  static absl::StatusOr<Identity> Generate();

  static absl::StatusOr<Identity> FromKeyPem(std::string_view pem);

  const NodeId& id() const { return id_; }
  const std::string& certificate_pem() const { return certificate_pem_; }
  const std::string& key_pem() const { return key_pem_; }  // secret: never logged

 private:
  Identity(NodeId id, std::string certificate_pem, std::string key_pem)
      : id_(id), certificate_pem_(std::move(certificate_pem)), key_pem_(std::move(key_pem)) {}

  NodeId id_;
  std::string certificate_pem_;
  std::string key_pem_;
};

NodeId IdOfPublicKey(std::span<const std::uint8_t, 32> key);

// The id that a certificate proves, for the verifier of a handshake: TLS itself proves that the
// other side holds the key. Accepts exactly one PEM certificate with an Ed25519 key, signed by that
// key and named after its id; anything else is an error that says what is wrong. Dates are not
// looked at: a wrong clock must not keep a node out.
absl::StatusOr<NodeId> IdOfCertificate(std::string_view pem);

}  // namespace tombolo::node
