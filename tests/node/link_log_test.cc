// What an operator reads about links, and that nobody can flood the log.
#include "node/link_log.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

#include "tests/node/memory_network.h"
#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

// The lines of the default logger, one "level text" each, while it lives.
class CapturedLog {
 public:
  CapturedLog() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    auto logger = std::make_shared<spdlog::logger>("test", std::move(sink));
    logger->set_pattern("%l %v");
    logger->set_level(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }

  std::string text() const { return text_.str(); }
  int Count(const std::string& part) const {
    int count = 0;
    const std::string all = text();
    for (std::size_t at = all.find(part); at != all.npos; at = all.find(part, at + 1)) ++count;
    return count;
  }

 private:
  const std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
  std::ostringstream text_;
};

struct LoggedNode {
  LoggedNode(MemoryNetwork& network, const HostOptions& options)
      : clock(network),
        host(options, application),
        transport(network, options.self.id, options.self.addresses.front(), host),
        log(application, [&network] { return network.now(); }) {
    application.Use(host);
    EXPECT_TRUE(transport.Listen(options.self.addresses.front()).ok());
    host.Start(clock, transport);
  }

  Application application;
  MemoryClock clock;
  Host host;
  MemoryTransport transport;
  LinkLog log;
};

Connection DialThatFailed(const std::string& why) {
  Connection connection;
  connection.outbound = true;
  connection.address = "10.0.0.9:1";
  connection.ending = why;
  return connection;
}

TEST(LinkLog, NamesTheAddressThatLeadsToNobody) {
  const CapturedLog log;
  TestNetwork net;
  HostOptions options = net.OptionsFor(0);
  options.bootstrap = {"10.0.0.77:1"};
  const LoggedNode node(net.network, options);
  net.network.RunFor(Duration::Seconds(10));
  EXPECT_GE(log.Count("warning no link by way of 10.0.0.77:1: "), 1) << log.text();
  EXPECT_EQ(log.Count("info nobody else is there yet: this node is an overlay of its own\n"), 1)
      << log.text();
}

TEST(LinkLog, ItsOwnAddressAmongThoseToJoinThroughIsNoWarning) {
  const CapturedLog log;
  TestNetwork net;
  HostOptions options = net.OptionsFor(0);
  options.bootstrap = options.self.addresses;
  const LoggedNode node(net.network, options);
  net.network.RunFor(Duration::Seconds(10));
  EXPECT_GE(log.Count("connected to itself"), 1) << log.text();
  EXPECT_EQ(log.Count("warning"), 0) << log.text();
}

TEST(LinkLog, TellsTheWayInAndThatTheLastLinkIsGone) {
  const CapturedLog log;
  TestNetwork net;
  net.Add();
  const LoggedNode node(net.network, net.OptionsFor(1));
  net.network.RunFor(Duration::Seconds(10));
  EXPECT_EQ(log.Count("info linked, first to " + net.at(0).id().ToHex() + "\n"), 1) << log.text();
  EXPECT_GE(log.Count("info in the overlay, contacts: 1\n"), 1) << log.text();
  EXPECT_EQ(log.Count("warning"), 0) << log.text();

  net.at(0).transport.Die();
  net.network.RunFor(Duration::Seconds(60));
  EXPECT_EQ(log.Count("warning the last link is gone\n"), 1) << log.text();
  EXPECT_GE(log.Count("debug connection with " + net.at(0).id().ToHex()), 1) << log.text();
}

TEST(LinkLog, ANodeThatLeavesDoesNotComplain) {
  const CapturedLog log;
  TestNetwork net;
  net.Add();
  LoggedNode node(net.network, net.OptionsFor(1));
  net.network.RunFor(Duration::Seconds(10));
  node.host.Stop();
  net.network.RunFor(Duration::Seconds(60));
  EXPECT_EQ(log.Count("warning"), 0) << log.text();
}

TEST(LinkLog, SaysHowManyLinesItHasLeftOut) {
  const CapturedLog log;
  TestNetwork net;
  constexpr LinkLog::Limit kLimit =
      LinkLog::kLimits[static_cast<std::size_t>(LinkLog::Kind::kUnreached)];
  constexpr int kLines = static_cast<int>(kLimit.lines);
  LoggedNode node(net.network, net.OptionsFor(0));
  for (int i = 0; i < 1000; ++i) node.application.OnConnectionEnded(DialThatFailed("refused"));
  EXPECT_EQ(log.Count("no link by way of"), kLines);

  Connection caller = DialThatFailed("no hello in time");
  caller.outbound = false;
  node.application.OnConnectionEnded(caller);  // of another kind
  EXPECT_EQ(log.Count("info a caller at 10.0.0.9:1 became no peer: no hello in time\n"), 1);

  net.network.RunFor(kLimit.per);
  node.application.OnConnectionEnded(DialThatFailed("refused"));
  node.application.OnConnectionEnded(DialThatFailed("refused"));
  EXPECT_EQ(log.Count("no link by way of"), kLines + 2);
  EXPECT_EQ(log.Count("10.0.0.9:1: refused (and 980 more that are not shown)\n"), 1) << log.text();
}

TEST(LinkLog, WhatOthersSayCannotForgeLines) {
  const CapturedLog log;
  TestNetwork net;
  LoggedNode node(net.network, net.OptionsFor(0));
  node.application.OnConnectionEnded(DialThatFailed("they said \x1b[2J\nwarning all is lost\xff"));
  EXPECT_EQ(log.Count("they said ?[2J?warning all is lost?\n"), 1) << log.text();
}

}  // namespace
}  // namespace tombolo::node
