// Load on a server that speaks peer-relay's wire, ours or the original: what does relaying cost it?
//
//   peer_relay_load relay PORT PID [BYTES] [SECONDS] [WINDOW] [deflate]
//   peer_relay_load idle PORT PID [CONNECTIONS]
//
// relay: one client sends `user` messages with BYTES of text to another one, at most WINDOW under
// way. Prints messages per second, microseconds of the server's CPU (of process PID, from /proc)
// and of this program per message. With `deflate` it offers compression as the original clients do
// and compresses what it sends if the server agrees. idle: opens CONNECTIONS clients, says their
// ids and prints by how much the server's RSS has grown per connection.
//
// Speaks to any server that behaves like the original. The window is closed: a message that is lost
// stops the run, which then fails.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "node/gateway/peer_relay_wire.h"
#include "node/gateway/websocket_deflate.h"
#include "node/gateway/websocket_frame.h"
#include "node/gateway/websocket_upgrade.h"
#include "overlay/rng.h"

namespace tombolo::node {
namespace {

using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "peer_relay_load: %s\n", what.c_str());
  std::exit(1);
}

// Seconds of CPU of a process, all threads.
double CpuOf(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string field;
  double ticks = 0;
  for (int i = 3; fields >> field; ++i) {
    if (i == 14 || i == 15) ticks += std::stod(field);
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double OwnCpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double RssKiBOf(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr);
  }
  Die("no such process");
}

NodeId RandomId(Rng& rng) {
  NodeId id;
  for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(rng.Next() >> 32);
  return id;
}

// A client with blocking writes of whole batches.
class Client {
 public:
  Client(int port, bool deflate, Rng& rng) : id(RandomId(rng)), socket_(Connect(port)) {
    std::string request = MakeUpgrade(*ParseWebSocketUrl("ws://127.0.0.1:" + std::to_string(port)),
                                      UpgradeKey("0123456789abcdef"));
    if (deflate) {
      request.insert(request.size() - 2,
                     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    }
    Write(request);
    while (UpgradeBytes(in_) == 0) Fill();
    const std::size_t size = UpgradeBytes(in_);
    const std::string response = in_.substr(0, size);
    if (!response.starts_with("HTTP/1.1 101")) Die("refused: " + response);
    deflates = response.find("permessage-deflate") != std::string::npos;
    in_.erase(0, size);
    Queue(PeerRelayGreeting(id));
    Flush();
    peer = Greeting();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(socket_); }

  void Queue(const std::string& message) {
    const std::string& payload = deflates ? deflate_.Deflate(message) : message;
    const std::array<std::uint8_t, 4> mask{1, 2, 3, 4};
    WriteFrameHeader(FrameOpcode::kText, deflates, payload.size(), &mask, out_);
    const std::size_t begin = out_.size();
    out_ += payload;
    MaskFrame(mask, {out_.data() + begin, payload.size()});
  }
  void Flush() {
    Write(out_);
    out_.clear();
  }
  // Reads once; calls `function(raw frame)` for each message.
  template <class Function>
  int Read(Function&& function) {
    Fill();
    return Take(function);
  }
  int socket() const { return socket_; }

  NodeId id;
  NodeId peer;
  bool deflates = false;

 private:
  static int Connect(int port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in end{};
    end.sin_family = AF_INET;
    end.sin_port = htons(static_cast<std::uint16_t>(port));
    end.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&end), sizeof end) != 0)
      Die("cannot connect");
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
  }
  void Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t done = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (done <= 0) Die("the server has hung up");
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
  }
  void Fill() {
    const std::size_t begin = in_.size();
    in_.resize(begin + 256 * 1024);
    const ssize_t done = ::recv(socket_, in_.data() + begin, in_.size() - begin, 0);
    if (done <= 0) Die("the server has hung up");
    in_.resize(begin + static_cast<std::size_t>(done));
  }
  template <class Function>
  int Take(Function&& function) {
    std::size_t taken = 0;
    int count = 0;
    FrameHeader header;
    while (ReadFrameHeader(std::string_view(in_).substr(taken), deflates, header) ==
               FrameRead::kComplete &&
           in_.size() - taken >= header.header_size + header.length) {
      function(std::string_view(in_).substr(taken + header.header_size, header.length),
               header.compressed);
      taken += header.header_size + static_cast<std::size_t>(header.length);
      ++count;
    }
    in_.erase(0, taken);
    return count;
  }
  NodeId Greeting() {
    std::optional<NodeId> greeting;
    while (!greeting) {
      const auto take = [&](std::string_view message, bool compressed) {
        if (compressed) {
          const std::string* plain = deflate_.Inflate(message, 1 << 20);
          if (plain == nullptr) Die("bad compression");
          message = *plain;
        }
        if (!greeting) greeting = ParsePeerRelayId(message);
      };
      if (Take(take) == 0) Fill();
    }
    return *greeting;
  }

  int socket_;
  std::string in_;
  std::string out_;
  MessageDeflate deflate_;
};

