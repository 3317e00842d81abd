#include "node/accept_limits.h"

#include <cassert>

namespace tombolo::node {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using Counts = std::map<address, std::size_t>;

// The address with everything behind the prefix cleared.
address PrefixOf(const address& full) {
  if (full.is_v4()) return address_v4(full.to_v4().to_uint() & 0xffffff00U);
  address_v6::bytes_type bytes = full.to_v6().to_bytes();
  for (std::size_t i = 6; i < bytes.size(); ++i) bytes[i] = 0;
  return address_v6(bytes);
}

std::size_t CountOf(const Counts& counts, const address& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

void Decrement(Counts& counts, const address& key) {
  const auto found = counts.find(key);
  assert(found != counts.end());
  if (--found->second == 0) counts.erase(found);
}

}  // namespace

AcceptCounts::Verdict AcceptCounts::Admit(const address& address) {
  const auto prefix = PrefixOf(address);
  if (total_ >= limits_.total) return Verdict::kTotal;
  if (CountOf(addresses_, address) >= limits_.per_address) return Verdict::kAddress;
  if (CountOf(prefixes_, prefix) >= limits_.per_prefix) return Verdict::kPrefix;
  ++total_;
  ++addresses_[address];
  ++prefixes_[prefix];
  return Verdict::kAdmitted;
}

void AcceptCounts::Release(const address& address) {
  assert(total_ > 0);
  --total_;
  Decrement(addresses_, address);
  Decrement(prefixes_, PrefixOf(address));
}

}  // namespace tombolo::node
