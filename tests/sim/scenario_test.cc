#include "sim/scenario.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "sim/scenario_keys.h"

namespace tombolo::sim {
namespace {

absl::StatusOr<Scenario> Parse(const std::string& text,
                               const std::vector<std::string>& settings = {}) {
  return ParseScenario(text, "x.toml", settings);
}

std::string ErrorOf(const std::string& text, const std::vector<std::string>& settings = {}) {
  return std::string(Parse(text, settings).status().message());
}

TEST(Scenario, EmptyTextGivesDefaults) {
  const auto scenario = Parse("");
  ASSERT_TRUE(scenario.ok());
  EXPECT_EQ(scenario->world.peers, 1000U);
  EXPECT_EQ(scenario->world.core.table.k, 20);
  EXPECT_EQ(scenario->duration, Duration::Seconds(60));
  EXPECT_TRUE(scenario->workloads.empty());
}

constexpr char kEverySection[] = R"(
peers = 10_000
seed = 7
overlay = "kademlia"
start = "join"
loss = 0.25
warmup_s = 1.5
[kademlia]
k = 8
alpha = 5
rpc_timeout_ms = 0.5e3
policy = "replace_oldest"
[links]
per_bucket = 2
[relay]
ttl = 9
[store]
quorum = 2
[latency]
model = "lognormal"
median_ms = 20
[bandwidth]
model = "fixed"
up_bytes_per_s = 1000
[churn]
model = "weibull"
shape = 0.75
mean_s = 100
[heal]
strategy = "gossip"
fanout = 3
probe_interval_s = 12.5
queue_interval_ms = 20
[[workload]]
kind = "put"
rate_per_s = 3
spacing = "fixed"
[[workload]]
kind = "send"
copies = 2
[[at]]
time_s = 9
join = 5
[[at]]
time_s = 3
crash = 0.5
[expect]
send_success = 0.9
[report]
series_s = 2
)";

TEST(Scenario, ReadsEverySectionOfTheWorld) {
  const auto scenario = Parse(kEverySection);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const WorldOptions& world = scenario->world;
  EXPECT_EQ(world.peers, 10'000U);
  EXPECT_EQ(world.seed, 7U);
  EXPECT_EQ(world.start, StartMode::kJoin);
  EXPECT_EQ(world.loss, 0.25);
  EXPECT_EQ(scenario->warmup, Duration::Milliseconds(1500));
  EXPECT_EQ(world.core.table.k, 8);
  EXPECT_EQ(world.core.lookup.alpha, 5);
  EXPECT_EQ(world.core.lookup.rpc_timeout, Duration::Milliseconds(500));
  EXPECT_EQ(world.core.table.policy, BucketPolicy::kReplaceOldest);
  EXPECT_EQ(world.core.links.per_bucket, 2);
  EXPECT_EQ(world.core.relay.ttl, 9);
  EXPECT_EQ(world.core.store.quorum, 2);
  EXPECT_EQ(world.latency.model, LatencyModel::kLognormal);
  EXPECT_EQ(world.latency.median, Duration::Milliseconds(20));
  EXPECT_EQ(world.bandwidth.model, BandwidthModel::kFixed);
  EXPECT_EQ(world.bandwidth.up_bytes_per_s, 1000U);
  EXPECT_EQ(world.churn.model, ChurnModel::kWeibull);
  EXPECT_EQ(world.churn.shape, 0.75);
  EXPECT_EQ(world.core.heal.strategy, MergeStrategy::kGossip);
  EXPECT_EQ(world.core.heal.fanout, 3);
  EXPECT_EQ(world.core.heal.probe_interval, Duration::Milliseconds(12'500));
  EXPECT_EQ(world.core.heal.queue_interval, Duration::Milliseconds(20));
}

TEST(Scenario, ReadsEverySectionOfLoadAndReport) {
  const auto scenario = Parse(kEverySection);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_EQ(scenario->workloads.size(), 2U);
  EXPECT_EQ(scenario->workloads[0].kind, OperationKind::kPut);
  EXPECT_EQ(scenario->workloads[0].spacing, Spacing::kFixed);
  EXPECT_EQ(scenario->workloads[1].kind, OperationKind::kSend);
  EXPECT_EQ(scenario->workloads[1].copies, 2);
  ASSERT_EQ(scenario->actions.size(), 2U);
  EXPECT_EQ(scenario->actions[0].crash, 0.5) << "actions are sorted by time";
  EXPECT_EQ(scenario->actions[1].join, 5U);
  EXPECT_EQ(scenario->expect.send_success, 0.9);
  EXPECT_EQ(scenario->report.series, Duration::Seconds(2));
}

TEST(Scenario, ErrorsNameFileLineKeyAndWhatIsAllowed) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"\n[kademlia]\nkk = 3\n",
       "x.toml:3: unknown key 'kademlia.kk'; allowed in [kademlia]: k, alpha, backups, "
       "rpc_timeout_ms, max_active, "
       "replacements, group_max, policy, check_interval_s, refresh_interval_s; did you mean 'k'?"},
      {"[kademlia]\nk = 65", "x.toml:2: kademlia.k is 65; allowed is a whole number, 1 to 64"},
      {"[kademlia]\nk = 8.5", "x.toml:2: kademlia.k is 8.5; allowed is a whole number, 1 to 64"},
      {"loss = \"much\"", "x.toml:1: loss is \"much\"; allowed is a number, 0 to 1"},
      {"loss = nan", "x.toml:1: loss is nan; allowed is a number, 0 to 1"},
      {"peers = [1]", "x.toml:1: peers is [1]; allowed is a whole number, 1 to 67108864"},
      {"duration_s = -1", "x.toml:1: duration_s is -1; allowed is a number, 0 to 31536000 s"},
      {"overlay = \"pastry\"",
       "x.toml:1: overlay is \"pastry\"; allowed is \"kademlia\" | \"chord\" | \"both\""},
      {"start = \"buit\"", "x.toml:1: start is \"buit\"; allowed is \"built\" | \"join\""},
      {"[heal]\nstrategy = \"glue\"",
       "x.toml:2: heal.strategy is \"glue\"; allowed is \"zip\" | \"gossip\" | \"simple\""},
      {"[heal]\nremember_after_s = 20\nremember_for_s = 10",
       "x.toml:3: heal.remember_for = 10000000 us is out of range: allowed is 20000000 to "
       "31536000000000 us"},
      {"\n[workload]\nkind = \"send\"", "x.toml:2: write [[workload]] instead of [workload]"},
      {"[[kademlia]]\nk = 8", "x.toml:1: write [kademlia] instead of [[kademlia]]"},
      {"peers = 5\nworkload = 5", "x.toml:2: 'workload' is a section; allowed is [[workload]]"},
      {"kademlia = 5", "x.toml:1: 'kademlia' is a section; allowed is [kademlia]"},
      {"[kademlia]\n\"\" = 5",
       "x.toml:2: unknown key 'kademlia.'; allowed in [kademlia]: k, alpha, backups, "
       "rpc_timeout_ms, max_active, "
       "replacements, group_max, policy, check_interval_s, refresh_interval_s"},
      {"\npeers = 1_000_000\n[churn]\nmodel = \"exponential\"\nmean_s = 0.001",
       "x.toml:5: churn.mean_s = 0.001: allowed is at least 10 with 1000000 peers, of whom "
       "100000 a second would be replaced"},
      {"[[at]]\ntime_s = 1",
       "x.toml:1: this [[at]] does nothing; give one of crash, leave, join, "
       "heal, partition, isolate, cut, cut_one_way, bridge, bridges"},
      {"peers = 5\n[links]\nmax_links = 10\nreserved = 11",
       "x.toml:4: links.reserved = 11 is out of range: allowed is 0 to 10"},
      {"overlay = \"chord\"\n[[workload]]\nkind = \"put\"",
       "x.toml:3: kind = \"put\": allowed only with overlay = \"kademlia\" | \"both\"; a ring on "
       "its "
       "own keeps nothing"},
      {"overlay = \"chord\"\n[[workload]]\n[[workload]]\nrate_per_s = 5\nkind = \"get\"",
       "x.toml:5: kind = \"get\": allowed only with overlay = \"kademlia\" | \"both\"; a ring on "
       "its "
       "own keeps nothing"},
      {"overlay = \"chord\"\n[[workload]]\nkind = \"attach\"",
       "x.toml:3: kind = \"attach\": allowed only with overlay = \"kademlia\" | \"both\"; a ring "
       "on "
       "its own keeps nothing"},
      {"[latency]\nmodel = \"matrix\"\n",
       "x.toml:1: latency.file = \"\": model matrix needs a file of round-trip times"},
  };
  for (const auto& [text, error] : kCases) EXPECT_EQ(ErrorOf(text), error) << text;
}

TEST(Scenario, UnknownSectionsAndBrokenTomlAreErrors) {
  EXPECT_TRUE(ErrorOf("[kademla]\nk = 1")
                  .starts_with("x.toml:1: unknown section 'kademla'; allowed: kademlia, "));
  EXPECT_TRUE(ErrorOf("[kademla]\nk = 1").ends_with("did you mean 'kademlia'?"));
  EXPECT_TRUE(ErrorOf("peers = 1\nseed = \n").starts_with("x.toml:2: "));
  EXPECT_TRUE(ErrorOf("peers = 1\npeers = 2\n").starts_with("x.toml:2: "))
      << "a key may occur once";
  EXPECT_TRUE(ErrorOf("peer = 1").ends_with("did you mean 'peers'?"));
  EXPECT_TRUE(ErrorOf("duration = 1").ends_with("did you mean 'duration_s'?"));
  EXPECT_EQ(ErrorOf("zzzzzz = 1").find("did you mean"), std::string::npos);
}

TEST(Scenario, FirstErrorOfTheFileIsReported) {
  EXPECT_TRUE(
      ErrorOf("[store]\nquorum = 0\n[kademlia]\nk = 0\n").starts_with("x.toml:2: store.quorum"));
}

TEST(Scenario, SettingsOverrideTheFile) {
  const auto scenario = Parse("seed = 1\n[[workload]]\nkind = \"send\"\n",
                              {"seed=9", "kademlia.k=8", "latency.model=uniform",
                               "workload.0.rate_per_s=5", "workload.1.kind=get", "start=\"join\""});
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->world.seed, 9U);
  EXPECT_EQ(scenario->world.core.table.k, 8);
  EXPECT_EQ(scenario->world.latency.model, LatencyModel::kUniform);
  EXPECT_EQ(scenario->world.start, StartMode::kJoin);
  ASSERT_EQ(scenario->workloads.size(), 2U);
  EXPECT_EQ(scenario->workloads[0].rate_per_s, 5);
  EXPECT_EQ(scenario->workloads[1].kind, OperationKind::kGet);
}

