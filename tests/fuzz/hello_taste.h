// What strangers may do while connections come up: any bytes as a hello or as a certificate, and
// hellos, dials that cross, goodbyes, requests and ends in any order while time passes. Shared by
// the fuzzer and the test that runs its kept corpus.
//
// The first byte chooses, by its remainder of 3: 0, the rest is a hello; 1, a certificate (DER); 2,
// a play: two bytes per act, of which the first says who does what (see HelloStage::Act), the
// second how. Two strangers who listen play with one node.
#pragma once

#include <array>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "node/codec.h"
#include "node/identity.h"
#include "tests/fuzz/require.h"
#include "tests/node/stranger.h"

namespace tombolo::node {

// A hello that passes describes a node that could have written it.
inline void TasteHelloBytes(const std::string& bytes) {
  link::v1::Hello hello;
  if (!hello.ParseFromString(bytes)) return;
  const NodeId self{{1, 1, 1, 1, 1}};
  const NodeId proven = hello.id().size() == kIdBytes ? GetId(hello.id()) : NodeId{};
  if (!CheckHello(hello, proven, self).ok()) return;
  const RemoteDescription read = ReadHello(hello);
  SelfDescription same;
  same.id = proven;
  same.addresses.assign(hello.addresses().begin(), hello.addresses().end());
  same.dialable = hello.dialable();
  same.capabilities = read.capabilities;
  same.agent = read.agent;
  same.life = hello.life();
  link::v1::Hello written;
  WriteHello(same, hello.dial(), written);
  Require(CheckHello(written, proven, self).ok());
  Require(!CheckHello(written, self, self).ok());
}

// One that passes names the id of its key, and is no other once it is changed.
inline void TasteCertificate(std::string_view der) {
  const std::string text = absl::Base64Escape(absl::string_view(der.data(), der.size()));
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += 64) pem += text.substr(at, 64) + "\n";
  pem += "-----END CERTIFICATE-----\n";
  if (IdOfCertificate(pem).ok()) Require(!IdOfCertificate(pem + pem).ok());
  IdOfCertificate(der).IgnoreError();
}

class HelloStage {
 public:
  static constexpr std::size_t kMaxActs = 48;

  HelloStage() {
    net_.links.dial_back_interval = Duration::Seconds(1);
    net_.Add();
    for (std::size_t i = 0; i < strangers_.size(); ++i) {
      strangers_[i] = std::make_unique<Stranger>(net_, AddressOf(i));
      strangers_[i]->transport.Listen(AddressOf(i)).IgnoreError();
    }
  }

  void Play(std::string_view script) {
    for (std::size_t acts = 0; acts < kMaxActs && script.size() >= 2; ++acts) {
      const auto what = static_cast<unsigned char>(script[0]);
      const auto how = static_cast<unsigned char>(script[1]);
      script.remove_prefix(2);
      Act(what, how, script);
      net_.network.RunFor(Duration::Milliseconds(50));
      Look();
    }
    net_.network.RunFor(Duration::Seconds(8));
    Look();
    host().Stop();
    net_.network.RunFor(Duration::Seconds(10));
    Require(net_.at(0).stopped && host().links().connection_count() == 0);
    Require(host().links().kept_count() == 0);
    Require(host().lists_in_use() == 0 && host().payloads_in_use() == 0);
  }

 private:
  static std::string AddressOf(std::size_t index) {
    return "10.7.0." + std::to_string(index + 1) + ":1";
  }
  Host& host() { return net_.at(0).host; }

