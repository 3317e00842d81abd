// What a caller of the control API may send: any bytes as the request of any call or as a message
// of a channel, several calls at once. They pass through gRPC, and a node of an overlay of two
// carries them out in virtual time; the other node echoes channels to the service "s".
//
// The input is a row of acts. The first byte of each chooses by its remainder of 16 a call of
// kControlMethods, or, 15, another message for the call begun last (an empty one: the caller has
// said all); the second says how many bytes follow, which are the message.
//
// Whatever was asked, every call ends once the node gives up, and nothing is left when it stops.
#pragma once

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/application.h"
#include "node/control_service.h"
#include "node/identity.h"
#include "tests/fuzz/frame_taste.h"
#include "tests/fuzz/require.h"
#include "tests/node/scratch_dir.h"
#include "tests/node/test_node.h"

namespace tombolo::node {

inline constexpr std::array kControlMethods = {
    "Status", "Peers", "Topology", "Connect", "Disconnect", "Send",   "Broadcast", "Lookup",
    "Put",    "Get",   "Reload",   "Drain",   "Subscribe",  "Attach", "Channel"};
inline constexpr std::size_t kSubscribeCall = 12;  // it and those after it go on
inline constexpr std::size_t kChannelCall = 14;

// A call as gRPC's caller sees it. All of it in one thread, with a queue of completions.
class RawCall {
 public:
  enum class Step : std::uint8_t { kStarted, kWritten, kRead, kEnded };
  struct Tag {
    RawCall* call;
    Step step;
  };

  RawCall(grpc::GenericStub& stub, grpc::CompletionQueue& queue, std::size_t method)
      : goes_on_(method >= kSubscribeCall), says_more_(method == kChannelCall) {
    const std::string name =
        std::string("/tombolo.control.v1.Control/") + kControlMethods.at(method);
    stream_ = stub.PrepareCall(&context_, name, &queue);
    ++pending_;
    stream_->StartCall(&tags_[0]);
  }

  void Say(std::string_view bytes) {
    const grpc::Slice slice(bytes.data(), bytes.size());
    messages_.emplace_back(&slice, 1);
    if (!says_more_) said_all_ = true;
    WriteNext();
  }
  void SayNoMore() {
    said_all_ = true;
    WriteNext();
  }
  void Cancel() { context_.TryCancel(); }

  void Done(Step step, bool ok) {
    --pending_;
    if (step == Step::kEnded) {
      ended_ = true;
    } else if (step == Step::kRead || step == Step::kStarted) {
      if (step == Step::kStarted) started_ = ok;
      ok ? Read() : End();
      if (step == Step::kStarted && ok) WriteNext();
    } else {
      writing_ = false;
      if (ok) WriteNext();
    }
  }

  bool goes_on() const { return goes_on_; }
  bool over() const { return ended_ && pending_ == 0; }
  bool said() const { return started_ && !writing_; }

 private:
  void Read() {
    ++pending_;
    stream_->Read(&reply_, &tags_[2]);
  }
  void End() {
    ++pending_;
    stream_->Finish(&status_, &tags_[3]);
  }
  void WriteNext() {
    if (!started_ || writing_ || closed_) return;
    if (messages_.empty() && !said_all_) return;
    ++pending_;
    writing_ = true;
    if (messages_.empty()) {
      closed_ = true;
      return stream_->WritesDone(&tags_[1]);
    }
    const grpc::ByteBuffer message = messages_.front();
    messages_.pop_front();
    stream_->Write(message, &tags_[1]);
  }

  const bool goes_on_;
  const bool says_more_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  std::array<Tag, 4> tags_{
      {{this, Step::kStarted}, {this, Step::kWritten}, {this, Step::kRead}, {this, Step::kEnded}}};
  std::deque<grpc::ByteBuffer> messages_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  int pending_ = 0;
  bool started_ = false;
  bool writing_ = false;
  bool said_all_ = false;
  bool closed_ = false;
  bool ended_ = false;
};

class ControlStage {
 public:
  static constexpr std::size_t kMaxActs = 16;

  ControlStage()
      : options_(net_.OptionsFor(0)),
        clock_(net_.network),
        host_(options_, application_),
        transport_(net_.network, options_.self.id, options_.self.addresses.front(), host_),
        links_(io_.get_executor(), OneIdentity(), {}, host_),
        server_(io_.get_executor(), application_, links_, Options()) {
    application_.Use(host_);
    Require(transport_.Listen(options_.self.addresses.front()).ok() && server_.Start().ok());
    host_.Start(clock_, transport_);
    other_ = &net_.Add(net_.OptionsFor(1));
    net_.network.RunFor(Duration::Seconds(3));
    echo_ = std::make_unique<Echo>(other_->host.channels());
    Require(other_->host.channels()
                .Accept("s", [this](ChannelNumber, const NodeId&) { return echo_.get(); })
                .ok());
    stub_ = std::make_unique<grpc::GenericStub>(
        grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials()));
  }

