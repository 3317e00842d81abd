#include "node/control_guard.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

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
  EXPECT_FALSE(CheckCertificate("/nowhere/c.pem", "/nowhere/k.pem").ok());
  const absl::Status none = CheckCertificate(scratch / "c.pem", scratch / "c.pem");
  EXPECT_NE(std::string(none.message()).find("is no certificate"), std::string::npos);
}

}  // namespace
}  // namespace tombolo::node
