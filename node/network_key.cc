#include "node/network_key.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>

#include "node/file_store.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMinKey = 32;
constexpr std::size_t kMaxKey = 1024;
constexpr std::string_view kLabel = "tombolo network v1";

}  // namespace

std::string MakeNonce() {
  std::string nonce(kNonceBytes, '\0');
  // Fails only if the system has no randomness at all; nothing could be secure then.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(nonce.data()), static_cast<int>(nonce.size())) !=
      1) {
    std::abort();
  }
  return nonce;
}

absl::StatusOr<NetworkKey> NetworkKey::Load(const std::string& path) {
  const absl::StatusOr<FileContents> file = ReadSmallFile(path, kMaxKey + 2);
  if (!file.ok()) return file.status();
  if ((file->permissions & 077) != 0) {
    return absl::FailedPreconditionError("the network key " + path +
                                         " can be read by others: run chmod 600 " + path);
  }
  absl::StatusOr<NetworkKey> key = FromBytes(file->bytes);
  if (key.ok()) return key;
  return absl::FailedPreconditionError("the network key " + path +
                                       " is unusable: " + std::string(key.status().message()));
}

absl::StatusOr<NetworkKey> NetworkKey::FromBytes(std::string_view bytes) {
  bytes = bytes.substr(0, bytes.find_last_not_of(" \t\r\n") + 1);
  if (bytes.size() < kMinKey || bytes.size() > kMaxKey) {
    return absl::InvalidArgumentError("it must have 32 to 1024 bytes, and has " +
                                      std::to_string(bytes.size()));
  }
  return NetworkKey(bytes);
}

std::string NetworkKey::Proof(Side side, const LinkTranscript& link) const {
  std::string text(kLabel);
  text += static_cast<char>(side);
  // All of fixed length, so that no two transcripts read alike.
  text += link.dialler.ToHex() + link.listener.ToHex() + link.dialler_nonce + link.listener_nonce;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), bytes_.data(), static_cast<int>(bytes_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           &size) == nullptr) {
    std::abort();  // only for lack of memory
  }
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

bool NetworkKey::Verify(Side side, const LinkTranscript& link, std::string_view proof) const {
  if (link.dialler_nonce.size() != kNonceBytes || link.listener_nonce.size() != kNonceBytes) {
    return false;
  }
  const std::string wanted = Proof(side, link);
  return proof.size() == wanted.size() &&
         CRYPTO_memcmp(proof.data(), wanted.data(), wanted.size()) == 0;
}

}  // namespace tombolo::node
