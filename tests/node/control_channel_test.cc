// The Channel call of the control API: two nodes in one process, a client in threads of its own.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "control.grpc.pb.h"
#include "node/application.h"
#include "node/asio_clock.h"
#include "node/control_convert.h"
#include "node/control_service.h"
#include "tests/node/channel_net.h"
#include "tests/node/scratch_dir.h"
#include "tests/node/transport_net.h"

namespace tombolo::node {
namespace {

using Input = control::ChannelInput;
using Output = control::ChannelOutput;

// A node with a control API, founding its network or joining through another.
class ServedNode {
 public:
  ServedNode(TransportNet& net, const std::string& socket, const std::string& bootstrap)
      : identity(NewIdentity()),
        host(OptionsOf(identity, bootstrap), application),
        transport(net.io().get_executor(), identity, {}, host),
        clock(MakeAsioClock(net.io().get_executor())),
        server(net.io().get_executor(), application, transport,
               {"unix:" + socket, "1.2.3", [] {}, [this] { return clock->now(); }}) {
    application.Use(host);
    EXPECT_TRUE(transport.Listen("127.0.0.1:0").ok());
    host.SetReachability({transport.listening()}, true);
    EXPECT_TRUE(server.Start().ok());
    host.Start(*clock, transport);
    EXPECT_TRUE(net.Until([&] { return host.core().state() == PeerState::kJoined; }));
    stub = control::Control::NewStub(
        grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials()));
  }
  static HostOptions OptionsOf(const Identity& identity, const std::string& bootstrap) {
    HostOptions options;
    options.core.overlay = OverlayKind::kBoth;
    options.self.id = identity.id();
    options.seed = identity.id().words[0];
    if (!bootstrap.empty()) options.bootstrap = {bootstrap};
    return options;
  }

  const Identity identity;
  Application application;
  Host host;
  GrpcTransport transport;
  std::unique_ptr<Clock> clock;
  ControlServer server;
  std::unique_ptr<control::Control::Stub> stub;
};

// A call, with a deadline so that no test hangs.
struct Call {
  explicit Call(ServedNode& node) {
    context.set_deadline(std::chrono::system_clock::now() + 20s);
    stream = node.stub->Channel(&context);
  }
  Call& Open(const NodeId& id, const std::string& service) {
    Input input;
    input.mutable_open()->set_id(BytesOf(id));
    input.mutable_open()->set_service(service);
    stream->Write(input);
    return *this;
  }
  Call& Accept(const std::string& service) {
    Input input;
    input.mutable_accept()->set_service(service);
    stream->Write(input);
    return *this;
  }
  bool Send(const std::string& data) {
    Input input;
    input.set_data(data);
    return stream->Write(input);
  }
  bool HalfClose() {
    Input input;
    input.mutable_half_close();
    return stream->Write(input);
  }
  Output Read() {
    Output output;
    stream->Read(&output);
    return output;
  }
  // All data until the other end closes its half.
  std::string ReadAll() {
    std::string all;
    Output output;
    while (stream->Read(&output) && !output.has_half_close()) all += output.data();
    return all;
  }
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<Input, Output>> stream;
};

class ControlChannelTest : public testing::Test {
 protected:
  ControlChannelTest()
      : a_(net_, scratch_ / "a", ""), b_(net_, scratch_ / "b", a_.transport.listening()) {}
  ~ControlChannelTest() override {
    int stopped = 0;
    for (ServedNode* node : {&a_, &b_}) {
      node->application.GiveUp();
      node->server.Stop([&] { ++stopped; });
    }
    EXPECT_TRUE(net_.Until([&] { return stopped == 2; }));
    a_.transport.Stop();
    b_.transport.Stop();
  }
  template <class Client>
  auto Beside(Client client) {
    auto result = std::async(std::launch::async, client);
    EXPECT_TRUE(net_.Until([&] { return result.wait_for(0s) == std::future_status::ready; }));
    return result.get();
  }
  // Waits until B has somebody waiting for a service.
  void UntilServed(const std::string& service) {
    EXPECT_TRUE(net_.Until([&] {
      const bool free = b_.host.channels().Accept(service, nullptr).ok();
      if (free) b_.host.channels().Withdraw(service);
      return !free;
    }));
  }

  const ScratchDir scratch_;
  TransportNet net_;
  ServedNode a_;
  ServedNode b_;
};

TEST_F(ControlChannelTest, BytesGoBothWaysAndTheCallEndsWell) {
  const std::string large = Pattern(3'000'000);
  auto server = std::async(std::launch::async, [&] {
    Call call(b_);
    call.Accept("echo");
    const Output opened = call.Read();
    EXPECT_EQ(opened.opened().id(), BytesOf(a_.identity.id()));
    EXPECT_EQ(opened.opened().service(), "echo");
    for (Output output; call.stream->Read(&output) && !output.has_half_close();) {
      call.Send(output.data());
    }
    call.HalfClose();
    EXPECT_FALSE(call.Read().has_reset());
    return call.stream->Finish();
  });
  UntilServed("echo");
  const auto [got, status] = Beside([&] {
    Call call(a_);
    call.Open(b_.identity.id(), "echo");
    auto writer = std::async(std::launch::async, [&] {
      for (std::size_t at = 0; at < large.size(); at += 60'000) call.Send(large.substr(at, 60'000));
      call.HalfClose();
    });
    EXPECT_EQ(call.Read().opened().id(), BytesOf(b_.identity.id()));
    std::string all = call.ReadAll();
    writer.get();
    EXPECT_FALSE(call.Read().has_reset());
    return std::pair(std::move(all), call.stream->Finish());
  });
  EXPECT_TRUE(got == large) << got.size();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(Beside([&] { return server.get(); }).ok());
  EXPECT_EQ(a_.host.channels().size() + b_.host.channels().size(), 0U);
}

