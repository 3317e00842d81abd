// The first frame of each side of a connection: who I am, what I speak, where I can be dialled.
//
// Thread rule: pure functions. Errors: what a hello may not be is named in the status; the
// connection ends then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "node/transport.h"
#include "overlay/node_id.h"

namespace tombolo::node {

inline constexpr std::uint32_t kProtocolMajor = 1;
inline constexpr std::uint32_t kProtocolMinor = 0;
inline constexpr std::size_t kMaxAgentBytes = 200;
inline constexpr std::size_t kMaxCapabilities = 32;
inline constexpr std::size_t kMaxCapabilityBytes = 64;
inline constexpr std::size_t kMaxDetailBytes = 200;  // of a goodbye

// What a node says of itself.
struct SelfDescription {
  NodeId id;
  std::vector<std::string> addresses;     // at most kMaxAddresses
  bool dialable = true;                   // others have dialled it, or its operator says so
  std::vector<std::string> capabilities;  // at most kMaxCapabilities
  std::string agent = "tombolo";
  std::uint64_t life = 0;  // random per start
};

// What else the other side says of itself.
struct RemoteDescription {
  std::uint32_t minor = 0;
  std::vector<std::string> capabilities;
  std::string agent;
};

// `dial`: number of the connection among those that this node has dialled; 0 if it has accepted it.
void WriteHello(const SelfDescription& self, std::uint64_t dial, link::v1::Hello& out);

// Says why `hello` is not what a node that has proven the id of `remote` may say to `self`. The
// addresses are then addresses, and lengths within their limits.
absl::Status CheckHello(const link::v1::Hello& hello, const NodeId& remote, const NodeId& self);

// Requires that CheckHello has passed.
RemoteDescription ReadHello(const link::v1::Hello& hello);

}  // namespace tombolo::node
