#include "node/tomboloctl_watch.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tombolo::node {
namespace {

namespace control = tombolo::control::v1;
using Stub = control::Control::Stub;

constexpr std::size_t kPeers = 8;
constexpr std::size_t kEvents = 8;

struct Look {
  control::StatusReply status;
  control::PeersReply peers;
  std::chrono::steady_clock::time_point at;
};

grpc::Status TakeLook(Stub& stub, Look& look) {
  const auto ask = [](grpc::ClientContext& context) -> grpc::ClientContext* {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    return &context;
  };
  grpc::ClientContext first;
  const grpc::Status status = stub.Status(ask(first), {}, &look.status);
  if (!status.ok()) return status;
  grpc::ClientContext second;
  look.at = std::chrono::steady_clock::now();
  return stub.Peers(ask(second), {}, &look.peers);
}

std::uint64_t SumOf(const control::StatusReply& status, std::string_view prefix) {
  std::uint64_t sum = 0;
  for (const auto& [name, value] : status.counters()) {
    if (name.starts_with(prefix)) sum += value;
  }
  return sum;
}

std::string RateOf(const Look& before, const Look& now, std::string_view prefix) {
  const std::chrono::duration<double> span = now.at - before.at;
  const auto change = static_cast<double>(SumOf(now.status, prefix) - SumOf(before.status, prefix));
  return std::to_string(span.count() > 0 ? static_cast<std::int64_t>(change / span.count()) : 0);
}

std::string Padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// What people want to see of an event first; a line is cut at the edge of the terminal.
std::string LineOf(const control::Event& event) {
  if (event.has_message()) {
    return "from " + HexOf(event.message().origin()).substr(0, 8) + ": " +
           ShownPayload(event.message().payload());
  }
  if (event.has_broadcast()) {
    return "broadcast of " + HexOf(event.broadcast().origin()).substr(0, 8) + ": " +
           ShownPayload(event.broadcast().payload());
  }
  return JsonText(event);
}

// Milliseconds; "-" for a link that has measured no round trip yet.
std::string RttOf(const control::PeersReply::Peer& peer) {
  if (peer.rtt_us() == 0) return "-";
  const std::uint64_t tenths = peer.rtt_us() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::vector<std::string> LinesOf(const Look& before, const Look& now,
                                 const std::deque<std::string>& events) {
  const control::StatusReply& status = now.status;
  std::vector<std::string> lines;
  lines.push_back(HexOf(status.id()) + "  " + control::StatusReply::State_Name(status.state()) +
                  "  " + status.version() + "  up " + std::to_string(status.uptime_ms() / 1000) +
                  " s");
  lines.push_back("links " + std::to_string(status.links()) + " of " +
                  std::to_string(status.connections()) + " connections   contacts " +
                  std::to_string(status.contacts()) + "   dialable " +
                  control::StatusReply::Reachability_Name(status.reachability()));
  lines.push_back("messages/s   sent " + RateOf(before, now, "sent_") + "   received " +
                  RateOf(before, now, "received_") + "   dropped " +
                  RateOf(before, now, "dropped_"));
  lines.emplace_back();
  std::vector<const control::PeersReply::Peer*> peers;
  for (const auto& peer : now.peers.peers()) peers.push_back(&peer);
  std::ranges::stable_sort(peers, std::ranges::greater{}, [](const auto* peer) {
    return std::pair(peer->queued_bytes(), peer->rtt_us());
  });
  lines.push_back(Padded("peer", 42) + Padded("address", 24) + Padded("rtt ms", 9) + "queued");
  for (std::size_t i = 0; i < std::min(peers.size(), kPeers); ++i) {
    lines.push_back(Padded(HexOf(peers[i]->id()), 42) + Padded(peers[i]->address(), 24) +
                    Padded(RttOf(*peers[i]), 9) + std::to_string(peers[i]->queued_bytes()));
  }
  if (peers.size() > kPeers) lines.push_back(std::to_string(peers.size() - kPeers) + " more");
  lines.emplace_back();
  lines.emplace_back("latest events");
  for (const std::string& event : events) lines.push_back("  " + event);
  return lines;
}

// Over what was drawn before; never more than the terminal shows.
class Screen {
 public:
  void Draw(const std::vector<std::string>& lines) {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
    const std::size_t rows = known ? size.ws_row - 1U : 24;
    const std::size_t columns = known && size.ws_col > 0 ? size.ws_col : 80;
    std::string text;
    if (drawn_ > 0) text += "\033[" + std::to_string(drawn_) + "A";
    drawn_ = std::min(lines.size(), rows);
    for (std::size_t i = 0; i < drawn_; ++i) text += lines[i].substr(0, columns) + "\033[K\n";
    std::fputs((text + "\033[J").c_str(), stdout);
    std::fflush(stdout);
  }

 private:
  std::size_t drawn_ = 0;
};

// Events as they come, gathered by a thread.
class Gatherer {
 public:
  Gatherer(Stub& stub, const control::SubscribeRequest& wanted)
      : reader_(stub.Subscribe(&context_, wanted)), thread_([this] { Read(); }) {}
  ~Gatherer() {
    context_.TryCancel();
    thread_.join();
  }
  Gatherer(const Gatherer&) = delete;
  Gatherer& operator=(const Gatherer&) = delete;

  // Waits a while, or until the stream has ended: false then.
  bool Wait(std::chrono::milliseconds span) {
    std::unique_lock lock(mutex_);
    return !ended_changed_.wait_for(lock, span, [this] { return ended_; });
  }
  std::deque<std::string> latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

 private:
  void Read() {
    for (control::Event event; reader_->Read(&event);) {
      if (event.has_subscribed()) continue;  // that the stream has begun can be seen
      const std::lock_guard lock(mutex_);
      latest_.push_front(LineOf(event));
      if (latest_.size() > kEvents) latest_.pop_back();
    }
    const grpc::Status ignored = reader_->Finish();
    const std::lock_guard lock(mutex_);
    ended_ = true;
    ended_changed_.notify_all();
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<control::Event>> reader_;
  mutable std::mutex mutex_;
  std::condition_variable ended_changed_;
  std::deque<std::string> latest_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace

int WatchLines(Stub& stub, const control::SubscribeRequest& wanted, const Printer& printer) {
  grpc::ClientContext context;
  const auto reader = stub.Subscribe(&context, wanted);
  for (control::Event event; reader->Read(&event);) printer.Print(event);
  const grpc::Status status = reader->Finish();
  return status.ok() ? 0 : printer.Error(status);
}

int WatchLive(Stub& stub, const control::SubscribeRequest& wanted, const Printer& printer) {
  Look before;
  if (const grpc::Status status = TakeLook(stub, before); !status.ok())
    return printer.Error(status);
  Gatherer gatherer(stub, wanted);
  Screen screen;
  screen.Draw(LinesOf(before, before, gatherer.latest()));
  while (gatherer.Wait(std::chrono::seconds(1))) {
    Look now;
    if (const grpc::Status status = TakeLook(stub, now); !status.ok()) return printer.Error(status);
    screen.Draw(LinesOf(before, now, gatherer.latest()));
    before = std::move(now);
  }
  return printer.Error({grpc::StatusCode::UNAVAILABLE, "the node has ended"});
}

}  // namespace tombolo::node
