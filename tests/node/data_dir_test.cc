#include "node/data_dir.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "node/service_manager.h"
#include "tests/node/scratch_dir.h"

namespace tombolo::node {
namespace {

TEST(DataDirTest, IsMadeForItsOwnerAlone) {
  const ScratchDir scratch;
  ASSERT_TRUE(DataDir::Open(scratch / "a/b").ok());
  struct stat status {};
  ASSERT_EQ(stat((scratch / "a/b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST(DataDirTest, OneUserAtATime) {
  const ScratchDir scratch;
  {
    const auto first = DataDir::Open(scratch / "data");
    ASSERT_TRUE(first.ok()) << first.status();
    const auto second = DataDir::Open(scratch / "data");
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.status().message().find("in use by process " + std::to_string(getpid())),
              std::string::npos)
        << second.status();
  }
  EXPECT_TRUE(DataDir::Open(scratch / "data").ok()) << "the lock ends with its holder";
}

TEST(DataDirTest, FileInPlaceOfTheFolderIsAnErrorThatNamesIt) {
  const ScratchDir scratch;
  std::ofstream(scratch / "data") << "x";
  const auto opened = DataDir::Open(scratch / "data");
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.status().message().find(scratch / "data"), std::string::npos);
}

TEST(DataDirTest, RememberedPeersComeBackInOrder) {
  const ScratchDir scratch;
  const auto data = DataDir::Open(scratch / "data");
  ASSERT_TRUE(data.ok());
  EXPECT_TRUE(data->LoadPeers().empty());
  const std::vector<RememberedPeer> saved = {{NodeId{{2, 0, 0, 0, 0}}, {"b.example:2", "[::1]:3"}},
                                             {NodeId{{1, 0, 0, 0, 0}}, {"a.example:1"}}};
  ASSERT_TRUE(data->SavePeers(saved).ok());
  const std::vector<RememberedPeer> loaded = data->LoadPeers();
  ASSERT_EQ(loaded.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(loaded[i].id, saved[i].id);
    EXPECT_EQ(loaded[i].addresses, saved[i].addresses);
  }
}

TEST(DataDirTest, LinesThatMakeNoSenseAreLeftOut) {
  const ScratchDir scratch;
  const auto data = DataDir::Open(scratch / "data");
  ASSERT_TRUE(data.ok());
  const std::string id = NodeId{{1, 0, 0, 0, 0}}.ToHex();
  std::ofstream(scratch / "data/peers") << "garbage\n\n"
                                        << id << "\n"
                                        << id << " nowhere\n"
                                        << id << " nowhere a.example:1\n"
                                        << id.substr(1) << " a.example:1\n";
  const std::vector<RememberedPeer> loaded = data->LoadPeers();
  ASSERT_EQ(loaded.size(), 1U);
  EXPECT_EQ(loaded[0].addresses, std::vector<std::string>{"a.example:1"});
}

TEST(DataDirTest, HugePeersFileIsAsGoodAsNone) {
  const ScratchDir scratch;
  const auto data = DataDir::Open(scratch / "data");
  ASSERT_TRUE(data.ok());
  std::ofstream(scratch / "data/peers") << std::string((1 << 20) + 1, 'x');
  EXPECT_TRUE(data->LoadPeers().empty());
}

TEST(ServiceManagerTest, HearsWhatItIsTold) {
  const ScratchDir scratch;
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = scratch / "notify";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  NotifyServiceManager("READY=1");
  unsetenv("NOTIFY_SOCKET");
  std::array<char, 64> bytes{};
  const ssize_t size = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  close(fd);
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(bytes.data(), static_cast<std::size_t>(size)), "READY=1");
  NotifyServiceManager("READY=1");  // nobody to tell
}

}  // namespace
}  // namespace tombolo::node