  // Bits 0 to 3 choose the act, bit 4 the stranger, bits 5 to 7 its connection.
  void Act(unsigned what, unsigned how, std::string_view& script) {
    const std::size_t who = (what >> 4) % strangers_.size();
    Stranger& stranger = *strangers_[who];
    const std::vector<ConnectionId> open = stranger.transport.connections();
    const ConnectionId link = open.empty() ? ConnectionId{} : open[(what >> 5) % open.size()];
    switch (what % 16) {
      case 0:
        stranger.transport.Dial(TestNetwork::AddressOf(0), std::nullopt);
        return;
      case 1:  // the node dials, whoever answers
        return host().SetBootstrap({AddressOf(how % 2), AddressOf(who)});
      case 2:
        return host().Execute(Connect{0, stranger.id()}).IgnoreError();
      case 3:
        return host().Execute(Disconnect{stranger.id()}).IgnoreError();
      case 4: {  // as of another life, or another dial
        Frame frame = stranger.GoodHello();
        const NodeId id = stranger.transport.poses_as.value_or(stranger.id());
        frame.mutable_hello()->clear_id();
        PutId(id, *frame.mutable_hello()->mutable_id());
        frame.mutable_hello()->set_life(how % 4);
        frame.mutable_hello()->set_dial(how / 4);
        frame.set_keep(how % 2 == 1);
        return Say(stranger, link, frame.SerializeAsString());
      }
      case 5: {  // spoiled: a byte of it is another
        std::string bytes = stranger.GoodHello().SerializeAsString();
        if (!script.empty()) bytes[how % bytes.size()] = script[0];
        return Say(stranger, link, bytes);
      }
      case 6: {  // any bytes
        const std::string bytes(script.substr(0, how));
        script.remove_prefix(bytes.size());
        return Say(stranger, link, bytes);
      }
      case 7:
        stranger.transport.Close(link);
        return;
      case 8:
        return net_.network.RunFor(Duration::Milliseconds(25) * how);
      case 9:
        return Pose(stranger, *strangers_[1 - who], how);
      case 10:
        return stranger.transport.Stall(how % 2 == 1);
      case 11:
        return Cut(who, how % 2 == 1);
      case 12: {
        const std::size_t memory = how / 8 % 2 == 1 ? 0 : std::size_t{1} << 30;
        return host().SetLimits({1 + how % 8, 64, std::size_t{1} << 20, 64, memory});
      }
      default:
        return Say(stranger, link, FrameOf(what, how).SerializeAsString());
    }
  }

  // What is said between hello and goodbye.
  static Frame FrameOf(unsigned what, unsigned how) {
    Frame frame;
    if (what % 16 == 13) {
      frame.mutable_goodbye()->set_reason(static_cast<link::v1::Goodbye::Reason>(how % 8));
      for (unsigned i = 0; i < how / 32; ++i)
        frame.mutable_goodbye()->add_alternatives(AddressOf(i));
    } else if (what % 16 == 14) {
      frame.mutable_dial_back()->set_address(AddressOf(how % 4));
    } else {
      frame.set_keep(how % 2 == 1);
      frame.mutable_dial_back_result()->set_outcome(
          static_cast<link::v1::DialBackResult::Outcome>(how / 2 % 4));
      if (how / 8 % 2 == 1) frame.add_messages()->mutable_ping()->set_rpc(how);
    }
    return frame;
  }

  static void Say(Stranger& stranger, ConnectionId link, const std::string& bytes) {
    stranger.transport.SendBytes(link, bytes);
  }

  // From now on it proves to be itself, the other one, or the node.
  void Pose(Stranger& stranger, const Stranger& other, unsigned how) {
    if (how % 3 == 0) stranger.transport.poses_as.reset();
    if (how % 3 == 1) stranger.transport.poses_as = other.id();
    if (how % 3 == 2) stranger.transport.poses_as = net_.at(0).id();
  }

  void Cut(std::size_t who, bool cut) {
    const std::pair pair(TestNetwork::AddressOf(0), AddressOf(who));
    if (cut) net_.network.cuts.insert(pair);
    if (!cut) net_.network.cuts.erase(pair);
  }

  // Whatever was done: who carries messages has said who it is, has proven it, and has one link.
  void Look() {
    const LinkTable& links = host().links();
    std::set<PeerRef> found;
    for (const auto& [id, connection] : links.connections()) {
      if (connection.state == ConnectionState::kReady) {
        Require(connection.greeted);
        Require(found.insert(connection.peer).second);
      }
      if (!connection.greeted) continue;
      Require(host().known().ids().id(connection.peer) == connection.remote);
      Require(connection.peer != KnownPeers::self());
    }
    for (const PeerRef peer : found) Require(links.Find(peer) != nullptr);
  }

  TestNetwork net_;
  std::array<std::unique_ptr<Stranger>, 2> strangers_;
};

inline void TasteOfHello(const std::string& input) {
  if (input.empty()) return;
  const std::string_view rest = std::string_view(input).substr(1);
  switch (static_cast<unsigned char>(input[0]) % 3) {
    case 0:
      return TasteHelloBytes(std::string(rest));
    case 1:
      return TasteCertificate(rest);
    default:
      return HelloStage().Play(rest);
  }
}

}  // namespace tombolo::node
