#include "node/gateway/websocket_upgrade.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>

namespace tombolo::node {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string Base64(const unsigned char* bytes, std::size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string AnswerTo(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return Base64(digest.data(), digest.size());
}

bool IsKey(std::string_view key) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return key.size() == 24 && key.ends_with("==") &&
         key.substr(0, 22).find_first_not_of(kDigits) == std::string_view::npos;
}

// Windows below 15 bits for what this side would send are more than it does.
bool OffersDeflate(boost::beast::string_view text) {
  for (const auto& extension : http::ext_list(text)) {
    if (extension.first != "permessage-deflate") continue;
    const bool good = std::ranges::all_of(extension.second, [](const auto& parameter) {
      return parameter.first == "client_max_window_bits" ||
             parameter.first == "client_no_context_takeover" ||
             parameter.first == "server_no_context_takeover" ||
             (parameter.first == "server_max_window_bits" && parameter.second == "15");
    });
    if (good) return true;
  }
  return false;
}

template <bool is_request>
bool Parse(std::string_view bytes, http::parser<is_request, http::empty_body>& parser) {
  parser.header_limit(kMaxUpgradeBytes);
  parser.skip(true);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  return !error && parser.is_header_done();
}

std::string Text(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::size_t UpgradeBytes(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  return end == std::string_view::npos ? 0 : end + 4;
}

std::optional<std::string> ReadUpgrade(std::string_view bytes, UpgradeRequest& request) {
  http::request_parser<http::empty_body> parser;
  if (!Parse(bytes, parser)) return RefuseUpgrade(400);
  const auto& message = parser.get();
  if (message.method() != http::verb::get) return RefuseUpgrade(405);
  const bool upgrade = message.version() == 11 &&
                       http::token_list(message[http::field::connection]).exists("upgrade") &&
                       http::token_list(message[http::field::upgrade]).exists("websocket");
  if (!upgrade) return RefuseUpgrade(426);
  if (message[http::field::sec_websocket_version] != "13") return RefuseUpgrade(426);
  request.key = Text(message[http::field::sec_websocket_key]);
  if (!IsKey(request.key)) return RefuseUpgrade(400);
  request.target = Text(message.target());
  request.origin = Text(message[http::field::origin]);
  for (const auto& field : message) {
    if (field.name() == http::field::sec_websocket_extensions)
      request.deflate = request.deflate || OffersDeflate(field.value());
  }
  return std::nullopt;
}

std::string RefuseUpgrade(int status) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  const std::string text = Text(reason);
  std::string response = "HTTP/1.1 " + std::to_string(status) + " " + text + "\r\n";
  if (status == 426) response += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  if (status == 405) response += "Allow: GET\r\n";
  response += "Connection: close\r\nContent-Type: text/plain\r\nContent-Length: " +
              std::to_string(text.size()) + "\r\n\r\n" + text;
  return response;
}

std::string AcceptUpgrade(const UpgradeRequest& request, bool deflate) {
  std::string response =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      AnswerTo(request.key) + "\r\n";
  if (deflate) {
    response +=
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover\r\n";
  }
  return response + "\r\n";
}

std::optional<WebSocketUrl> ParseWebSocketUrl(std::string_view text) {
  constexpr std::string_view kScheme = "ws://";
  if (!text.starts_with(kScheme) || text.size() > 512) return std::nullopt;
  const bool printable = std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
  if (!printable) return std::nullopt;
  text.remove_prefix(kScheme.size());
  WebSocketUrl url;
  const std::size_t slash = std::min(text.find_first_of("/?#"), text.size());
  url.authority = text.substr(0, slash);
  url.target = text.substr(slash, text.find('#', slash) - slash);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  std::string_view rest = url.authority;
  const bool bracketed = rest.starts_with('[');
  const std::size_t end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (end == std::string_view::npos) return std::nullopt;
  url.host = rest.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  rest.remove_prefix(bracketed ? end + 1 : end);
  const std::string_view allowed =
      bracketed ? "0123456789abcdefABCDEF:."
                : "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
  if (url.host.empty() || url.host.find_first_not_of(allowed) != std::string::npos)
    return std::nullopt;
  url.port = "80";
  if (rest.empty()) return url;
  unsigned port = 0;
  const auto [stop, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
  const bool whole = error == std::errc() && stop == rest.data() + rest.size();
  if (rest.front() != ':' || !whole || port == 0 || port > 65535) return std::nullopt;
  url.port = std::to_string(port);
  return url;
}

std::string MakeUpgrade(const WebSocketUrl& url, std::string_view key) {
  return "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: " +
         std::string(key) + "\r\n\r\n";
}

bool IsUpgraded(std::string_view response, std::string_view key) {
  http::response_parser<http::empty_body> parser;
  if (!Parse(response, parser)) return false;
  const auto& message = parser.get();
  return message.result() == http::status::switching_protocols &&
         message[http::field::sec_websocket_accept] == AnswerTo(key) &&
         message[http::field::sec_websocket_extensions].empty() &&
         message[http::field::sec_websocket_protocol].empty();
}

std::string UpgradeKey(std::string_view random) {
  return Base64(reinterpret_cast<const unsigned char*>(random.data()), random.size());
}

}  // namespace tombolo::node
