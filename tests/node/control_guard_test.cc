#include "node/control_guard.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "node/control_certificate.h"
#include "tests/node/certificates.h"
#include "tests/node/scratch_dir.h"

namespace tombolo::node {
namespace {

constexpr std::string_view kToken = "0123456789abcdef";

TEST(ControlGuard, AdmitsTheTokenAndNothingElse) {
  ControlGuard guard(kToken);
  EXPECT_TRUE(guard.Admits("Bearer 0123456789abcdef"));
  for (const char* header :
       {"", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdef ",
        "bearer 0123456789abcdef", "0123456789abcdef", "Basic 0123456789abcdef"}) {
    EXPECT_FALSE(guard.Admits(header)) << header;
  }
  EXPECT_EQ(guard.refused(), 7U);
}

TEST(ControlGuard, ANewTokenTakesThePlaceOfTheOld) {
  ControlGuard guard(kToken);
  guard.SetToken("another token of mine");
  EXPECT_FALSE(guard.Admits("Bearer 0123456789abcdef"));
  EXPECT_TRUE(guard.Admits("Bearer another token of mine"));
}

// No token is no password, even for who presents none.
TEST(ControlGuard, AnEmptyBearerIsNoToken) {
  ControlGuard guard("");
  EXPECT_FALSE(guard.Admits(""));
}

class TokenFile : public testing::Test {
 protected:
  std::string Write(const std::string& text, mode_t mode) {
    const std::string path = scratch_ / "token";
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  ScratchDir scratch_;
};

TEST_F(TokenFile, ItsFirstLineIsTheToken) {
  EXPECT_EQ(ReadToken(Write("0123456789abcdef\r\nmore\n", 0600)).value(), kToken);
}

TEST_F(TokenFile, MustBeLongEnoughAndPrivate) {
  EXPECT_EQ(ReadToken(Write("short\n", 0600)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const absl::Status open = ReadToken(Write("0123456789abcdef", 0644)).status();
  EXPECT_NE(std::string(open.message()).find("chmod 600"), std::string::npos);
  EXPECT_EQ(std::string(open.message()).find("0123456789abcdef"), std::string::npos);
  EXPECT_FALSE(ReadToken("/nowhere/token").ok());
}

TEST(Certificate, FilesThatAreNoneAreNamed) {
  ScratchDir scratch;
  std::ofstream(scratch / "c.pem") << "hello";
  EXPECT_FALSE(ReadCertificate("/nowhere/c.pem", "/nowhere/k.pem").ok());
  const absl::Status none = ReadCertificate(scratch / "c.pem", scratch / "c.pem").status();
  EXPECT_NE(std::string(none.message()).find("is no certificate"), std::string::npos);
}

class CertificateFiles : public testing::Test {
 protected:
  absl::StatusOr<CertificatePair> Read(const std::string& chain, const std::string& key) {
    std::ofstream(scratch_ / "c.pem") << chain;
    std::ofstream(scratch_ / "k.pem") << key;
    return ReadCertificate(scratch_ / "c.pem", scratch_ / "k.pem");
  }
  std::string Complaint(const std::string& chain, const std::string& key) {
    return std::string(Read(chain, key).status().message());
  }

  const KeyPtr key_ = NewEcKey();
  const std::string good_ = CertificateOf(key_.get(), key_.get(), "node");

 private:
  ScratchDir scratch_;
};

TEST_F(CertificateFiles, AChainAndItsKeyAreAPair) {
  const KeyPtr authority = NewEcKey();
  const std::string chain = good_ + CertificateOf(authority.get(), authority.get(), "ca");
  const absl::StatusOr<CertificatePair> pair = Read(chain, PemOf(key_.get()));
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->chain, chain);
  EXPECT_EQ(pair->key, PemOf(key_.get()));
}

TEST_F(CertificateFiles, WhatCannotBeServedIsNamed) {
  const std::string key = PemOf(key_.get());
  EXPECT_NE(Complaint(good_.substr(0, 100), key).find("c.pem is no certificate"),
            std::string::npos);
  const std::string spoiled = good_ + good_.substr(0, good_.size() / 2);
  EXPECT_NE(Complaint(spoiled, key).find("c.pem is no chain of certificates"), std::string::npos);
  EXPECT_NE(Complaint(good_, good_).find("k.pem is no key"), std::string::npos);
  EXPECT_NE(Complaint(good_, PemOf(NewEcKey().get())).find("k.pem is not the key of"),
            std::string::npos);
}

// A password is never asked for: nobody is there to give it.
TEST_F(CertificateFiles, EncryptedKeysAreRefused) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  char password[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), EVP_aes_128_cbc(), password, 6, nullptr,
                                nullptr);
  EXPECT_NE(Complaint(good_, TextOf(out)).find("k.pem is no key"), std::string::npos);
}

std::string BytesOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(MemoryFile, HasTheBytesThatItWasGivenLast) {
  std::string path;
  {
    MemoryFile file;
    ASSERT_TRUE(file.Become(*MemoryFile::Make("first, and longer")).ok());
    path = file.path();
    EXPECT_EQ(BytesOfFile(path), "first, and longer");
    std::ifstream before(path);
    ASSERT_TRUE(file.Become(*MemoryFile::Make("second")).ok());
    EXPECT_EQ(file.path(), path);
    EXPECT_EQ(BytesOfFile(path), "second");
    std::string old;
    std::getline(before, old);
    EXPECT_EQ(old, "first, and longer") << "whoever had begun to read goes on";
  }
  EXPECT_FALSE(std::ifstream(path).is_open());
}

}  // namespace
}  // namespace tombolo::node
