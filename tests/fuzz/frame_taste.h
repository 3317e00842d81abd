// What a hostile node may send over a link: any bytes as a frame after a good hello, or in its
// place. The messages that the codec lets through reach a core that takes part in an overlay.
// Shared by the fuzzer and the test that runs its kept corpus.
//
// The first byte chooses, by its remainder of 3: 0, the rest is a frame for a host, after a hello;
// 1, a message for codec and core alone, which is faster; 2, the first frame for a host.
#pragma once

#include <cstdlib>
#include <string>

#include "tests/node/core_taster.h"
#include "tests/node/stranger.h"

namespace tombolo::node {

inline void Require(bool condition) {
  if (!condition) std::abort();
}

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

inline void TasteFrame(const std::string& bytes, bool polite) {
  TestNetwork net;
  net.Add();
  Stranger stranger(net, "10.7.0.1:1");
  stranger.DialNode(0);
  if (polite) stranger.Say(stranger.GoodHello());
  stranger.SayBytes(bytes);
  net.network.RunFor(Duration::Seconds(20));
  net.at(0).host.Stop();
  net.network.RunFor(Duration::Seconds(10));
  Require(net.at(0).stopped);
  Require(net.at(0).host.lists_in_use() == 0 && net.at(0).host.payloads_in_use() == 0);
}

inline void Taste(const std::string& input) {
  if (input.empty()) return;
  const int way = static_cast<unsigned char>(input.front()) % 3;
  if (way == 1) return TasteMessage(input.substr(1));
  TasteFrame(input.substr(1), way == 0);
}

}  // namespace tombolo::node
