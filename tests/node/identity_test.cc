#include "node/identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/node/certificates.h"
#include "tests/node/scratch_dir.h"

namespace tombolo::node {
namespace {

namespace fs = std::filesystem;

class IdentityTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return scratch_ / name; }
  static void Write(const std::string& path, const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }
  static std::string Read(const std::string& path) {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  ScratchDir scratch_;
};

TEST_F(IdentityTest, FirstStartMakesAKeyForItsOwnerAlone) {
  const auto made = Identity::LoadOrCreate(Path("key.pem"));
  ASSERT_TRUE(made.ok()) << made.status();
  struct stat status {};
  ASSERT_EQ(stat(Path("key.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_FALSE(fs::exists(Path("key.pem.new")));
}

TEST_F(IdentityTest, SecondStartIsTheSameNodeWithTheSameCertificate) {
  const auto first = Identity::LoadOrCreate(Path("key.pem"));
  const auto second = Identity::LoadOrCreate(Path("key.pem"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->id(), second->id());
  EXPECT_EQ(first->certificate_pem(), second->certificate_pem());
}

TEST_F(IdentityTest, UmaskDoesNotWidenOrNarrowTheKey) {
  const mode_t before = umask(0);
  const auto made = Identity::LoadOrCreate(Path("key.pem"));
  umask(before);
  ASSERT_TRUE(made.ok());
  struct stat status {};
  ASSERT_EQ(stat(Path("key.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(IdentityTest, IdIsTheStartOfTheHashOfThePublicKey) {
  // Key of RFC 8032, section 7.1, test 1; hash by sha256sum.
  constexpr std::array<std::uint8_t, 32> kKey = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7,
                                                 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
                                                 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25,
                                                 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
  EXPECT_EQ(IdOfPublicKey(kKey).ToHex(), "21fe31dfa154a261626bf854046fd2271b7bed4b");
}

TEST_F(IdentityTest, KeyThatOthersMayReadIsRefusedWithTheCure) {
  ASSERT_TRUE(Identity::LoadOrCreate(Path("key.pem")).ok());
  for (const mode_t mode : {0640U, 0604U, 0660U, 0644U}) {
    ASSERT_EQ(chmod(Path("key.pem").c_str(), mode), 0);
    const auto loaded = Identity::LoadOrCreate(Path("key.pem"));
    ASSERT_FALSE(loaded.ok());
    EXPECT_NE(loaded.status().message().find("chmod 600 " + Path("key.pem")), std::string::npos)
        << loaded.status();
  }
}

TEST_F(IdentityTest, GarbageIsRefusedAndNeverReplaced) {
  const std::string truncated = Identity::Generate().value().key_pem().substr(0, 60);
  for (const std::string& text :
       {std::string(), std::string("garbage\n"), truncated, std::string(5000, 'x')}) {
    Write(Path("key.pem"), text);
    const auto loaded = Identity::LoadOrCreate(Path("key.pem"));
    ASSERT_FALSE(loaded.ok());
    EXPECT_NE(loaded.status().message().find(Path("key.pem")), std::string::npos);
    EXPECT_EQ(Read(Path("key.pem")), text);
  }
}

TEST_F(IdentityTest, KeyOfAnotherKindIsRefused) {
  Write(Path("key.pem"), PemOf(NewEcKey().get()));
  const auto loaded = Identity::LoadOrCreate(Path("key.pem"));
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.status().message().find("not an Ed25519 key"), std::string::npos);
}

TEST_F(IdentityTest, DirectoryInPlaceOfTheKeyIsAnError) {
  fs::create_directory(Path("key.pem"));
  EXPECT_FALSE(Identity::LoadOrCreate(Path("key.pem")).ok());
}

TEST_F(IdentityTest, MissingDirectoryIsAnErrorThatNamesIt) {
  const auto made = Identity::LoadOrCreate(Path("no/key.pem"));
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.status().message().find("no/key.pem"), std::string::npos);
}

TEST_F(IdentityTest, CrashWhileTheKeyWasWrittenLeavesNothingInTheWay) {
  Write(Path("key.pem.new"), "half a key", 0644);  // what a crash before the rename leaves
  const auto made = Identity::LoadOrCreate(Path("key.pem"));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(Read(Path("key.pem")), made->key_pem());
  EXPECT_FALSE(fs::exists(Path("key.pem.new")));
  struct stat status {};
  ASSERT_EQ(stat(Path("key.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(CertificateTest, OwnCertificateProvesTheId) {
  const Identity identity = Identity::Generate().value();
  const auto id = IdOfCertificate(identity.certificate_pem());
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(*id, identity.id());
}

TEST(CertificateTest, AnotherNodesNameIsRefused) {
  const Identity victim = Identity::Generate().value();
  const Identity liar = Identity::Generate().value();
  const KeyPtr key = KeyOf(liar);
  EXPECT_FALSE(IdOfCertificate(CertificateOf(key.get(), key.get(), victim.id().ToHex())).ok());
  EXPECT_TRUE(IdOfCertificate(CertificateOf(key.get(), key.get(), liar.id().ToHex())).ok());
}

TEST(CertificateTest, AnotherNodesKeySignedByOneselfIsRefused) {
  const Identity victim = Identity::Generate().value();
  const KeyPtr theirs = KeyOf(victim);
  const KeyPtr own = KeyOf(Identity::Generate().value());
  const auto id = IdOfCertificate(CertificateOf(theirs.get(), own.get(), victim.id().ToHex()));
  ASSERT_FALSE(id.ok());
  EXPECT_NE(id.status().message().find("not signed by its own key"), std::string::npos);
}

TEST(CertificateTest, OtherKindsOfKeysAreRefused) {
  const KeyPtr key = NewEcKey();
  const auto id = IdOfCertificate(CertificateOf(key.get(), key.get(), NodeId{}.ToHex()));
  ASSERT_FALSE(id.ok());
  EXPECT_NE(id.status().message().find("no Ed25519 key"), std::string::npos);
}

TEST(CertificateTest, AnythingButOneCertificateIsRefused) {
  const std::string good = Identity::Generate().value().certificate_pem();
  EXPECT_FALSE(IdOfCertificate("").ok());
  EXPECT_FALSE(IdOfCertificate("garbage").ok());
  EXPECT_FALSE(IdOfCertificate(good + good).ok());
  EXPECT_FALSE(IdOfCertificate(good.substr(0, good.size() / 2)).ok());
  EXPECT_FALSE(IdOfCertificate(good + std::string(5000, ' ')).ok());
  std::string changed = good;
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(IdOfCertificate(changed).ok());
}

}  // namespace
}  // namespace tombolo::node
