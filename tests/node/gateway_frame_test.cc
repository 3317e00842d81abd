// WebSocket frames, upgrades and compression as bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "node/gateway/websocket_deflate.h"
#include "node/gateway/websocket_frame.h"
#include "node/gateway/websocket_upgrade.h"
#include "overlay/rng.h"

namespace tombolo::node {
namespace {

using std::string_view_literals::operator""sv;

FrameRead Read(std::string_view bytes, FrameHeader& header, bool deflate = false) {
  return ReadFrameHeader(bytes, deflate, header);
}

TEST(WebSocketFrameTest, HeadersAreReadAsTheyAreWritten) {
  const std::array<std::uint8_t, 4> mask{1, 2, 3, 4};
  for (const std::uint64_t length : {0ULL, 125ULL, 126ULL, 65'535ULL, 65'536ULL, 1ULL << 40}) {
    for (const bool masked : {false, true}) {
      std::string bytes;
      WriteFrameHeader(FrameOpcode::kBinary, true, length, masked ? &mask : nullptr, bytes);
      FrameHeader header;
      for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        EXPECT_EQ(Read(std::string_view(bytes).substr(0, cut), header, true),
                  FrameRead::kIncomplete);
      }
      ASSERT_EQ(Read(bytes, header, true), FrameRead::kComplete);
      EXPECT_EQ(header.length, length);
      EXPECT_EQ(header.header_size, bytes.size());
      EXPECT_EQ(header.opcode, FrameOpcode::kBinary);
      EXPECT_EQ(header.masked, masked);
      EXPECT_TRUE(header.final && header.compressed);
    }
  }
}

TEST(WebSocketFrameTest, WhatMayNotBeIsBad) {
  FrameHeader header;
  for (const std::string_view bytes :
       {"\x83\x00"sv, "\x8b\x00"sv, "\xa1\x00"sv, "\x91\x00"sv, "\xc1\x00"sv, "\x09\x00"sv,
        "\x89\x7e\x00\x80"sv, "\x81\x7e\x00\x7d"sv, "\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"sv,
        "\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00"sv}) {
    EXPECT_EQ(Read(bytes, header), FrameRead::kBad);
  }
  EXPECT_EQ(Read("\xc0\x00"sv, header, true), FrameRead::kBad) << "a compressed continuation";
  EXPECT_EQ(Read("\xc1\x00"sv, header, true), FrameRead::kComplete);
}

TEST(WebSocketFrameTest, MaskComesOffAsItWentOn) {
  Rng rng(1);
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text;
    while (text.size() < size) text += static_cast<char>(rng.Next());
    std::string masked = text;
    const std::array<std::uint8_t, 4> mask{0x12, 0x34, 0x56, 0x78};
    MaskFrame(mask, masked);
    for (std::size_t i = 0; i < size; ++i)
      EXPECT_EQ(static_cast<std::uint8_t>(masked[i]),
                static_cast<std::uint8_t>(text[i]) ^ mask[i % 4]);
    MaskFrame(mask, masked);
    EXPECT_EQ(masked, text);
  }
}

