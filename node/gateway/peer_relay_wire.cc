#include "node/gateway/peer_relay_wire.h"

#include <algorithm>

#include "node/gateway/json_scan.h"
#include "node/gateway/websocket_upgrade.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kIdBytes = 20;
constexpr std::size_t kMaxListed = 64;  // ids in a foundPeers

// 20 numbers below 256.
std::optional<NodeId> ParseNumbers(std::string_view array) {
  NodeId id;
  std::size_t count = 0;
  const bool good = ForEachJsonElement(array, [&](std::string_view value) {
    const std::optional<std::uint32_t> number = JsonSmallNumber(value);
    if (!number || *number > 255 || count == kIdBytes) return false;
    id.words[count / 4] = id.words[count / 4] << 8 | *number;
    ++count;
    return true;
  });
  if (!good || count != kIdBytes) return std::nullopt;
  return id;
}

PeerRelayType TypeOf(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, PeerRelayType>, 6> kTypes = {{
      {"user", PeerRelayType::kUser},
      {"findPeers", PeerRelayType::kFindPeers},
      {"foundPeers", PeerRelayType::kFoundPeers},
      {"handshake-offer", PeerRelayType::kOffer},
      {"handshake-answer", PeerRelayType::kAnswer},
      {"signal", PeerRelayType::kSignal},
  }};
  for (const auto& [text, type] : kTypes) {
    if (text == name) return type;
  }
  return PeerRelayType::kOther;
}

bool IsUrl(std::string_view url) {
  std::string plain(url);
  if (plain.starts_with("wss://")) plain.erase(2, 1);
  return ParseWebSocketUrl(plain).has_value();
}

bool IsAnswer(std::string_view body) {
  if (body.empty() || body == "null") return true;
  return ForEachJsonMember(body, [](std::string_view name, std::string_view value) {
    if (name.empty()) return false;
    if (name == "ws") {
      const std::optional<std::string_view> url = JsonPlainString(value);
      return value == "null" || (url && (url->empty() || IsUrl(*url)));
    }
    return name != "wrtc" || value == "true" || value == "false";
  });
}

bool IsIds(std::string_view body) {
  std::size_t count = 0;
  return ForEachJsonElement(body, [&](std::string_view value) {
    const std::optional<std::string_view> text = JsonPlainString(value);
    return ++count <= kMaxListed && text && NodeId::FromHex(*text).has_value();
  });
}

bool IsGoodBody(PeerRelayType type, std::string_view body) {
  switch (type) {
    case PeerRelayType::kFindPeers: {
      const std::optional<std::string_view> text = JsonPlainString(body);
      return text && NodeId::FromHex(*text).has_value();
    }
    case PeerRelayType::kFoundPeers:
      return IsIds(body);
    case PeerRelayType::kAnswer:
      return IsAnswer(body);
    case PeerRelayType::kSignal:
      return body.starts_with('{');
    default:
      return true;
  }
}

// A text, or (of careless peers) a number: the original compares it as a text.
std::optional<std::string_view> ParseNonce(std::string_view value) {
  const bool number = JsonSmallNumber(value).has_value();
  const std::optional<std::string_view> text = number ? value : JsonPlainString(value);
  if (!text || text->empty() || text->size() > kPeerRelayNonce) return std::nullopt;
  const bool printable = std::ranges::all_of(*text, [](char c) { return c >= ' ' && c < 0x7f; });
  if (!printable) return std::nullopt;
  return text;
}

bool ParsePath(std::string_view value, PeerRelayFrame& frame) {
  frame.hops = 0;
  return ForEachJsonElement(value, [&](std::string_view element) {
    const std::optional<NodeId> id = ParsePeerRelayId(element);
    if (!id || frame.hops == kPeerRelayHops) return false;
    frame.path[frame.hops++] = *id;
    return true;
  });
}

// Which members a frame has had, and the first fault found.
struct FrameReader {
  PeerRelayFrame& frame;
  unsigned seen = 0;
  PeerRelayFault fault = PeerRelayFault::kNone;

  static constexpr unsigned kAll = 31;

  bool Take(unsigned bit, bool good, PeerRelayFault otherwise) {
    seen |= bit;
    if (!good && fault == PeerRelayFault::kNone) fault = otherwise;
    return true;  // the rest must be JSON, whatever it says
  }
  bool TakeId(unsigned bit, std::string_view value, NodeId& into) {
    const std::optional<NodeId> id = ParsePeerRelayId(value);
    if (id) into = *id;
    return Take(bit, id.has_value(), PeerRelayFault::kBadId);
  }
  bool operator()(std::string_view name, std::string_view value) {
    if (name == "to") return TakeId(1, value, frame.to);
    if (name == "from") return TakeId(2, value, frame.from);
    if (name == "path") return Take(4, ParsePath(value, frame), PeerRelayFault::kBadPath);
    if (name == "data") {
      frame.data = value;
      return Take(8, true, PeerRelayFault::kNone);
    }
    if (name == "nonce") {
      const std::optional<std::string_view> nonce = ParseNonce(value);
      frame.nonce = nonce.value_or(std::string_view());
      return Take(16, nonce.has_value(), PeerRelayFault::kNoFrame);
    }
    return true;
  }
};

