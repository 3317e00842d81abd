// Bytes per second of a channel between two nodes over a link with TLS, beside those of a bare gRPC
// stream of frames of 16 KiB with the same credentials, and of a channel that a third node relays.
//
//   channel_bench [MEGABYTES, default 400] [ROUNDS, default 5]
//
// All ends in this process, a thread per node beside gRPC's. Rows are medians of interleaved
// rounds. What arrives over a channel is compared with what was sent. The last row is the most that
// the process had resident.
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "tests/bench/bare_grpc.h"
#include "tests/bench/bench_node.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kBlock = 16 * 1024;

const std::string& Block(std::size_t index) {
  static const std::vector<std::string> blocks = [] {
    std::vector<std::string> made;
    Rng rng(1);
    for (int i = 0; i < 64; ++i) {
      std::string& block = made.emplace_back();
      while (block.size() < kBlock) block.push_back(static_cast<char>(rng.Next()));
    }
    return made;
  }();
  return blocks[index % blocks.size()];
}

// Writes blocks as long as there is room.
class Writer final : public ChannelListener {
 public:
  Writer(ChannelTable& table, std::size_t blocks) : table_(table), blocks_(blocks) {}

  void Begin(ChannelNumber number) {
    number_ = number;
    Write();
  }
  void OnData(ChannelNumber, std::string) override {}
  void OnEnd(ChannelNumber) override {}
  void OnWritable(ChannelNumber) override { Write(); }
  void OnReset(ChannelNumber, ResetReason, const std::string&) override { std::abort(); }
  void OnClosed(ChannelNumber) override {}

 private:
  void Write() {
    while (block_ < blocks_) {
      const std::string_view rest = std::string_view(Block(block_)).substr(done_);
      const std::size_t taken = table_.Write(number_, rest);
      done_ += taken;
      if (taken < rest.size()) return;
      ++block_;
      done_ = 0;
    }
    table_.Finish(number_);
  }
  ChannelTable& table_;
  const std::size_t blocks_;
  ChannelNumber number_{};
  std::size_t block_ = 0;
  std::size_t done_ = 0;
};

// Compares what comes with what was sent.
class Reader final : public ChannelListener {
 public:
  explicit Reader(ChannelTable& table) : table_(table) {}

  void OnData(ChannelNumber number, std::string bytes) override {
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::string_view expected =
          std::string_view(Block(got_ / kBlock)).substr(got_ % kBlock, rest.size());
      if (!rest.starts_with(expected)) {
        std::fputs("other bytes have arrived than were sent\n", stderr);
        std::exit(1);
      }
      got_ += expected.size();
      rest.remove_prefix(expected.size());
    }
    table_.Consume(number, bytes.size());
  }
  void OnEnd(ChannelNumber number) override {
    table_.Finish(number);
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  void OnWritable(ChannelNumber) override {}
  void OnReset(ChannelNumber, ResetReason, const std::string&) override { std::abort(); }
  void OnClosed(ChannelNumber) override {}

  // How many bytes have come in all.
  std::size_t Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
    return got_;
  }

 private:
  ChannelTable& table_;
  std::size_t got_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
};

double ChannelRate(BenchNode& from, BenchNode& to, std::size_t blocks) {
  Writer writer(from.host.channels(), blocks);
  Reader reader(to.host.channels());
  to.Do([&] {
      return to.host.channels().Accept("pour",
                                       [&](ChannelNumber, const NodeId&) { return &reader; });
    }).IgnoreError();
  const auto start = BenchClock::now();
  from.Do([&] { writer.Begin(*from.host.channels().Open(to.id(), "pour", writer)); });
  if (reader.Wait() != blocks * kBlock) std::abort();
  const double rate = static_cast<double>(blocks * kBlock) / SecondsSince(start);
  to.Do([&] { to.host.channels().Withdraw("pour"); });
  for (BenchNode* node : {&from, &to}) {
    node->Until([&] { return node->host.channels().size() == 0; });
  }
  return rate;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void Run(std::size_t megabytes, int rounds) {
  const std::size_t blocks = megabytes * 1'000'000 / kBlock;
  BenchNode middle("");
  BenchNode from(middle.address);
  BenchNode to(middle.address);
  BenchNode hidden(middle.address, {from.id()});  // to `from`
  from.Until([&] { return from.IsLinkedTo(to) && from.IsLinkedTo(middle); });
  hidden.Until([&] { return hidden.IsLinkedTo(middle); });
  std::vector<double> bare;
  std::vector<double> direct;
  std::vector<double> relayed;
  for (int round = 0; round < rounds; ++round) {
    bare.push_back(BarePourRate(static_cast<int>(blocks), kBlock));
    direct.push_back(ChannelRate(from, to, blocks));
    relayed.push_back(ChannelRate(from, hidden, blocks));
  }
  std::printf("%zu MB in writes of 16 KiB, TLS, all ends in this process\n", megabytes);
  const auto print = [&](const char* name, const std::vector<double>& rates) {
    std::printf("%-24s %7.1f MB/s  %5.1f %% of bare gRPC\n", name, Median(rates) / 1e6,
                100 * Median(rates) / Median(bare));
  };
  print("bare gRPC stream", bare);
  print("channel over a link", direct);
  print("channel, one relay", relayed);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%-24s %7ld MiB\n", "resident at most", usage.ru_maxrss / 1024);
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) {
  const int megabytes = argc > 1 ? std::atoi(argv[1]) : 400;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  if (megabytes < 1 || rounds < 1) {
    std::fputs("usage: channel_bench [MEGABYTES] [ROUNDS]\n", stderr);
    return 2;
  }
  tombolo::node::Run(static_cast<std::size_t>(megabytes), rounds);
  return 0;
}
