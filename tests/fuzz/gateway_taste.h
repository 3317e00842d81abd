// What the fuzzers of the gateway try with an input: everything that a stranger's bytes reach.
//
// The first byte chooses: 0 a message of a peer-relay client, 1 bytes of a WebSocket, 2 an HTTP
// request, 3 a compressed message, 4 what another node sends. What is understood must survive being
// written and read again; nothing may crash.
#pragma once

#include <string>
#include <string_view>

#include "node/gateway/json_scan.h"
#include "node/gateway/peer_relay_wire.h"
#include "node/gateway/websocket_deflate.h"
#include "node/gateway/websocket_frame.h"
#include "node/gateway/websocket_upgrade.h"
#include "tests/fuzz/require.h"
#include "tests/node/gateway_net.h"

namespace tombolo::node {

inline void TasteMessage(std::string_view text) {
  PeerRelayFrame frame;
  const PeerRelayFault fault = ParsePeerRelayFrame(text, frame);
  Require(IsJson(text) == (fault != PeerRelayFault::kNoJson));
  if (const auto id = ParsePeerRelayId(text))
    Require(ParsePeerRelayId(PeerRelayGreeting(*id)) == id);
  if (fault != PeerRelayFault::kNone || frame.hops + 2 > kPeerRelayHops) return;
  std::string written;
  AppendPeerRelayFrame(frame, NodeId{{1, 2, 3, 4, 5}}, written);
  PeerRelayFrame again;
  Require(ParsePeerRelayFrame(written, again) == PeerRelayFault::kNone);
  Require(again.to == frame.to && again.from == frame.from && again.nonce == frame.nonce &&
          again.data == frame.data && again.type == frame.type);
}

inline void TasteSocket(std::string bytes) {
  std::size_t at = 0;
  FrameHeader header;
  while (ReadFrameHeader(std::string_view(bytes).substr(at), true, header) ==
             FrameRead::kComplete &&
         header.length <= bytes.size() - at - header.header_size) {
    const std::span<char> payload(bytes.data() + at + header.header_size, header.length);
    if (header.masked) MaskFrame(header.mask, payload);
    const std::string_view text(payload.data(), payload.size());
    if (IsUtf8(text)) TasteMessage(text);
    IsGoodClosePayload(text);
    at += header.header_size + header.length;
  }
}

inline void TasteRequest(std::string_view bytes) {
  UpgradeRequest request;
  const std::size_t size = UpgradeBytes(bytes);
  if (size == 0) return;
  const auto refusal = ReadUpgrade(bytes.substr(0, size), request);
  if (!refusal) Require(IsUpgraded(AcceptUpgrade(request, false), request.key));
  IsUpgraded(bytes.substr(0, size), "dGhlIHNhbXBsZSBub25jZQ==");
  ParseWebSocketUrl(bytes);
}

inline void TasteCompressed(std::string_view bytes) {
  static MessageDeflate deflate;  // as one serves all connections
  const std::string* plain = deflate.Inflate(bytes, 100'000);
  if (plain == nullptr) return;
  const std::string text = *plain;
  const std::string* again = deflate.Inflate(deflate.Deflate(text), 100'000);
  Require(again != nullptr && *again == text);
}

// A client and another node may both say it to a whole gateway.
inline void TasteGateway(std::string_view bytes) {
  PeerRelayOptions options;
  options.transit = true;
  GatewayNet net(1, options);
  RelayClient client(NodeId{{9, 9, 9, 9, 9}}, net.at(0));
  Event event = MessageArrived{NodeId{{3, 3, 3, 3, 3}}, {}, 1};
  net.at(0).application.OnEvent(event, std::string(PeerRelayRemote::kTag).append(bytes));
  if (IsUtf8(bytes)) client.SayText(std::string(bytes));
  net.RunFor(Duration::Seconds(3));
  for (const std::string& heard : client.socket().heard) Require(IsJson(heard));
}

inline void TasteOfGateway(const std::string& input) {
  if (input.empty()) return;
  const std::string_view rest = std::string_view(input).substr(1);
  switch (static_cast<unsigned char>(input[0]) % 5) {
    case 0:
      return TasteMessage(rest);
    case 1:
      return TasteSocket(std::string(rest));
    case 2:
      return TasteRequest(rest);
    case 3:
      return TasteCompressed(rest);
    default:
      return TasteGateway(rest);
  }
}

}  // namespace tombolo::node