void AppendId(const NodeId& id, std::string& out) {
  out += '"';
  AppendHex(id, out);
  out += '"';
}

}  // namespace

std::optional<NodeId> ParsePeerRelayId(std::string_view json) {
  if (const auto text = JsonPlainString(json)) return NodeId::FromHex(*text);
  if (json.starts_with('[')) return ParseNumbers(json);
  std::optional<NodeId> id;
  const bool object = ForEachJsonMember(json, [&](std::string_view name, std::string_view value) {
    if (name == "data") id = ParseNumbers(value);
    return true;
  });
  return object ? id : std::nullopt;
}

PeerRelayFault ParsePeerRelayFrame(std::string_view message, PeerRelayFrame& frame) {
  frame.hops = 0;
  FrameReader reader{frame};
  if (!ForEachJsonMember(message, reader))
    return IsJson(message) ? PeerRelayFault::kNoFrame : PeerRelayFault::kNoJson;
  if (reader.fault != PeerRelayFault::kNone) return reader.fault;
  if (reader.seen != FrameReader::kAll) return PeerRelayFault::kNoFrame;
  return CheckPeerRelayData(frame) ? PeerRelayFault::kNone : PeerRelayFault::kBadData;
}

bool CheckPeerRelayData(PeerRelayFrame& frame) {
  std::optional<std::string_view> type;
  frame.body = {};
  const bool object =
      ForEachJsonMember(frame.data, [&](std::string_view name, std::string_view value) {
        if (name == "type") type = JsonPlainString(value);
        if (name == "data") frame.body = value;
        return !name.empty();  // one with escapes could be either of them once more
      });
  if (!object || !type) return false;
  frame.type = TypeOf(*type);
  return IsGoodBody(frame.type, frame.body);
}

std::vector<NodeId> PeerRelayIds(std::string_view body) {
  std::vector<NodeId> ids;
  ForEachJsonElement(body, [&](std::string_view value) {
    if (const std::optional<NodeId> id = ParsePeerRelayId(value)) ids.push_back(*id);
    return ids.size() < kMaxListed;
  });
  return ids;
}

PeerRelayAnswer ReadPeerRelayAnswer(std::string_view body) {
  PeerRelayAnswer answer;
  ForEachJsonMember(body, [&](std::string_view name, std::string_view value) {
    if (name == "ws") answer.url = JsonPlainString(value).value_or(std::string_view());
    if (name == "wrtc") answer.wrtc = value == "true";
    return true;
  });
  return answer;
}

void AppendHex(const NodeId& id, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::size_t begin = out.size();
  out.resize(begin + 2 * kIdBytes);
  char* at = out.data() + begin;
  for (const std::uint32_t word : id.words) {
    for (int shift = 28; shift >= 0; shift -= 4) *at++ = kDigits[word >> shift & 15U];
  }
}

std::string PeerRelayGreeting(const NodeId& id) {
  std::string greeting;
  AppendId(id, greeting);
  return greeting;
}

void AppendPeerRelayFrame(const PeerRelayFrame& frame, const NodeId& via, std::string& out) {
  out += "{\"to\":";
  AppendId(frame.to, out);
  out += ",\"from\":";
  AppendId(frame.from, out);
  out += ",\"path\":[";
  for (const NodeId& id : frame.passed()) {
    AppendId(id, out);
    out += ',';
  }
  if (frame.hops == 0 && frame.from != via) {
    AppendId(frame.from, out);
    out += ',';
  }
  AppendId(via, out);
  out += "],\"nonce\":\"";
  out += frame.nonce;
  out += "\",\"data\":";
  out += frame.data;
  out += '}';
}

std::string FindPeersData(const NodeId& self) {
  return "{\"type\":\"findPeers\",\"data\":\"" + self.ToHex() + "\"}";
}

std::string FoundPeersData(std::span<const NodeId> ids) {
  std::string data = "{\"type\":\"foundPeers\",\"data\":[";
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) data += ',';
    AppendId(ids[i], data);
  }
  return data + "]}";
}

std::string OfferData() { return "{\"type\":\"handshake-offer\"}"; }

std::string AnswerData(const std::string& url) {
  const std::string ws = url.empty() ? "null" : "\"" + url + "\"";
  return "{\"type\":\"handshake-answer\",\"data\":{\"ws\":" + ws + ",\"wrtc\":false}}";
}

}  // namespace tombolo::node
