// JSON where it lies, and the frames of peer-relay.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "node/gateway/json_scan.h"
#include "node/gateway/peer_relay_wire.h"

namespace tombolo::node {
namespace {

const std::string kA(40, 'a');
const std::string kB(40, 'b');

TEST(JsonScanTest, KnowsJson) {
  for (const char* good :
       {"null", "true", " false ", "0", "-0", "12.5e-3", "1E5", "\"\"", "\"\\u00fC\\n\"", "[]",
        "{}", "[1,[2,[]],{}]", "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"e\"}", "[ 1 , 2 ]",
        "{ \"a\" : 1 , \"b\" : 2 }", "\"a long text without anything of note in it\""}) {
    EXPECT_TRUE(IsJson(good)) << good;
  }
  for (const char* bad :
       {"",        " ",         "nul",     "01",          "1.",     ".5",        "1e",   "-",
        "+1",      "\"",        "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "[1,]",      "[,1]", "[1 2]",
        "{\"a\"}", "{\"a\":}",  "{a:1}",   "{\"a\":1,}",  "[1}",    "{\"a\":1]", "[",    "]",
        "1 2",     "{\"a\" 1}", "\"\t\"",  "[1,[2]",      "tru e",  "NaN"}) {
    EXPECT_FALSE(IsJson(bad)) << bad;
  }
  EXPECT_FALSE(IsJson(std::string("\"a\0b\"", 5)));
}

TEST(JsonScanTest, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(IsJson(nested(kMaxJsonDepth)));
  EXPECT_FALSE(IsJson(nested(kMaxJsonDepth + 1)));
  EXPECT_FALSE(IsJson(std::string(100'000, '[')));
}

TEST(JsonScanTest, MembersAndElementsComeInOrder) {
  std::vector<std::string> seen;
  EXPECT_TRUE(ForEachJsonMember(" {\"a\": 1, \"b\":[2, 3],\"\\u0063\":{}} ",
                                [&](std::string_view name, std::string_view value) {
                                  seen.push_back(std::string(name) + "=" + std::string(value));
                                  return true;
                                }));
  EXPECT_EQ(seen, (std::vector<std::string>{"a=1", "b=[2, 3]", "={}"}));
  EXPECT_FALSE(ForEachJsonMember("{\"a\":1} x", [](auto, auto) { return true; }));
  EXPECT_FALSE(ForEachJsonMember("[1]", [](auto, auto) { return true; }));
  EXPECT_FALSE(ForEachJsonElement("[1,2]", [](auto) { return false; }));
  EXPECT_TRUE(ForEachJsonElement("[]", [](auto) { return false; }));
}

std::string Numbers(int value, int count = 20) {
  std::string text = "[";
  for (int i = 0; i < count; ++i) text += (i > 0 ? "," : "") + std::to_string(value);
  return text + "]";
}

TEST(PeerRelayWireTest, IdsInAllForms) {
  const NodeId a = *NodeId::FromHex(kA);
  EXPECT_EQ(ParsePeerRelayId("\"" + kA + "\""), a);
  EXPECT_EQ(ParsePeerRelayId("\"" + std::string(40, 'A') + "\""), a);
  EXPECT_EQ(ParsePeerRelayId(Numbers(0xaa)), a);
  EXPECT_EQ(ParsePeerRelayId("{\"type\":\"Buffer\",\"data\":" + Numbers(0xaa) + "}"), a);
  for (const std::string& bad :
       {std::string("5"), std::string("null"), std::string("\"aa\""), Numbers(256), Numbers(1, 19),
        Numbers(1, 21), "{\"data\":" + Numbers(-1) + "}", std::string("{}"), "[" + Numbers(1) + "]",
        std::string("{\"data\":5}"), "\"" + std::string(40, 'g') + "\"", std::string()}) {
    EXPECT_FALSE(ParsePeerRelayId(bad).has_value()) << bad;
  }
}

std::string Frame(const std::string& data, const std::string& path = "[]",
                  const std::string& nonce = "\"17\"") {
  return "{\"to\":\"" + kA + "\",\"from\":{\"type\":\"Buffer\",\"data\":" + Numbers(0xbb) +
         "},\"path\":" + path + ",\"nonce\":" + nonce + ",\"data\":" + data + "}";
}

PeerRelayFault FaultOf(const std::string& text) {
  PeerRelayFrame frame;
  return ParsePeerRelayFrame(text, frame);
}

TEST(PeerRelayWireTest, FrameIsReadAndWritten) {
  const std::string text =
      Frame("{\"type\":\"user\", \"data\":{\"x\":[1,\"\\u00fc\"]}}", "[\"" + kB + "\"]");
  PeerRelayFrame frame;
  ASSERT_EQ(ParsePeerRelayFrame(text, frame), PeerRelayFault::kNone);
  EXPECT_EQ(frame.type, PeerRelayType::kUser);
  EXPECT_EQ(frame.body, "{\"x\":[1,\"\\u00fc\"]}");
  EXPECT_EQ(frame.nonce, "17");
  EXPECT_EQ(frame.hops, 1U);
  const NodeId node = *NodeId::FromHex(std::string(40, 'c'));
  std::string out;
  AppendPeerRelayFrame(frame, node, out);
  EXPECT_EQ(out, "{\"to\":\"" + kA + "\",\"from\":\"" + kB + "\",\"path\":[\"" + kB + "\",\"" +
                     node.ToHex() +
                     "\"],\"nonce\":\"17\",\"data\":{\"type\":\"user\", "
                     "\"data\":{\"x\":[1,\"\\u00fc\"]}}}");
  PeerRelayFrame again;
  ASSERT_EQ(ParsePeerRelayFrame(out, again), PeerRelayFault::kNone);
  EXPECT_EQ(again.from, frame.from);
  EXPECT_EQ(again.hops, 2U);
}

TEST(PeerRelayWireTest, FaultsAreTold) {
  const std::string user = "{\"type\":\"user\"}";
  EXPECT_EQ(FaultOf(Frame(user)), PeerRelayFault::kNone);
  EXPECT_EQ(FaultOf(Frame(user, "[]", "17")), PeerRelayFault::kNone) << "a number for a nonce";
  EXPECT_EQ(FaultOf("nonsense"), PeerRelayFault::kNoJson);
  EXPECT_EQ(FaultOf("null"), PeerRelayFault::kNoFrame);
  EXPECT_EQ(FaultOf("{}"), PeerRelayFault::kNoFrame);
  EXPECT_EQ(FaultOf(Frame(user, "5")), PeerRelayFault::kBadPath);
  EXPECT_EQ(FaultOf(Frame(user, "[5]")), PeerRelayFault::kBadPath);
  EXPECT_EQ(FaultOf(Frame(user, "[]", "\"a\\\"b\"")), PeerRelayFault::kNoFrame);
  EXPECT_EQ(FaultOf(Frame(user, "[]", "\"\"")), PeerRelayFault::kNoFrame);
  EXPECT_EQ(FaultOf(Frame(user, "[]", "\"" + std::string(65, '1') + "\"")),
            PeerRelayFault::kNoFrame);
  std::string bad_to = Frame(user);
  bad_to.replace(bad_to.find(kA), 40, "12");
  EXPECT_EQ(FaultOf(bad_to), PeerRelayFault::kBadId);
}

TEST(PeerRelayWireTest, DataThatWouldEndAClientIsBad) {
  const std::string id = "\"" + kA + "\"";
  for (const std::string& good :
       {"{\"type\":\"findPeers\",\"data\":" + id + "}",
        "{\"type\":\"foundPeers\",\"data\":[" + id + "," + id + "]}",
        std::string("{\"type\":\"foundPeers\",\"data\":[]}"),
        std::string("{\"type\":\"handshake-offer\"}"),
        std::string("{\"type\":\"handshake-answer\",\"data\":{\"ws\":null,\"wrtc\":true}}"),
        std::string("{\"type\":\"handshake-answer\",\"data\":{\"ws\":\"ws://localhost:81\"}}"),
        std::string("{\"type\":\"handshake-answer\",\"data\":{\"ws\":\"wss://a/b\"}}"),
        std::string("{\"type\":\"signal\",\"data\":{\"sdp\":\"x\"}}"),
        std::string("{\"type\":\"something new\",\"data\":[]}")}) {
    EXPECT_EQ(FaultOf(Frame(good)), PeerRelayFault::kNone) << good;
  }
  for (const std::string& bad :
       {std::string("null"), std::string("[]"), std::string("\"user\""), std::string("{}"),
        std::string("{\"type\":5}"), std::string("{\"type\":\"findPeers\"}"),
        std::string("{\"type\":\"findPeers\",\"data\":5}"),
        std::string("{\"type\":\"foundPeers\",\"data\":5}"),
        std::string("{\"type\":\"foundPeers\",\"data\":[5]}"),
        std::string("{\"type\":\"handshake-answer\",\"data\":{\"ws\":\"http://x\"}}"),
        std::string("{\"type\":\"handshake-answer\",\"data\":{\"ws\":\"ws://x:99999\"}}"),
        std::string("{\"type\":\"handshake-answer\",\"data\":{\"w\\u0073\":\"x\"}}"),
        std::string("{\"type\":\"signal\",\"data\":null}"), std::string("{\"type\":\"signal\"}"),
        std::string("{\"type\":\"user\",\"t\\u0079pe\":\"findPeers\"}")}) {
    EXPECT_EQ(FaultOf(Frame(bad)), PeerRelayFault::kBadData) << bad;
  }
}

TEST(PeerRelayWireTest, PathIsBounded) {
  const auto path = [](std::size_t count) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? ",\"" : "\"") + kA + "\"";
    return text + "]";
  };
  EXPECT_EQ(FaultOf(Frame("{\"type\":\"user\"}", path(kPeerRelayHops))), PeerRelayFault::kNone);
  EXPECT_EQ(FaultOf(Frame("{\"type\":\"user\"}", path(kPeerRelayHops + 1))),
            PeerRelayFault::kBadPath);
}

TEST(PeerRelayWireTest, OwnMessagesAreGood) {
  const NodeId id = *NodeId::FromHex(kA);
  const std::vector<NodeId> ids(3, id);
  for (const std::string& data :
       {FindPeersData(id), FoundPeersData(ids), FoundPeersData({}), OfferData(), AnswerData(""),
        AnswerData("ws://relay.example:7410")}) {
    EXPECT_EQ(FaultOf(Frame(data)), PeerRelayFault::kNone) << data;
  }
  PeerRelayFrame frame;
  frame.data = "{\"type\":\"handshake-answer\",\"data\":{\"ws\":\"ws://x\",\"wrtc\":true}}";
  ASSERT_TRUE(CheckPeerRelayData(frame));
  EXPECT_EQ(ReadPeerRelayAnswer(frame.body).url, "ws://x");
  EXPECT_TRUE(ReadPeerRelayAnswer(frame.body).wrtc);
}

}  // namespace
}  // namespace tombolo::node
