// "host:port" with a numeric host as a TCP endpoint, and back. Thread rule: pure functions; nothing
// is resolved here.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace tombolo::node {

// "localhost" is 127.0.0.1.
absl::StatusOr<boost::asio::ip::tcp::endpoint> EndpointOf(const std::string& text);

// An IPv6 host has brackets.
std::string NameOf(const boost::asio::ip::tcp::endpoint& endpoint);

// A socket of IPv6 shows callers of IPv4 as ::ffff:1.2.3.4; this shows them as what they are.
boost::asio::ip::tcp::endpoint Unmapped(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace tombolo::node
