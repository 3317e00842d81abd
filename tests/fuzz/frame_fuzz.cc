// What a hostile node may send over a link: any bytes as a frame after a good hello, or in its
// place. The messages that the codec lets through reach a core that takes part in an overlay.
//
// The first byte chooses: even, the rest is a frame for a host; odd, a message for the codec alone,
// which is faster.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/node/core_taster.h"
#include "tests/node/stranger.h"

namespace tombolo::node {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void TasteMessage(const std::string& bytes) {
  wire::Message read;
  if (!read.ParseFromString(bytes)) return;
  KnownPeers peers(NodeId{{1, 1, 1, 1, 1}});
  ContactLists lists;
  PayloadStore payloads;
  Codec codec(peers, lists, payloads);
  CoreTaster taster(peers, lists, payloads);
  const PeerRef from = *peers.Name(NodeId{{2, 2, 2, 2, 2}}, {}, Time{});
  taster.LinkUp(from);
  Message message;
  const std::size_t known = peers.size();
  if (codec.Decode(read, taster.now(), message).ok()) {
    taster.Taste(from, message);
    taster.PassTime(Duration::Seconds(30));
  } else {
    Require(peers.size() == known);
  }
  taster.Leave();
  Require(lists.in_use() == 0 && payloads.in_use() == 0);
}

void TasteFrame(const std::string& bytes) {
  TestNetwork net;
  net.Add();
  Stranger stranger(net, "10.7.0.1:1");
  stranger.DialNode(0);
  const bool polite = !bytes.empty() && (bytes.front() & 1) == 0;
  if (polite) stranger.Say(stranger.GoodHello());
  stranger.SayBytes(bytes);
  net.network.RunFor(Duration::Seconds(20));
  net.at(0).host.Stop();
  net.network.RunFor(Duration::Seconds(10));
  Require(net.at(0).stopped);
  Require(net.at(0).host.lists_in_use() == 0 && net.at(0).host.payloads_in_use() == 0);
}

}  // namespace
}  // namespace tombolo::node

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & 1) == 0) {
    tombolo::node::TasteFrame(bytes);
  } else {
    tombolo::node::TasteMessage(bytes);
  }
  return 0;
}