TEST(Scenario, WrongSettingsNameTheSetting) {
  const struct {
    const char* setting;
    const char* error;
  } kCases[] = {
      {"kademlia.k=0", "--set kademlia.k: kademlia.k is 0; allowed is a whole number, 1 to 64"},
      {"seed=x", "--set seed: seed is \"x\"; allowed is a whole number, 0 to 9.2e+18"},
      {"seed", "--set seed: allowed is key=value, for example kademlia.k=8"},
      {"=1", "--set =1: allowed is key=value, for example kademlia.k=8"},
      {"workload.kind=send",
       "--set workload.kind: name one of the [[workload]] sections, for example workload.0.kind"},
      {"workload.1.kind=send",
       "--set workload.1.kind: there are 0 [[workload]] sections; allowed is an index from 0 to 0"},
      {"a.b.c.d=1", "--set a.b.c.d: allowed is key, section.key or section.INDEX.key"},
      {"at.x.crash=1", "--set at.x.crash: allowed is key, section.key or section.INDEX.key"},
  };
  for (const auto& [setting, error] : kCases) EXPECT_EQ(ErrorOf("", {setting}), error) << setting;
}

TEST(Scenario, AProfileOfTheRingGivesWayToTheKeysBesideIt) {
  RingConfig expected = RingConfig::Paper2001();
  expected.bits = 24;
  expected.tries = 5;
  for (const char* text : {"bits = 24\nprofile = \"paper2001\"\ntries = 5",
                           "tries = 5\nprofile = \"paper2001\"\nbits = 24"}) {
    const auto scenario = Parse("overlay = \"chord\"\n[ring]\n" + std::string(text));
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    EXPECT_EQ(scenario->world.core.ring, expected);
  }
  const auto set = Parse("overlay = \"chord\"\n[ring]\nbits = 24\nsuccessors = 3",
                         {"ring.tries=5", "ring.profile=paper2001"});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->world.core.ring, expected) << "a setting beats the file";
  const auto back = Parse("[ring]\nprofile = \"paper2001\"", {"ring.profile=default"});
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->world.core.ring, RingConfig());
  EXPECT_EQ(ErrorOf("[ring]\nprofile = \"paper\""),
            "x.toml:2: ring.profile is \"paper\"; allowed is \"default\" | \"paper2001\"");
}

