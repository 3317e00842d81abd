// The HTTP part of WebSockets (RFC 6455, section 4), both sides of it, as bytes.
//
// Thread rule: pure functions. Errors: the response that refuses, as others will read it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tombolo::node {

inline constexpr std::size_t kMaxUpgradeBytes = 8 * 1024;

struct UpgradeRequest {
  std::string target;
  std::string origin;
  std::string key;
  bool deflate = false;  // permessage-deflate is offered, in a form that this side can do
};

// The bytes up to and with the empty line; 0 if it has not come yet.
std::size_t UpgradeBytes(std::string_view bytes);

// Reads a request, or returns the response that refuses it.
std::optional<std::string> ReadUpgrade(std::string_view bytes, UpgradeRequest& request);

std::string RefuseUpgrade(int status);
std::string AcceptUpgrade(const UpgradeRequest& request, bool deflate);

// A call to a listener. `url` is ws://HOST[:PORT][/PATH]; IPv6 in brackets.
struct WebSocketUrl {
  std::string host;  // without brackets
  std::string port;
  std::string authority;
  std::string target;
};

std::optional<WebSocketUrl> ParseWebSocketUrl(std::string_view url);
std::string MakeUpgrade(const WebSocketUrl& url, std::string_view key);
// True if the response agrees, and to nothing that was not offered.
bool IsUpgraded(std::string_view response, std::string_view key);
// Of 16 random bytes.
std::string UpgradeKey(std::string_view random);

}  // namespace tombolo::node
