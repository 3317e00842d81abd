// Addresses at which nodes can be dialled: "host:port" as text, an IPv6 host in brackets.
//
// Others name addresses, so nothing about them is trusted: what is not plainly a host and a port is
// no address. In particular there is no scheme, path or space in one, whatever resolver a transport
// hands it to. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tombolo::node {

inline constexpr std::size_t kMaxAddresses = 4;       // of one peer
inline constexpr std::size_t kMaxAddressBytes = 260;  // a host name of 253, a colon, a port

// True for a name of letters, digits, dots and hyphens, or an address of hexadecimal digits, colons
// and dots in brackets, and a port from 1 to 65535.
bool IsAddress(std::string_view text);

// A number that addresses of one network share, for the diversity limits of the core: the first two
// parts of an IPv4 address, the whole name of any other host. Never 0.
std::uint32_t AddressGroup(std::string_view address);

}  // namespace tombolo::node
