// Keys and certificates for tests, good and forged, through OpenSSL alone.
#pragma once

#include <openssl/pem.h>

#include <string>

#include "node/identity.h"
#include "node/openssl_ptr.h"

namespace tombolo::node {

inline std::string TextOf(const BioPtr& bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

inline std::string PemOf(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(out);
}

inline KeyPtr KeyOf(const Identity& identity) {
  const BioPtr in(BIO_new_mem_buf(identity.key_pem().data(), -1));
  return KeyPtr(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
}

inline KeyPtr NewEcKey() { return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }

// A certificate of `key`'s public half, named `name`, signed by `signer`.
inline std::string CertificateOf(EVP_PKEY* key, EVP_PKEY* signer, const std::string& name) {
  const CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  const bool ed25519 = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519;
  X509_sign(certificate.get(), signer, ed25519 ? nullptr : EVP_sha256());
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate.get());
  return TextOf(out);
}

}  // namespace tombolo::node
