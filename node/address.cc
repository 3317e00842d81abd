#include "node/address.h"

#include <algorithm>

#include "overlay/rng.h"

namespace tombolo::node {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), IsDigit)) {
    return false;
  }
  std::uint32_t port = 0;
  for (const char digit : text) port = port * 10 + static_cast<std::uint32_t>(digit - '0');
  return port >= 1 && port <= 65'535;
}

bool IsHost(std::string_view host) {
  if (host.empty()) return false;
  if (host.front() == '[') {
    if (host.size() < 4 || host.back() != ']') return false;
    const std::string_view inner = host.substr(1, host.size() - 2);
    return std::all_of(inner.begin(), inner.end(),
                       [](char c) { return IsHex(c) || c == ':' || c == '.'; });
  }
  return host.front() != '-' && std::all_of(host.begin(), host.end(), [](char c) {
           return IsLetter(c) || IsDigit(c) || c == '.' || c == '-';
         });
}

}  // namespace

bool IsAddress(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  return text.size() <= kMaxAddressBytes && colon != std::string_view::npos &&
         IsPort(text.substr(colon + 1)) && IsHost(text.substr(0, colon));
}

std::uint32_t AddressGroup(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  const bool numeric =
      std::all_of(host.begin(), host.end(), [](char c) { return IsDigit(c) || c == '.'; });
  if (numeric) host = host.substr(0, host.find('.', std::min(host.find('.'), host.size() - 1) + 1));
  std::uint64_t hash = host.size();
  for (const char c : host) hash = Mix64(hash ^ static_cast<unsigned char>(c));
  return static_cast<std::uint32_t>(hash >> 32) | 1U;
}

}  // namespace tombolo::node