std::string Message(const NodeId& from, const NodeId& to, std::uint64_t number,
                    const std::string& text) {
  const std::string nonce = std::to_string(number);
  const std::string data = "{\"type\":\"user\",\"data\":\"" + text + "\"}";
  PeerRelayFrame frame;
  frame.to = to;
  frame.from = from;
  frame.nonce = nonce;
  frame.data = data;
  std::string message;
  AppendPeerRelayFrame(frame, from, message);
  return message;
}

struct Load {
  std::size_t bytes = 64;
  double seconds = 4;
  std::uint64_t window = 64;
};

int Relay(int port, int pid, const Load& load, bool deflate) {
  Rng rng(static_cast<std::uint64_t>(::getpid()));
  Client sender(port, deflate, rng);
  Client receiver(port, deflate, rng);
  std::string text;
  while (text.size() < load.bytes) text += static_cast<char>('a' + rng.Below(26));
  const std::uint64_t first = rng.Below64(1'000'000'000'000'000);  // of nonces
  std::uint64_t sent = 0;
  std::uint64_t arrived = 0;
  bool measuring = false;
  double server = 0;
  double own = 0;
  std::uint64_t before = 0;
  const auto begin = SteadyClock::now();
  auto start = begin;
  const auto since = [](SteadyClock::time_point time) {
    return std::chrono::duration<double>(SteadyClock::now() - time).count();
  };
  while (!measuring || since(start) < load.seconds) {
    if (!measuring && since(begin) > 1) {  // warmed up
      measuring = true;
      start = SteadyClock::now();
      server = CpuOf(pid);
      own = OwnCpu();
      before = arrived;
    }
    while (sent < arrived + load.window)
      sender.Queue(Message(sender.id, receiver.id, first + sent++, text));
    sender.Flush();
    pollfd wait{receiver.socket(), POLLIN, 0};
    if (::poll(&wait, 1, 5000) != 1) Die("nothing arrives any more");
    receiver.Read([&](std::string_view message, bool compressed) {
      // Others than `user` are what the server itself says.
      if (compressed || message.find("\"user\"") != std::string_view::npos) ++arrived;
    });
  }
  const double seconds = since(start);
  const auto count = static_cast<double>(arrived - before);
  std::printf(
      "%zu bytes%s: %.0f messages/s, server CPU %.2f us, load generator CPU %.2f us per message\n",
      load.bytes, sender.deflates ? " deflate" : "", count / seconds,
      (CpuOf(pid) - server) / count * 1e6, (OwnCpu() - own) / count * 1e6);
  return 0;
}

int Idle(int port, int pid, int connections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Rng rng(static_cast<std::uint64_t>(::getpid()));
  const double before = RssKiBOf(pid);
  const double cpu = CpuOf(pid);
  const auto start = SteadyClock::now();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < connections; ++i)
    clients.push_back(std::make_unique<Client>(port, false, rng));
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  std::printf("%d connections, %.0f/s, server CPU %.2f ms each\n", connections,
              connections / seconds, (CpuOf(pid) - cpu) / connections * 1e3);
  ::poll(nullptr, 0, 3000);  // what the server still has to do for the last of them
  const double after = RssKiBOf(pid);
  std::printf("RSS %.0f -> %.0f KiB: %.2f KiB per connection\n", before, after,
              (after - before) / connections);
  return 0;
}

int Main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 3) Die("usage: relay|idle PORT PID ...");
  const int port = std::atoi(words[1].c_str());
  const int pid = std::atoi(words[2].c_str());
  const auto number = [&](std::size_t index, double otherwise) {
    return words.size() > index ? std::atof(words[index].c_str()) : otherwise;
  };
  if (words[0] == "idle") return Idle(port, pid, static_cast<int>(number(3, 10'000)));
  Load load;
  load.bytes = static_cast<std::size_t>(number(3, 64));
  load.seconds = number(4, 4);
  load.window = static_cast<std::uint64_t>(number(5, 64));
  return Relay(port, pid, load, words.size() > 6 && words[6] == "deflate");
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) { return tombolo::node::Main(argc, argv); }
