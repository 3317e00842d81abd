#include "node/identity.h"

#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "node/file_store.h"
#include "node/openssl_ptr.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;         // a PEM of an Ed25519 key has 119 bytes
constexpr std::size_t kMaxCertificatePem = 4096;  // ours has some 500 bytes
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";

using PublicKey = std::array<std::uint8_t, 32>;

BioPtr Reader(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::optional<PublicKey> PublicKeyOf(const EVP_PKEY* key) {
  PublicKey bytes;
  std::size_t size = bytes.size();
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) != 1 || size != bytes.size()) {
    return std::nullopt;
  }
  return bytes;
}

// Only the public half of the key names it, so equal keys make equal serial numbers.
bool SetSerial(X509* certificate, const NodeId& id) {
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), (id.prefix64() >> 1) | 1U) ==
         1;
}

bool SetName(X509* certificate, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1;
}

// The end is the one that RFC 5280, section 4.1.2.5, gives for "no expiration".
bool SetDates(X509* certificate) {
  return ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20000101000000Z") == 1 &&
         ASN1_TIME_set_string(X509_getm_notAfter(certificate), "99991231235959Z") == 1;
}

absl::StatusOr<std::string> MakeCertificate(EVP_PKEY* key, const NodeId& id) {
  const CertificatePtr certificate(X509_new());
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (certificate == nullptr || out == nullptr ||
      X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !SetSerial(certificate.get(), id) || !SetName(certificate.get(), id.ToHex()) ||
      !SetDates(certificate.get()) || X509_set_pubkey(certificate.get(), key) != 1 ||
      X509_sign(certificate.get(), key, nullptr) == 0 ||
      PEM_write_bio_X509(out.get(), certificate.get()) != 1) {
    return absl::InternalError("cannot make the certificate: " + OpensslError());
  }
  return TextOf(out.get());
}

// Refuses to ask on the terminal for the password of an encrypted key.
int NoPassword(char*, int, int, void*) { return -1; }

absl::Status NamesItself(X509* certificate, const NodeId& id) {
  std::array<char, 64> name{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                             name.data(), static_cast<int>(name.size()));
  if (size != kIdBits / 4 || std::string_view(name.data(), kIdBits / 4) != id.ToHex()) {
    return absl::UnauthenticatedError("the certificate is not named after the id of its key");
  }
  return absl::OkStatus();
}

}  // namespace

NodeId IdOfPublicKey(std::span<const std::uint8_t, 32> key) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(key.data(), key.size(), digest.data());
  NodeId id;
  for (std::size_t i = 0; i < id.words.size() * 4; ++i) {
    id.words[i / 4] = (id.words[i / 4] << 8) | digest[i];
  }
  return id;
}

absl::StatusOr<Identity> Identity::FromKeyPem(std::string_view pem) {
  const BioPtr in = Reader(pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) {
    return absl::InvalidArgumentError("it holds no readable private key: " + OpensslError());
  }
  const std::optional<PublicKey> public_key = PublicKeyOf(key.get());
  if (!public_key) return absl::InvalidArgumentError("its key is not an Ed25519 key");
  const NodeId id = IdOfPublicKey(*public_key);
  absl::StatusOr<std::string> certificate = MakeCertificate(key.get(), id);
  if (!certificate.ok()) return certificate.status();
  return Identity(id, *std::move(certificate), std::string(pem));
}

absl::StatusOr<Identity> Identity::Generate() {
  const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (key == nullptr || out == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return absl::InternalError("cannot make an Ed25519 key: " + OpensslError());
  }
  return FromKeyPem(TextOf(out.get()));
}

absl::StatusOr<Identity> Identity::LoadOrCreate(const std::string& path) {
  const absl::StatusOr<FileContents> file = ReadSmallFile(path, kMaxKeyFile);
  if (absl::IsNotFound(file.status())) {
    absl::StatusOr<Identity> made = Generate();
    if (!made.ok()) return made;
    if (absl::Status written = WriteFileAtomically(path, made->key_pem(), 0600); !written.ok()) {
      return written;
    }
    return made;
  }
  if (!file.ok()) return file.status();
  if ((file->permissions & 077) != 0) {
    std::array<char, 16> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", file->permissions);
    return absl::FailedPreconditionError("the key " + path + " has permissions " + mode.data() +
                                         ", so others may use it: run chmod 600 " + path);
  }
  absl::StatusOr<Identity> identity = FromKeyPem(file->bytes);
  if (identity.ok()) return identity;
  return absl::FailedPreconditionError(
      "the key " + path + " is unusable: " + std::string(identity.status().message()) +
      "; restore it from a backup, or move it away to start with a new id");
}

absl::StatusOr<NodeId> IdOfCertificate(std::string_view pem) {
  if (pem.size() > kMaxCertificatePem) {
    return absl::UnauthenticatedError("the certificate is too long");
  }
  if (pem.find(kBegin) != pem.rfind(kBegin)) {
    return absl::UnauthenticatedError("there is more than one certificate");
  }
  const BioPtr in = Reader(pem);
  const CertificatePtr certificate(PEM_read_bio_X509(in.get(), nullptr, NoPassword, nullptr));
  if (certificate == nullptr) {
    return absl::UnauthenticatedError("not a certificate: " + OpensslError());
  }
  EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  const std::optional<PublicKey> public_key = PublicKeyOf(key);
  if (!public_key) return absl::UnauthenticatedError("the certificate has no Ed25519 key");
  if (X509_verify(certificate.get(), key) != 1) {
    ERR_clear_error();
    return absl::UnauthenticatedError("the certificate is not signed by its own key");
  }
  const NodeId id = IdOfPublicKey(*public_key);
  if (absl::Status named = NamesItself(certificate.get(), id); !named.ok()) return named;
  return id;
}

}  // namespace tombolo::node