TEST(Scenario, SmallLinkTablesNeedNoReserve) {
  const auto scenario = Parse("[links]\nmax_links = 4\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->world.core.links.reserved, 4);
}

TEST(Scenario, ChurnPresetsSetTheModel) {
  const auto scenario = Parse("[churn]\npreset = \"kad\"\ngraceful_share = 0.5\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->world.churn.model, ChurnModel::kWeibull);
  EXPECT_EQ(scenario->world.churn.shape, 0.5);
  EXPECT_EQ(scenario->world.churn.graceful_share, 0.5);
}

TEST(Scenario, FilesAreRelativeToTheScenarioThatNamesThem) {
  const std::string folder = ::testing::TempDir();
  std::ofstream(folder + "/rtt.tsv") << "0\t10\n10\t0\n";
  std::ofstream(folder + "/s.toml") << "[latency]\nmodel = \"matrix\"\nfile = \"rtt.tsv\"\n";
  const auto scenario = ReadScenario(folder + "/s.toml", {});
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->world.latency.matrix.hosts, 2U);
}

TEST(Scenario, UnreadableFilesAreErrors) {
  EXPECT_EQ(ReadScenario("no/such.toml", {}).status().message(),
            "no/such.toml: cannot be read; a scenario is a TOML file");
  EXPECT_EQ(ReadScenario(::testing::TempDir(), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  const std::string error = ErrorOf("\n[latency]\nmodel = \"matrix\"\nfile = \"no/such.tsv\"\n");
  EXPECT_TRUE(error.starts_with("x.toml:4: latency.file: no/such.tsv")) << error;
}

TEST(Scenario, KeysAreUniqueKnownAndTakeTheirDefaults) {
  std::set<std::string> sections;
  for (const Section& section : Sections()) sections.insert(std::string(section.name));
  std::set<std::string> names;
  for (const Key& key : Keys()) {
    const std::string name = std::string(key.section) + "." + std::string(key.name);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(sections.contains(std::string(key.section))) << name;
    EXPECT_FALSE(key.doc.empty()) << name;
  }
}

// What sets a world alone is all that a program without a scenario needs.
TEST(Scenario, KeysOfTheWorldNeedNoMoreThanTheWorld) {
  Scenario scenario;
  Target target{&scenario};
  const auto* begin = reinterpret_cast<const char*>(&scenario.world);
  std::set<std::string_view> sections;
  for (const Key& key : WorldKeys()) {
    sections.insert(key.section);
    const Field field = key.field(target);
    const auto inside = [&](const auto& value) {
      if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(value)>>) {
        const auto* at = reinterpret_cast<const char*>(value);
        return at >= begin && at < begin + sizeof(WorldOptions);
      }
      return true;
    };
    EXPECT_TRUE(std::visit(inside, field)) << key.section << "." << key.name;
  }
  EXPECT_EQ(sections, (std::set<std::string_view>{"", "kademlia", "ring", "links", "relay",
                                                  "gossip", "store", "heal", "attach", "latency",
                                                  "bandwidth", "churn", "faults"}));
}

TEST(Scenario, DocumentationListsWhatTheReaderKnows) {
  std::ifstream file("docs/scenario.md");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), DescribeKeys()) << "run: tombolo-sim run --help-keys > docs/scenario.md";
}

TEST(Scenario, ExamplesAreValid) {
  for (const char* name : {"demo", "lookups", "join", "churn", "cloud"}) {
    const auto scenario = ReadScenario("tests/scenarios/" + std::string(name) + ".toml", {});
    EXPECT_TRUE(scenario.ok()) << scenario.status();
  }
}

}  // namespace
}  // namespace tombolo::sim