  void Play(std::string_view script) {
    for (std::size_t acts = 0; acts < kMaxActs && script.size() >= 2; ++acts) {
      const std::size_t what = static_cast<unsigned char>(script[0]) % 16;
      const std::string_view message = script.substr(2, static_cast<unsigned char>(script[1]));
      script.remove_prefix(2 + message.size());
      Act(what, message);
    }
    // What ends by itself does so; the rest ends with the node's patience, or that of the caller.
    for (int i = 0; i < 40 && !AllOver(false); ++i) Pump(Duration::Milliseconds(500));
    application_.GiveUp();
    for (const auto& call : calls_) {
      if (call->goes_on()) call->Cancel();
    }
    PumpUntil([this] { return AllOver(true); });
    Require(application_.requests() == 0);
    calls_.clear();
  }

  ~ControlStage() {
    host_.Stop();
    bool stopped = false;
    server_.Stop([&] { stopped = true; });
    PumpUntil([&] { return stopped; });
    net_.network.RunFor(Duration::Seconds(5));
    Require(host_.lists_in_use() == 0 && host_.payloads_in_use() == 0);
    Require(host_.channels().size() == 0);
    links_.Stop();
  }

 private:
  static const Identity& OneIdentity() {
    static const Identity identity = Identity::Generate().value();
    return identity;
  }
  ControlOptions Options() {
    ControlOptions options;
    options.address = "unix:" + (scratch_ / "c");
    options.drain = [] {};
    options.now = [this] { return net_.network.now(); };
    options.reload = [] { return ReloadOutcome{{"a"}, {"b"}}; };
    return options;
  }

  void Act(std::size_t what, std::string_view message) {
    if (what < kControlMethods.size()) {
      calls_.push_back(std::make_unique<RawCall>(*stub_, queue_, what));
    } else if (calls_.empty()) {
      return;
    }
    RawCall& call = *calls_.back();
    what == 15 && message.empty() ? call.SayNoMore() : call.Say(message);
    // Until the strand has seen it, or it has been refused before.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    while (!call.over() && std::chrono::steady_clock::now() < patience) {
      if (Pump({}) > 0 && call.said()) break;
    }
    Pump(Duration::Milliseconds(25));
  }

  // What there is to do: on the strand, in the network and at the callers. Returns the first.
  std::size_t Pump(Duration span) {
    io_.restart();
    std::size_t handled = io_.poll();
    if (span > Duration{0}) net_.network.RunFor(span);
    RawCall::Tag* tag = nullptr;
    bool ok = false;
    const auto soon = [] {
      return std::chrono::system_clock::now() + std::chrono::microseconds(100);
    };
    while (queue_.AsyncNext(reinterpret_cast<void**>(&tag), &ok, soon()) ==
           grpc::CompletionQueue::GOT_EVENT) {
      tag->call->Done(tag->step, ok);
      handled += io_.poll();
    }
    return handled;
  }

  bool AllOver(bool those_that_go_on) const {
    for (const auto& call : calls_) {
      if (!call->over() && (those_that_go_on || !call->goes_on())) return false;
    }
    return true;
  }

  // A call that does not end is a finding.
  template <class Holds>
  void PumpUntil(Holds holds) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
      Require(std::chrono::steady_clock::now() < patience);
      Pump(Duration::Milliseconds(50));
    }
  }

  const ScratchDir scratch_;
  boost::asio::io_context io_;
  TestNetwork net_;
  HostOptions options_;
  Application application_;
  MemoryClock clock_;
  Host host_;
  MemoryTransport transport_;
  GrpcTransport links_;  // for its figures
  ControlServer server_;
  TestNode* other_ = nullptr;
  std::unique_ptr<Echo> echo_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<RawCall>> calls_;
};

// A server costs more than many inputs do: a stage sees so many of them.
inline void TasteOfControl(const std::string& input) {
  static constexpr int kPlays = 64;
  static std::unique_ptr<ControlStage> stage;
  static int plays = 0;
  if (plays++ % kPlays == 0) stage = std::make_unique<ControlStage>();
  stage->Play(input);
}

}  // namespace tombolo::node