TEST(WebSocketFrameTest, Utf8) {
  for (const std::string_view good :
       {""sv, "plain ascii of some length"sv, "gr\xc3\xbc\xc3\x9f"sv, "\xe2\x82\xac"sv,
        "\xf0\x9f\x8f\x9d 12345678"sv, "\xed\x9f\xbf"sv, "\xf4\x8f\xbf\xbf"sv, "\0"sv}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const std::string_view bad :
       {"\x80"sv, "\xc3"sv, "\xc0\xaf"sv, "\xe0\x80\x80"sv, "\xed\xa0\x80"sv, "\xf0\x80\x80\x80"sv,
        "\xf4\x90\x80\x80"sv, "\xff"sv, "12345678\xe2\x82"sv, "\xe2\x28\xa1"sv}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

TEST(WebSocketFrameTest, ClosePayloads) {
  EXPECT_TRUE(IsGoodClosePayload(""));
  EXPECT_TRUE(IsGoodClosePayload(ClosePayload(1000, "bye")));
  EXPECT_TRUE(IsGoodClosePayload(ClosePayload(4999, "")));
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
    EXPECT_FALSE(IsGoodClosePayload(ClosePayload(static_cast<std::uint16_t>(code), ""))) << code;
  }
  EXPECT_FALSE(IsGoodClosePayload("\x03"));
  EXPECT_FALSE(IsGoodClosePayload(ClosePayload(1000, "\xff")));
  EXPECT_EQ(ClosePayload(1000, std::string(500, 'x')).size(), 125U);
}

std::string Request(const std::string& extra = "", const std::string& first = "GET /a?b HTTP/1.1") {
  return first + "\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" +
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + extra +
         "\r\n";
}

TEST(WebSocketUpgradeTest, RequestOfTheStandardGetsItsAnswer) {
  UpgradeRequest request;
  const std::string text = Request("Origin: https://a.example\r\n");
  EXPECT_EQ(UpgradeBytes(text), text.size());
  EXPECT_EQ(UpgradeBytes(text.substr(0, text.size() - 1)), 0U);
  ASSERT_FALSE(ReadUpgrade(text, request).has_value());
  EXPECT_EQ(request.target, "/a?b");
  EXPECT_EQ(request.origin, "https://a.example");
  EXPECT_FALSE(request.deflate);
  const std::string answer = AcceptUpgrade(request, false);
  EXPECT_NE(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos)
      << "RFC 6455, section 1.3";
  EXPECT_TRUE(IsUpgraded(answer, request.key));
  EXPECT_FALSE(IsUpgraded(answer, UpgradeKey("0123456789abcdef")));
  EXPECT_FALSE(IsUpgraded(AcceptUpgrade(request, true), request.key)) << "it was not offered";
}

TEST(WebSocketUpgradeTest, OtherRequestsAreRefusedWithAStatus) {
  const auto status = [](const std::string& text) {
    UpgradeRequest request;
    return ReadUpgrade(text, request).value_or("HTTP/1.1 101").substr(9, 3);
  };
  EXPECT_EQ(status(Request()), "101");
  EXPECT_EQ(status(Request("", "POST / HTTP/1.1")), "405");
  EXPECT_EQ(status(Request("", "GET / HTTP/1.0")), "426");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "426");
  EXPECT_EQ(status("nonsense\r\n\r\n"), "400");
  EXPECT_EQ(status(std::string("\0\r\n\r\n", 5)), "400");
  std::string old = Request();
  old.replace(old.find("13\r\n"), 2, "12");
  EXPECT_EQ(status(old), "426");
  std::string short_key = Request();
  short_key.erase(short_key.find("dGhl"), 4);
  EXPECT_EQ(status(short_key), "400");
}

TEST(WebSocketUpgradeTest, DeflateIsUnderstoodWhereItCanBeDone) {
  const auto offers = [](const std::string& extension) {
    UpgradeRequest request;
    ReadUpgrade(Request("Sec-WebSocket-Extensions: " + extension + "\r\n"), request);
    return request.deflate;
  };
  EXPECT_TRUE(offers("permessage-deflate"));
  EXPECT_TRUE(offers("permessage-deflate; client_max_window_bits"));
  EXPECT_TRUE(offers("x-other, permessage-deflate; server_max_window_bits=15"));
  EXPECT_FALSE(offers("permessage-deflate; server_max_window_bits=10"));
  EXPECT_FALSE(offers("permessage-deflate; unknown"));
  EXPECT_FALSE(offers("x-webkit-deflate-frame"));
}

TEST(WebSocketUpgradeTest, Urls) {
  const auto url = ParseWebSocketUrl("ws://a.example:8001/x?y#z");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->host, "a.example");
  EXPECT_EQ(url->port, "8001");
  EXPECT_EQ(url->target, "/x?y");
  EXPECT_EQ(ParseWebSocketUrl("ws://[::1]")->host, "::1");
  EXPECT_EQ(ParseWebSocketUrl("ws://a")->port, "80");
  for (const char* bad :
       {"", "ws://", "ws:///x", "http://a", "ws://a:0", "ws://a:65536", "ws://a:1x", "ws://a b",
        "ws://[::1", "ws://a:\r\n", "ws://u@a", "ws://[g]"}) {
    EXPECT_FALSE(ParseWebSocketUrl(bad).has_value()) << bad;
  }
}

TEST(MessageDeflateTest, MessagesStandAlone) {
  MessageDeflate deflate;
  Rng rng(3);
  for (const std::size_t size : {0U, 1U, 100U, 5000U, 90'000U}) {
    std::string text;
    while (text.size() < size) text += static_cast<char>('a' + rng.Below(4));
    const std::string packed = deflate.Deflate(text);
    EXPECT_LT(packed.size(), size / 2 + 500);
    MessageDeflate fresh;
    const std::string* plain = fresh.Inflate(packed, 100'000);
    ASSERT_NE(plain, nullptr);
    EXPECT_EQ(*plain, text);
    const std::string* cut = fresh.Inflate(packed, size - std::min<std::size_t>(size, 1));
    EXPECT_EQ(cut == nullptr, size > 0) << "longer than allowed";
  }
}

TEST(MessageDeflateTest, GarbageIsNoMessage) {
  MessageDeflate deflate;
  EXPECT_EQ(deflate.Inflate("\xff\xff\xff\xff", 1000), nullptr);
  const std::string bomb = deflate.Deflate(std::string(10'000'000, 'x'));
  EXPECT_EQ(deflate.Inflate(bomb, 100'000), nullptr);
  EXPECT_NE(deflate.Inflate(deflate.Deflate("good"), 1000), nullptr) << "and then on as before";
}

}  // namespace
}  // namespace tombolo::node
