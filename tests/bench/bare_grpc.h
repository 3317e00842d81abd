// Streams of bare gRPC to compare with: the same frames and credentials as those of nodes, but
// nothing else between them and the application. Included by benches only.
#pragma once

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "link.grpc.pb.h"
#include "node/grpc_credentials.h"
#include "node/grpc_shared.h"
#include "node/grpc_transport.h"

namespace tombolo::node {

using BenchClock = std::chrono::steady_clock;

inline double SecondsSince(BenchClock::time_point start) {
  return std::chrono::duration<double>(BenchClock::now() - start).count();
}

struct EchoLoad {
  int echoes = 200'000;
  int in_flight = 64;
  std::size_t frame_bytes = 64;
};

inline Frame FrameOf(std::size_t frame_bytes) {
  Frame frame;
  frame.add_messages()->mutable_forward()->set_payload(std::string(frame_bytes - 6, 'x'));
  return frame;
}

// A queue of frames and one write at a time: the least that any user of a stream needs.
template <class Reactor>
class BareReactor : public Reactor {
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

class BareEchoServer final : public BareReactor<grpc::ServerBidiReactor<Frame, Frame>> {
 public:
  explicit BareEchoServer(bool echoes) : echoes_(echoes) { StartRead(&in_); }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    if (echoes_) Put(in_);
    StartRead(&in_);
  }
  void OnDone() override { delete this; }

 private:
  const bool echoes_;
};

// A client that waits for its end.
class BareClient : public BareReactor<grpc::ClientBidiReactor<Frame, Frame>> {
 public:
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_; });
  }
  void End() {
    context_.TryCancel();
    RemoveHold();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }
  void OnDone(const grpc::Status&) override { Note(done_); }

 protected:
  void Over() { Note(over_); }
  grpc::ClientContext context_;

 private:
  void Note(bool& what) {
    const std::lock_guard lock(mutex_);
    what = true;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  bool done_ = false;
};

class BareEchoClient final : public BareClient {
 public:
  BareEchoClient(const EchoLoad& load, link::v1::Links::Stub& stub)
      : left_(load.echoes), to_send_(load.echoes - load.in_flight) {
    stub.async()->Open(&context_, this);
    AddHold();
    StartRead(&in_);
    StartCall();
    for (int i = 0; i < load.in_flight; ++i) Put(FrameOf(load.frame_bytes));
  }
  void OnReadDone(bool ok) override {
    if (!ok || --left_ == 0) return Over();
    if (to_send_-- > 0) Put(in_);
    StartRead(&in_);
  }

 private:
  int left_;
  int to_send_;
};

// Writes frames one after the other, then waits until the server has read them all.
class BarePourClient final : public BareClient {
 public:
  BarePourClient(int frames, std::size_t bytes, link::v1::Links::Stub& stub)
      : left_(frames), frame_(FrameOf(bytes)) {
    stub.async()->Open(&context_, this);
    AddHold();
    StartRead(&in_);
    StartCall();
    StartWrite(&frame_);
  }
  void OnWriteDone(bool ok) override {
    if (ok && --left_ > 0) return StartWrite(&frame_);
    StartWritesDone();
  }
  void OnReadDone(bool) override { Over(); }

 private:
  int left_;
  Frame frame_;
};

// A server and a channel to it, with TLS as nodes use it.
class BareGrpc {
 public:
  explicit BareGrpc(bool echoes)
      : service_(echoes),
        server_side_(Identity::Generate().value(), {}, [] {}),
        client_side_(Identity::Generate().value(), {}, [] {}) {
    PrepareGrpcProcess();
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", MakeServerCredentials(server_side_), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    const auto channel = grpc::CreateCustomChannel(
        "ipv4:127.0.0.1:" + std::to_string(port),
        MakeDialCredentials(client_side_, std::nullopt, std::make_shared<DialVerdict>()),
        DialArguments(client_side_.options));
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5))) {
      std::abort();
    }
    stub_ = link::v1::Links::NewStub(channel);
  }
  ~BareGrpc() { server_->Shutdown(std::chrono::system_clock::now()); }

  link::v1::Links::Stub& stub() { return *stub_; }

 private:
  class Service final : public link::v1::Links::CallbackService {
   public:
    explicit Service(bool echoes) : echoes_(echoes) {}
    grpc::ServerBidiReactor<Frame, Frame>* Open(grpc::CallbackServerContext*) override {
      return new BareEchoServer(echoes_);
    }

   private:
    const bool echoes_;
  };

  Service service_;
  GrpcShared server_side_;
  GrpcShared client_side_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<link::v1::Links::Stub> stub_;
};

// Echoes per second.
inline double BareEchoRate(const EchoLoad& load) {
  BareGrpc bare(true);
  const auto start = BenchClock::now();
  BareEchoClient client(load, bare.stub());
  client.Wait();
  const double rate = load.echoes / SecondsSince(start);
  client.End();
  return rate;
}

// Bytes per second, one way.
inline double BarePourRate(int frames, std::size_t bytes) {
  BareGrpc bare(false);
  const auto start = BenchClock::now();
  BarePourClient client(frames, bytes, bare.stub());
  client.Wait();
  const double rate =
      static_cast<double>(frames) * static_cast<double>(bytes) / SecondsSince(start);
  client.End();
  return rate;
}

}  // namespace tombolo::node
