// What a node costs beside its transport: messages of 64 bytes from host to host through the core,
// the codec and the link table, over the memory network of the tests. Both hosts, and the network
// between them, run on one thread: ns per message is for all of it. With receipts and hop
// acknowledgements each message is four on the wire. No bars here: compare rows of one run.
//
//   host_bench [messages, default 200000]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

void Measure(const char* name, bool receipt, std::uint32_t per_turn, std::uint32_t messages) {
  TestNetwork net;
  net.Grow(2);
  net.network.delay = Duration::Microseconds(50);
  const std::string payload(64, 'x');
  const std::uint64_t frames = net.at(0).transport.frames_sent();
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t sent = 0; sent < messages;) {
    for (std::uint32_t i = 0; i < per_turn; ++i) {
      const Send send{sent++, net.at(1).id(), {}, Duration::Seconds(5), 1, receipt};
      if (!net.at(0).host.Execute(send, payload).ok()) std::abort();
    }
    net.network.RunFor(Duration::Microseconds(250));
    if (net.at(1).events.size() < per_turn) std::abort();
    net.at(0).events.clear();
    net.at(1).events.clear();
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
  const double frames_per_message =
      static_cast<double>(net.at(0).transport.frames_sent() - frames) / messages;
  std::printf("%-16s %3u a turn  %7.0f ns a message  %.3f frames a message from the sender\n", name,
              per_turn, spent.count() / messages, frames_per_message);
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) {
  const auto messages = static_cast<std::uint32_t>(argc > 1 ? std::atoi(argv[1]) : 200'000);
  for (const std::uint32_t per_turn : {1U, 32U}) {
    tombolo::node::Measure("fire and forget", false, per_turn, messages);
    tombolo::node::Measure("with receipt", true, per_turn, messages);
  }
  return 0;
}
