// What the table of keys makes of files; the environment and the flags are tested with the program
// (tests/cluster/test_command_line.py).
#include "node/config.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

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

TEST(NodeConfigTest, HelpOfEveryKeyNamesItsDefaultAndTheRangeOfANumber) {
  std::map<std::string, std::string> helps;
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string help = helps[key.name()] = key.description();
    EXPECT_NE(help.find("; default "), std::string::npos) << help;
    const std::vector<std::string> values = key.get(NodeConfig());
    const std::string value = values.empty() || values[0].empty() ? "none" : values[0];
    EXPECT_NE(help.find("default " + value + " ["), std::string::npos) << help;
    EXPECT_EQ(key.range.empty(), key.kind != ConfigKind::kNumber) << help;
    NodeConfig config;
    if (key.kind == ConfigKind::kNumber) {
      EXPECT_EQ(key.set(config, "many"), "a number from " + key.range);
    }
  }
  EXPECT_EQ(helps["limits.links"],
            "that the overlay keeps; 8 to 4096; default 128 [limits.links, TOMBOLO_LIMITS_LINKS]");
  EXPECT_EQ(helps["security.network_key"],
            "file with a private network's key; default none [security.network_key, "
            "TOMBOLO_SECURITY_NETWORK_KEY]");
}

std::vector<std::string> WarningsOf(std::vector<const char*> environment) {
  environment.push_back(nullptr);
  return EnvironmentWarnings(environment.data());
}

TEST(NodeConfigTest, VariablesThatNameNoKeyAreWarnedOf) {
  const auto warning = [](const std::string& name, const std::string& meant) {
    return std::vector{"unknown variable '" + name + "' in the environment; did you mean '" +
                       meant + "'?"};
  };
  EXPECT_EQ(WarningsOf({"TOMBOLO_LINK_LISTEN=secret"}),
            warning("TOMBOLO_LINK_LISTEN", "TOMBOLO_LINKS_LISTEN"));
  EXPECT_EQ(WarningsOf({"TOMBOLO_LIMITS_LINK=1", "TOMBOLO_LIMITS_LINKS=9"}),
            warning("TOMBOLO_LIMITS_LINK", "TOMBOLO_LIMITS_LINKS"));
  EXPECT_EQ(WarningsOf({"TOMBOLO_HTTP_QWERTYUIOP=1"}).size(), 1U) << "of a section that there is";
  EXPECT_EQ(WarningsOf({"TOMBOLO_PEER_RELAY_CLIENT=1"}),
            warning("TOMBOLO_PEER_RELAY_CLIENT", "TOMBOLO_PEER_RELAY_CLIENTS"));
}

TEST(NodeConfigTest, VariablesForOthersAreNoneOfItsBusiness) {
  EXPECT_TRUE(WarningsOf({}).empty());
  for (const ConfigKey& key : ConfigKeys())
    EXPECT_TRUE(WarningsOf({key.environment().c_str()}).empty()) << key.name();
  // Of tomboloctl, of tests, of nobody.
  for (const char* other : {"TOMBOLO_NODE=unix:/run/node", "TOMBOLO_CA=ca.pem",
                            "TOMBOLO_TOKEN_FILE=token", "TOMBOLO_PROGRAMS=/bin",
                            "TOMBOLO_NO_INSTALL=1", "tombolo_links_listn=1", "PATH=/bin", "odd"})
    EXPECT_TRUE(WarningsOf({other}).empty()) << other;
  // Kubernetes, of services named tombolo and tombolo-node.
  for (const char* service :
       {"TOMBOLO_SERVICE_HOST=10.0.0.1", "TOMBOLO_PORT=tcp://10.0.0.1:7400",
        "TOMBOLO_NODE_SERVICE_HOST=10.0.0.1", "TOMBOLO_NODE_SERVICE_PORT=7400",
        "TOMBOLO_NODE_SERVICE_PORT_LINKS=7400", "TOMBOLO_NODE_PORT=tcp://10.0.0.1:7400",
        "TOMBOLO_NODE_PORT_7400_TCP=tcp://10.0.0.1:7400", "TOMBOLO_NODE_PORT_7400_TCP_PROTO=tcp",
        "TOMBOLO_NODE_PORT_7400_TCP_PORT=7400", "TOMBOLO_HTTP_PORT_7402_TCP_ADDR=10.0.0.1"})
    EXPECT_TRUE(WarningsOf({service}).empty()) << service;
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

TEST(NodeConfigTest, AddressesAreThoseThatANodeCanUse) {
  const auto is_good = [](const std::string& section, const std::string& key_and_value) {
    NodeConfig config;
    return ReadConfigText("[" + section + "]\n" + key_and_value, "f.toml", config).ok();
  };
  for (const char* section : {"links", "control", "http", "peer_relay"}) {
    for (const char* good : {"127.0.0.1:0", "[::1]:7", "localhost:1"}) {
      EXPECT_TRUE(is_good(section, std::string("listen = \"") + good + "\"")) << section << good;
    }
    for (const char* bad : {"300.1.1.1:0", "example.invalid:0", "*:17420", "127.0.0.1"}) {
      EXPECT_FALSE(is_good(section, std::string("listen = \"") + bad + "\"")) << section << bad;
    }
  }
  EXPECT_TRUE(is_good("control", "listen = \"unix:" + std::string(107, 'x') + "\""));
  EXPECT_FALSE(is_good("control", "listen = \"unix:" + std::string(108, 'x') + "\""));
  EXPECT_FALSE(is_good("control", "listen = \"unix:\""));
  EXPECT_TRUE(is_good("links", "advertise = [\"10.0.0.1:7400\"]"));
  EXPECT_FALSE(is_good("links", "advertise = [\"0.0.0.0:7400\"]"));
  EXPECT_FALSE(is_good("links", "bootstrap = [\"[::]:7400\"]"));
}

}  // namespace
}  // namespace tombolo::node
