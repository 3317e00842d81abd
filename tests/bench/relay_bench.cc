// Messages of 64 bytes from a node through a second to a third, over links with TLS, beside echoes
// of as many bytes over a bare gRPC stream with the same credentials, in one run.
//
//   relay_bench [MESSAGES, default 100000] [IN_FLIGHT, default 64]
//
// All in this process, a thread per node beside gRPC's. An echo crosses one link twice, a relayed
// message two links once each, and every crossing is acknowledged; one with a receipt, which comes
// back the same way, four times. In flight: messages until they have arrived, or their receipts
// have. Rows are medians of five interleaved rounds.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <variant>
#include <vector>

#include "tests/bench/bare_grpc.h"
#include "tests/bench/bench_node.h"

namespace tombolo::node {
namespace {

// Sends the next message when one has ended; `origin`'s strand.
class Load {
 public:
  Load(BenchNode& origin, const NodeId& target, bool receipt, int messages, std::size_t bytes)
      : origin_(origin),
        target_(target),
        receipt_(receipt),
        left_(messages),
        bytes_(bytes),
        to_end_(messages) {}

  void SendOne() {
    if (left_ == 0) return;
    --left_;
    Send send;
    send.target = target_;
    send.deadline = Duration::Seconds(10);
    send.receipt = receipt_;
    const std::string payload(bytes_, 'x');
    if (!receipt_) {
      if (!origin_.application.Do(send, payload).ok()) std::abort();
      return;
    }
    const auto asked = origin_.application.Ask(send, payload, [this](const Event& event, auto&) {
      if (!std::holds_alternative<Delivered>(event)) std::abort();
      if (--to_end_ == 0) done_.set_value();
      SendOne();
    });
    if (!asked.ok()) std::abort();
  }
  // A message without a receipt has arrived; of the target's strand.
  void Arrived() {
    if (--to_end_ == 0) done_.set_value();
  }
  void Wait() { done_.get_future().wait(); }

 private:
  BenchNode& origin_;
  const NodeId target_;
  const bool receipt_;
  int left_;
  std::size_t bytes_;
  int to_end_;  // of one strand
  std::promise<void> done_;
};

double RelayRate(BenchNode& from, BenchNode& to, bool receipt, const EchoLoad& load) {
  Load sends(from, to.id(), receipt, load.echoes, load.frame_bytes);
  const std::uint64_t listener = to.Do([&] {
    return to.application.Listen([&](const Event& event, const std::string&) {
      if (receipt || !std::holds_alternative<MessageArrived>(event)) return;
      sends.Arrived();
      boost::asio::post(from.executor(), [&] { sends.SendOne(); });
    });
  });
  const auto start = BenchClock::now();
  from.Do([&] {
    for (int i = 0; i < load.in_flight; ++i) sends.SendOne();
  });
  sends.Wait();
  const double rate = load.echoes / SecondsSince(start);
  to.Do([&] { to.application.Unlisten(listener); });
  from.Do([] {});
  return rate;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void Run(const EchoLoad& load) {
  BenchNode middle("");
  BenchNode from(middle.address);
  BenchNode to(middle.address, {from.id()});
  from.Until([&] { return from.IsLinkedTo(middle); });
  to.Until([&] { return to.IsLinkedTo(middle); });
  std::vector<double> bare;
  std::vector<double> plain;
  std::vector<double> receipts;
  for (int round = 0; round < 5; ++round) {
    bare.push_back(BareEchoRate(load));
    plain.push_back(RelayRate(from, to, false, load));
    receipts.push_back(RelayRate(from, to, true, load));
  }
  std::printf("%d messages of %zu bytes, %d in flight, TLS, all nodes in this process\n",
              load.echoes, load.frame_bytes, load.in_flight);
  const auto print = [&](const char* name, const std::vector<double>& rates) {
    std::printf("%-26s %9.0f /s  %5.1f %% of bare echoes\n", name, Median(rates),
                100 * Median(rates) / Median(bare));
  };
  print("bare gRPC echo", bare);
  print("relayed, fire and forget", plain);
  print("relayed, with receipt", receipts);
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) {
  tombolo::node::EchoLoad load;
  load.echoes = argc > 1 ? std::atoi(argv[1]) : 100'000;
  load.in_flight = argc > 2 ? std::atoi(argv[2]) : 64;
  if (load.in_flight < 1 || load.echoes < load.in_flight) {
    std::fputs("usage: relay_bench [MESSAGES >= IN_FLIGHT] [IN_FLIGHT]\n", stderr);
    return 2;
  }
  tombolo::node::Run(load);
  return 0;
}
