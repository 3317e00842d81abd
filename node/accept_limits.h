// How many connections others may have open to this node: in total, from one address, and from one
// prefix (/24 of IPv4, /48 of IPv6), so that nobody takes all the places. A connection beyond a
// limit is refused before it costs a handshake. Thread rule: one caller at a time.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <map>

namespace tombolo::node {

struct AcceptLimits {
  std::size_t total = 1024;
  std::size_t per_address = 64;
  std::size_t per_prefix = 256;
};

class AcceptCounts {
 public:
  enum class Verdict : std::uint8_t { kAdmitted, kTotal, kAddress, kPrefix };

  explicit AcceptCounts(AcceptLimits limits) : limits_(limits) {}

  // Counts the connection if it is admitted.
  Verdict Admit(const boost::asio::ip::address& address);
  // Requires an admitted connection of that address.
  void Release(const boost::asio::ip::address& address);

  std::size_t total() const { return total_; }
  // For newcomers; whoever is in stays.
  void set_limits(const AcceptLimits& limits) { limits_ = limits; }

 private:
  AcceptLimits limits_;
  std::size_t total_ = 0;
  std::map<boost::asio::ip::address, std::size_t> addresses_;  // entries above zero only
  std::map<boost::asio::ip::address, std::size_t> prefixes_;
};

}  // namespace tombolo::node
