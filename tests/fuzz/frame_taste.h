// What a hostile node may send over a link: any bytes as a frame after a good hello, or in its
// place. The messages that the codec lets through reach a core that takes part in an overlay.
// Shared by the fuzzer and the test that runs its kept corpus.
//
// The first byte chooses, by its remainder of 4: 0, the rest is a frame for a host, after a hello;
// 1, a message for codec and core alone, which is faster; 2, the first frame for a host; 3, a
// payload that is relayed to a host. Hosts accept channels to the service "s", and echo.
#pragma once

#include <string>

#include "tests/fuzz/require.h"
#include "tests/node/core_taster.h"
#include "tests/node/stranger.h"

namespace tombolo::node {

inline void TasteMessage(const std::string& bytes) {
  wire::Message read;
  if (!read.ParseFromString(bytes)) return;
  KnownPeers peers(NodeId{{1, 1, 1, 1, 1}});
  ContactLists lists;
  PayloadStore payloads;
  Codec codec(peers, lists, payloads);
  CoreTaster taster(peers, lists, payloads);
  const PeerRef from = *peers.Name(NodeId{{2, 2, 2, 2, 2}}, {}, KnownPeers::self(), Time{});
  taster.LinkUp(from);
  Message message;
  const std::size_t known = peers.size();
  if (codec.Decode(read, from, taster.now(), message).ok()) {
    taster.Taste(from, message);
    taster.PassTime(Duration::Seconds(30));
  } else {
    Require(peers.size() == known);
  }
  taster.Leave();
  Require(lists.in_use() == 0 && payloads.in_use() == 0);
}

// Sends back what comes, and takes what there is room for.
class Echo final : public ChannelListener {
 public:
  explicit Echo(ChannelTable& table) : table_(table) {}
  void OnData(ChannelNumber channel, std::string bytes) override {
    table_.Write(channel, bytes);
    table_.Consume(channel, bytes.size());
  }
  void OnEnd(ChannelNumber channel) override { table_.Finish(channel); }
  void OnWritable(ChannelNumber) override {}
  void OnReset(ChannelNumber, ResetReason, const std::string&) override {}
  void OnClosed(ChannelNumber) override {}

 private:
  ChannelTable& table_;
};

// As a stranger passes it on to a node.
inline Frame RelayTo(const NodeId& target, const NodeId& origin, const std::string& payload) {
  Frame frame;
  frame.set_keep(true);
  wire::Forward& forward = *frame.add_messages()->mutable_forward();
  forward.set_id(1000);
  PutId(origin, *forward.mutable_origin());
  PutId(target, *forward.mutable_target());
  forward.set_payload(payload);
  forward.set_ttl(8);
  return frame;
}

enum class Manner { kPolite, kRude, kRelayed };

inline void TasteFrame(const std::string& bytes, Manner manner) {
  TestNetwork net;
  net.Add();
  ChannelTable& channels = net.at(0).host.channels();
  Echo echo(channels);
  Require(channels.Accept("s", [&](ChannelNumber, const NodeId&) { return &echo; }).ok());
  Stranger stranger(net, "10.7.0.1:1");
  stranger.DialNode(0);
  if (manner != Manner::kRude) stranger.Say(stranger.GoodHello());
  if (manner == Manner::kRelayed) {
    stranger.Say(RelayTo(net.at(0).id(), stranger.id(), bytes));
  } else {
    stranger.SayBytes(bytes);
  }
  net.network.RunFor(Duration::Seconds(20));
  Require(channels.memory() <= ChannelOptions().max_memory);
  net.at(0).host.Stop();
  net.network.RunFor(Duration::Seconds(10));
  Require(net.at(0).stopped && channels.size() == 0 && channels.memory() == 0);
  Require(net.at(0).host.lists_in_use() == 0 && net.at(0).host.payloads_in_use() == 0);
}

inline void Taste(const std::string& input) {
  if (input.empty()) return;
  const int way = static_cast<unsigned char>(input.front()) % 4;
  if (way == 1) return TasteMessage(input.substr(1));
  TasteFrame(input.substr(1), way == 0   ? Manner::kPolite
                              : way == 2 ? Manner::kRude
                                         : Manner::kRelayed);
}

}  // namespace tombolo::node
