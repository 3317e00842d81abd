#include "node/accept_limits.h"

#include <gtest/gtest.h>

#include <string>

#include "node/host_port.h"

namespace tombolo::node {
namespace {

using Verdict = AcceptCounts::Verdict;

boost::asio::ip::address Ip(const std::string& text) { return boost::asio::ip::make_address(text); }

TEST(AcceptLimitsTest, OneAddressGetsItsShareOnly) {
  AcceptCounts counts({.total = 10, .per_address = 2, .per_prefix = 10});
  EXPECT_EQ(counts.Admit(Ip("10.0.0.1")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("10.0.0.1")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("10.0.0.1")), Verdict::kAddress);
  EXPECT_EQ(counts.Admit(Ip("10.0.0.2")), Verdict::kAdmitted);
  counts.Release(Ip("10.0.0.1"));
  EXPECT_EQ(counts.Admit(Ip("10.0.0.1")), Verdict::kAdmitted);
}

TEST(AcceptLimitsTest, OnePrefixGetsItsShareOnly) {
  AcceptCounts counts({.total = 10, .per_address = 2, .per_prefix = 2});
  EXPECT_EQ(counts.Admit(Ip("10.0.0.1")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("10.0.0.2")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("10.0.0.3")), Verdict::kPrefix);
  EXPECT_EQ(counts.Admit(Ip("10.0.1.3")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("2001:db8:1:1::1")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("2001:db8:1:2::1")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("2001:db8:1:3::1")), Verdict::kPrefix);
  EXPECT_EQ(counts.Admit(Ip("2001:db8:2:3::1")), Verdict::kAdmitted);
}

TEST(AcceptLimitsTest, TotalHoldsForAll) {
  AcceptCounts counts({.total = 2, .per_address = 2, .per_prefix = 2});
  EXPECT_EQ(counts.Admit(Ip("10.0.0.1")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("10.1.0.1")), Verdict::kAdmitted);
  EXPECT_EQ(counts.Admit(Ip("10.2.0.1")), Verdict::kTotal);
  EXPECT_EQ(counts.total(), 2U);
}

TEST(AddressTest, HostsAndPorts) {
  EXPECT_EQ(ParseHostPort("a.example:7400")->host, "a.example");
  EXPECT_EQ(ParseHostPort("[::1]:7400")->host, "::1");
  EXPECT_EQ(ParseHostPort("[::1]:7400")->ToString(), "[::1]:7400");
  EXPECT_EQ(ParseHostPort("1.2.3.4:0")->port, 0);
  for (const char* bad :
       {"", ":1", "a", "a:", "a:65536", "a:-1", "a:1x", "::1:1", "[]:1", "[::1]"}) {
    EXPECT_FALSE(ParseHostPort(bad)) << bad;
  }
}

TEST(AddressTest, Loopback) {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "10.0.0.1", "::", "127.0.0.1.example", ""}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

}  // namespace
}  // namespace tombolo::node
