// What the table of keys makes of files; the environment and the flags are tested with the program
// (tests/cluster/test_command_line.py).
#include "node/config.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tombolo::node {
namespace {

TEST(NodeConfigTest, EveryKeyHasOneNameOneFlagAndOneVariable) {
  std::set<std::string> names;
  std::set<std::string> flags;
  std::set<std::string> variables;
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(names.insert(key.name()).second) << key.name();
    EXPECT_TRUE(flags.insert(key.flag()).second) << key.flag();
    EXPECT_TRUE(variables.insert(key.environment()).second) << key.environment();
    EXPECT_FALSE(key.help.empty()) << key.name();
  }
}

TEST(NodeConfigTest, FileSetsWhatItNames) {
  NodeConfig config;
  const absl::Status read = ReadConfigText(R"(
[node]
data_dir = "/var/lib/tombolo"
drain_timeout_s = 30
[links]
listen = "[::]:7400"
bootstrap = ["a.example:7400", "b.example:7401"]
[security]
insecure = true
[limits]
links = 64
)",
                                           "node.toml", config);
  ASSERT_TRUE(read.ok()) << read;
  EXPECT_EQ(config.data_dir, "/var/lib/tombolo");
  EXPECT_EQ(config.drain_timeout_s, 30);
  EXPECT_EQ(config.listen, "[::]:7400");
  EXPECT_EQ(config.bootstrap, (std::vector<std::string>{"a.example:7400", "b.example:7401"}));
  EXPECT_TRUE(config.insecure);
  EXPECT_EQ(config.links, 64);
  EXPECT_EQ(config.control, "127.0.0.1:7401") << "as it was";
}

TEST(NodeConfigTest, LaterSourceReplacesAList) {
  NodeConfig config;
  ASSERT_TRUE(ReadConfigText("[links]\nbootstrap = [\"a:1\", \"b:2\"]", "1", config).ok());
  ASSERT_TRUE(ReadConfigText("[links]\nbootstrap = [\"c:3\"]", "2", config).ok());
  EXPECT_EQ(config.bootstrap, std::vector<std::string>{"c:3"});
}

TEST(NodeConfigTest, ErrorsNameFileLineAndWhatIsAllowed) {
  const auto message = [](const std::string& text) {
    NodeConfig config;
    return std::string(ReadConfigText(text, "f.toml", config).message());
  };
  EXPECT_EQ(message("[node]\nlog_level = \"loud\""),
            "f.toml:2: node.log_level must be one of trace, debug, info, warning, error, off, not "
            "'loud'");
  EXPECT_EQ(message("[link]\nlisten = \"a:1\""),
            "f.toml:2: unknown key 'link.listen'; did you mean 'links.listen'?");
  EXPECT_EQ(message("[security]\ninsecure = 1"),
            "f.toml:2: security.insecure must be true or false");
  EXPECT_EQ(message("[links]\nadvertise = [1]"), "f.toml:2: links.advertise must be a text");
  EXPECT_TRUE(message("[links").starts_with("f.toml:1: "));
}

}  // namespace
}  // namespace tombolo::node
