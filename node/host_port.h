// "host:port" and "[v6]:port" as configuration, records and logs write them. Thread rule: pure
// functions; nothing is resolved here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tombolo::node {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  std::string ToString() const;
};

// nullopt unless there are a host and a port of 0..65535; a host with a colon needs brackets.
std::optional<HostPort> ParseHostPort(std::string_view text);

// True for 127.0.0.0/8, ::1 and "localhost".
bool IsLoopback(std::string_view host);

}  // namespace tombolo::node
