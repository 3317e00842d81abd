// The price of the transport: frames of 64 bytes echoed between two nodes over TLS, beside the same
// bytes echoed by bare gRPC streams with the same credentials, in one run on one machine.
//
//   link_bench [ECHOES] [IN_FLIGHT] [FRAME_BYTES]
//
// Both ends in this process. The transport runs unbatched (one frame per write) and as nodes run it
// (frames that wait share a write; each message is answered by a frame of its own). Each row is the
// median of five rounds, interleaved.
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "link.grpc.pb.h"
#include "node/grpc_credentials.h"
#include "node/grpc_shared.h"
#include "node/grpc_transport.h"

namespace tombolo::node {
namespace {

struct Load {
  int echoes = 200'000;
  int in_flight = 64;
  std::size_t frame_bytes = 64;
};

using Clock = std::chrono::steady_clock;

double RateOf(int echoes, Clock::time_point start) {
  return echoes / std::chrono::duration<double>(Clock::now() - start).count();
}

Frame FrameOf(const Load& load) {
  Frame frame;
  frame.add_messages()->mutable_forward()->set_payload(std::string(load.frame_bytes - 6, 'x'));
  return frame;
}

// --- The transport -----------------------------------------------------------------------------

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

double TransportRate(const Load& load, std::size_t merge) {
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
  const auto start = Clock::now();
  for (int i = 0; i < load.in_flight; ++i) dialler.transport.Send(*dialler.open, FrameOf(load));
  while (dialler.received < load.echoes) io.run_one();
  const double rate = RateOf(load.echoes, start);
  dialler.transport.Stop();
  listener.transport.Stop();
  return rate;
}

// --- Bare gRPC ---------------------------------------------------------------------------------

// A queue of frames and one write at a time: the least that any user of a stream needs.
template <class Reactor>
class EchoReactor : public Reactor {
 protected:
  void Put(Frame frame) {
    std::unique_lock lock(mutex_);
    queue_.push_back(std::move(frame));
    if (!std::exchange(writing_, true)) Next(lock);
  }
  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = ok && !queue_.empty();
    if (writing_) Next(lock);
  }
  Frame in_;

 private:
  void Next(std::unique_lock<std::mutex>& lock) {
    out_ = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    this->StartWrite(&out_);
  }
  std::mutex mutex_;
  std::deque<Frame> queue_;
  bool writing_ = false;
  Frame out_;
};

class ServerEcho final : public EchoReactor<grpc::ServerBidiReactor<Frame, Frame>> {
 public:
  ServerEcho() { StartRead(&in_); }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    Put(in_);
    StartRead(&in_);
  }
  void OnDone() override { delete this; }
};

class ClientEcho final : public EchoReactor<grpc::ClientBidiReactor<Frame, Frame>> {
 public:
  ClientEcho(const Load& load, link::v1::Links::Stub& stub)
      : left_(load.echoes), to_send_(load.echoes - load.in_flight) {
    stub.async()->Open(&context_, this);
    AddHold();
    StartRead(&in_);
    StartCall();
    for (int i = 0; i < load.in_flight; ++i) Put(FrameOf(load));
  }
  void OnReadDone(bool ok) override {
    if (!ok || --left_ == 0) return Over();
    if (to_send_-- > 0) Put(in_);
    StartRead(&in_);
  }
  void Wait() {
    std::unique_lock lock(over_mutex_);
    changed_.wait(lock, [this] { return over_; });
  }
  void End() {
    context_.TryCancel();
    RemoveHold();
    std::unique_lock lock(over_mutex_);
    changed_.wait(lock, [this] { return done_; });
  }
  void OnDone(const grpc::Status&) override {
    const std::lock_guard lock(over_mutex_);
    done_ = true;
    changed_.notify_all();
  }

 private:
  void Over() {
    const std::lock_guard lock(over_mutex_);
    over_ = true;
    changed_.notify_all();
  }
  grpc::ClientContext context_;
  int left_;
  int to_send_;
  std::mutex over_mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  bool done_ = false;
};

class EchoService final : public link::v1::Links::CallbackService {
  grpc::ServerBidiReactor<Frame, Frame>* Open(grpc::CallbackServerContext*) override {
    return new ServerEcho;
  }
};

double BareRate(const Load& load) {
  PrepareGrpcProcess();
  GrpcShared server_side(Identity::Generate().value(), {}, [] {});
  GrpcShared client_side(Identity::Generate().value(), {}, [] {});
  EchoService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", MakeServerCredentials(server_side), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto channel = grpc::CreateCustomChannel(
      "ipv4:127.0.0.1:" + std::to_string(port),
      MakeDialCredentials(client_side, std::nullopt, std::make_shared<DialVerdict>()),
      DialArguments(client_side.options));
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5))) {
    std::abort();
  }
  const auto stub = link::v1::Links::NewStub(channel);
  const auto start = Clock::now();
  ClientEcho client(load, *stub);
  client.Wait();
  const double rate = RateOf(load.echoes, start);
  client.End();
  server->Shutdown(std::chrono::system_clock::now());
  return rate;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void Run(const Load& load) {
  std::vector<double> bare;
  std::vector<double> single;
  std::vector<double> merged;
  for (int round = 0; round < 5; ++round) {
    bare.push_back(BareRate(load));
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
  tombolo::node::Load load;
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