TEST_F(ControlChannelTest, WithoutAnAcceptingCallThereIsNoService) {
  const auto [output, status] = Beside([&] {
    Call call(a_);
    call.Open(b_.identity.id(), "nothing");
    const Output first = call.Read();
    return std::pair(first, call.stream->Finish());
  });
  EXPECT_EQ(output.reset().reason(), control::ChannelReset::NO_SERVICE);
  EXPECT_TRUE(status.ok());
}

TEST_F(ControlChannelTest, WhatCannotBeMeantIsInvalid) {
  const auto code_of = [&](const std::vector<Input>& inputs) {
    return Beside([&] {
      Call call(a_);
      for (const Input& input : inputs) call.stream->Write(input);
      call.Read();
      while (call.stream->Read(std::make_unique<Output>().get())) {
      }
      return call.stream->Finish().error_code();
    });
  };
  Input data;
  data.set_data("x");
  EXPECT_EQ(code_of({data}), grpc::StatusCode::INVALID_ARGUMENT) << "neither open nor accept";
  Input open;
  open.mutable_open()->set_id("short");
  open.mutable_open()->set_service("s");
  EXPECT_EQ(code_of({open}), grpc::StatusCode::INVALID_ARGUMENT);
  open.mutable_open()->set_id(BytesOf(b_.identity.id()));
  open.mutable_open()->set_service("");
  EXPECT_EQ(code_of({open}), grpc::StatusCode::INVALID_ARGUMENT);
  Input accept;
  accept.mutable_accept()->set_service(std::string(65, 's'));
  EXPECT_EQ(code_of({accept}), grpc::StatusCode::INVALID_ARGUMENT);
  accept.mutable_accept()->set_service("s");
  EXPECT_EQ(code_of({accept, accept}), grpc::StatusCode::INVALID_ARGUMENT) << "twice";
  Input large;
  large.set_data(std::string(64 * 1024 + 1, 'x'));
  EXPECT_EQ(code_of({accept, large}), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ControlChannelTest, ACallerThatGoesResetsTheChannel) {
  auto server = std::async(std::launch::async, [&] {
    Call call(b_);
    call.Accept("s");
    EXPECT_TRUE(call.Read().has_opened());
    return call.Read();
  });
  UntilServed("s");
  Beside([&] {
    Call call(a_);
    call.Open(b_.identity.id(), "s");
    EXPECT_TRUE(call.Read().has_opened());
    call.context.TryCancel();
    return call.stream->Finish();
  });
  const Output last = Beside([&] { return server.get(); });
  EXPECT_EQ(last.reset().reason(), control::ChannelReset::CANCELLED);
  EXPECT_EQ(last.reset().text(), "the caller has gone");
  // A service whose caller has gone is none.
  Beside([&] {
    Call call(b_);
    call.Accept("gone");
    call.context.TryCancel();
    return call.stream->Finish();
  });
  EXPECT_TRUE(net_.Until([&] {
    const bool free = b_.host.channels().Accept("gone", nullptr).ok();
    if (free) b_.host.channels().Withdraw("gone");
    return free;
  }));
}

TEST_F(ControlChannelTest, AResetCarriesItsText) {
  auto server = std::async(std::launch::async, [&] {
    Call call(b_);
    call.Accept("s");
    EXPECT_TRUE(call.Read().has_opened());
    return call.Read();
  });
  UntilServed("s");
  Beside([&] {
    Call call(a_);
    call.Open(b_.identity.id(), "s");
    EXPECT_TRUE(call.Read().has_opened());
    Input reset;
    reset.mutable_reset()->set_text("no more\n");
    call.stream->Write(reset);
    return call.stream->Finish();
  });
  const Output last = Beside([&] { return server.get(); });
  EXPECT_EQ(last.reset().reason(), control::ChannelReset::CANCELLED);
  EXPECT_EQ(last.reset().text(), "no more?");
}

TEST_F(ControlChannelTest, ACallerThatDoesNotReadHoldsTheOtherOneBack) {
  Call reader(b_);
  Beside([&] {
    reader.Accept("s");
    return 0;
  });
  UntilServed("s");
  Call writer(a_);
  std::atomic<std::uint64_t> sent = 0;
  auto writing = std::async(std::launch::async, [&] {
    writer.Open(b_.identity.id(), "s");
    while (sent < 200'000'000 && writer.Send(std::string(50'000, 'x'))) sent += 50'000;
    writer.HalfClose();
  });
  // It stops: for so long that only a stalled stream does not move.
  std::uint64_t last = 1;
  auto since = std::chrono::steady_clock::now();
  EXPECT_TRUE(net_.Until([&] {
    if (std::exchange(last, sent.load()) != sent) since = std::chrono::steady_clock::now();
    return sent > 0 && std::chrono::steady_clock::now() - since > 1s;
  }));
  EXPECT_LT(sent, 60'000'000U);
  EXPECT_LE(b_.host.channels().memory(), 2 * ChannelOptions().max_window);
  const std::size_t got = Beside([&] {
    EXPECT_TRUE(reader.Read().has_opened());
    std::size_t all = 0;
    Output output;
    while (reader.stream->Read(&output) && !output.has_half_close()) all += output.data().size();
    reader.HalfClose();
    writing.get();
    return all;
  });
  EXPECT_EQ(got, 200'000'000U);
  EXPECT_TRUE(Beside([&] { return reader.stream->Finish(); }).ok());
  EXPECT_TRUE(Beside([&] {
                Output rest;
                while (writer.stream->Read(&rest)) {
                }
                return writer.stream->Finish();
              }).ok());
}

}  // namespace
}  // namespace tombolo::node
