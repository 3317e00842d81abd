// The price of the transport: frames of 64 bytes echoed between two nodes over TLS, beside the same
// bytes echoed by bare gRPC streams with the same credentials, in one run on one machine.
//
//   link_bench [ECHOES] [IN_FLIGHT] [FRAME_BYTES]
//
// Both ends in this process. The transport runs unbatched (one frame per write) and as nodes run it
// (frames that wait share a write; each message is answered by a frame of its own). Each row is the
// median of five rounds, interleaved.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/bare_grpc.h"

namespace tombolo::node {
namespace {

class EchoEnd final : public TransportEvents {
 public:
  EchoEnd(boost::asio::io_context& io, GrpcTransportOptions options)
      : identity(Identity::Generate().value()),
        transport(io.get_executor(), identity, options, *this) {}

  void Opened(ConnectionId connection, const RemoteNode& remote) override {
    if (remote.outbound) open = connection;
  }
  void Received(ConnectionId connection, std::unique_ptr<Frame> frame) override {
    received += frame->messages_size();
    for (auto& message : *frame->mutable_messages()) {
      if (to_send-- <= 0) return;
      Frame answer;
      *answer.add_messages() = std::move(message);
      transport.Send(connection, std::move(answer));
    }
  }
  void Drained(ConnectionId) override {}
  void Closed(ConnectionId, CloseCause, const std::string&) override {}

  Identity identity;
  std::optional<ConnectionId> open;
  int received = 0;
  int to_send = 0;
  GrpcTransport transport;
};

double TransportRate(const EchoLoad& load, std::size_t merge) {
  boost::asio::io_context io(1);
  GrpcTransportOptions options;
  options.max_merge_bytes = merge;
  EchoEnd listener(io, options);
  EchoEnd dialler(io, options);
  if (!listener.transport.Listen("127.0.0.1:0").ok()) std::abort();
  dialler.transport.Dial(listener.transport.listening(), listener.identity.id());
  while (!dialler.open) io.run_one();
  listener.to_send = load.echoes;
  dialler.to_send = load.echoes - load.in_flight;
  const auto start = BenchClock::now();
  for (int i = 0; i < load.in_flight; ++i)
    dialler.transport.Send(*dialler.open, FrameOf(load.frame_bytes));
  while (dialler.received < load.echoes) io.run_one();
  const double rate = load.echoes / SecondsSince(start);
  dialler.transport.Stop();
  listener.transport.Stop();
  return rate;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void Run(const EchoLoad& load) {
  std::vector<double> bare;
  std::vector<double> single;
  std::vector<double> merged;
  for (int round = 0; round < 5; ++round) {
    bare.push_back(BareEchoRate(load));
    single.push_back(TransportRate(load, 0));
    merged.push_back(TransportRate(load, GrpcTransportOptions().max_merge_bytes));
  }
  std::printf("%d echoes of %zu-byte frames, %d in flight, TLS, both ends in this process\n",
              load.echoes, load.frame_bytes, load.in_flight);
  const auto print = [&bare](const char* name, const std::vector<double>& rates) {
    std::printf("%-24s %9.0f echoes/s  %5.1f %% of bare gRPC\n", name, Median(rates),
                100 * Median(rates) / Median(bare));
  };
  print("bare gRPC", bare);
  print("transport, unbatched", single);
  print("transport, batching", merged);
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) {
  tombolo::node::EchoLoad load;
  if (argc > 1) load.echoes = std::atoi(argv[1]);
  if (argc > 2) load.in_flight = std::atoi(argv[2]);
  if (argc > 3) load.frame_bytes = static_cast<std::size_t>(std::atoi(argv[3]));
  if (load.echoes < 1 || load.in_flight < 1 || load.in_flight > load.echoes ||
      load.frame_bytes < 8) {
    std::fputs("usage: link_bench [ECHOES >= IN_FLIGHT] [IN_FLIGHT] [FRAME_BYTES >= 8]\n", stderr);
    return 2;
  }
  tombolo::node::Run(load);
  return 0;
}
