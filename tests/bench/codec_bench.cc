// What it costs to put a message on the wire and to get it back, bytes included: encode, serialise,
// parse and decode, in ns per message. A reply to find_node names 20 contacts of one address each;
// a forward carries 64 bytes. Then the same for frames of 32 forwards, per message. No bars here:
// machines differ, compare rows of one run.
//
//   codec_bench [messages per row, default 300000]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "node/codec.h"
#include "node/transport.h"

namespace tombolo::node {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Tables {
  Tables() : peers(NodeId{{1}}), codec(peers, lists, payloads) {
    std::vector<PeerRef> contacts;
    for (std::uint32_t i = 0; i < 20; ++i) {
      const std::string address = "192.168.10." + std::to_string(i + 1) + ":7400";
      const std::string_view addresses[] = {address};
      contacts.push_back(*peers.Name(NodeId{{i * 0x01020304U + 7, 2, 3, 4, 5}}, addresses,
                                     KnownPeers::self(), Time{}));
    }
    list = lists.Add(contacts);
    payload = payloads.Add(64, std::string(64, 'x'));
  }

  KnownPeers peers;
  ContactLists lists;
  PayloadStore payloads;
  Codec codec;
  ListHandle list;
  Payload payload;
};

double NanosecondsPer(int messages, SteadyClock::time_point start) {
  const std::chrono::duration<double, std::nano> spent = SteadyClock::now() - start;
  return spent.count() / messages;
}

void Discard(const Message& message, Tables& tables) {
  tables.lists.Release(ListOf(message));
  tables.payloads.Release(PayloadOf(message));
}

// `per_frame` messages share a frame.
void Measure(const char* name, const Message& message, int per_frame, int messages) {
  Tables tables;
  std::string bytes;
  std::vector<Message> received(static_cast<std::size_t>(per_frame));
  double encode = 0;
  double decode = 0;
  for (int done = 0; done < messages; done += per_frame) {
    auto start = SteadyClock::now();
    Frame frame;
    for (int i = 0; i < per_frame; ++i) tables.codec.Encode(message, *frame.add_messages());
    frame.SerializeToString(&bytes);
    encode += NanosecondsPer(per_frame, start);
    start = SteadyClock::now();
    Frame read;
    bool good = read.ParseFromString(bytes);
    for (int i = 0; i < per_frame; ++i) {
      good = good && tables.codec
                         .Decode(*read.mutable_messages(i), PeerRef{1}, Time{},
                                 received[static_cast<std::size_t>(i)])
                         .ok();
    }
    decode += NanosecondsPer(per_frame, start);
    if (!good) std::abort();
    for (const Message& each : received) Discard(each, tables);
  }
  const double frames = static_cast<double>(messages) / per_frame;
  std::printf("%-28s %6zu bytes  encode %7.0f ns  decode %7.0f ns  both %7.0f ns\n", name,
              bytes.size(), encode / frames, decode / frames, (encode + decode) / frames);
}

void Run(int messages) {
  const Tables tables;  // handles and refs are the same in all of them
  Forward forward{};
  forward.id = 0x1122334455667788ULL;
  forward.origin = NodeId{{1, 2, 3, 4, 5}};
  forward.target = NodeId{{5, 4, 3, 2, 1}};
  forward.payload = tables.payload;
  forward.hop = 0x12345678;
  forward.ttl = 60;
  forward.hops = 3;
  forward.detours = 16;
  forward.wants_receipt = true;
  Measure("ping", Ping{0x12345678}, 1, messages);
  Measure("nodes, 20 contacts", Nodes{0x12345678, tables.list}, 1, messages / 10);
  Measure("forward, 64 B", forward, 1, messages);
  Measure("forward, 64 B, 32 a frame", forward, 32, messages);
  Measure("hop_ack, 32 a frame", HopAck{0x12345678, HopStatus::kAccepted}, 32, messages);
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) {
  tombolo::node::Run(argc > 1 ? std::atoi(argv[1]) : 300'000);
  return 0;
}
