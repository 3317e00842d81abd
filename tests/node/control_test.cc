// The control API from outside: a node that founds its own network, and a client in a second
// thread.
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>

#include "control.grpc.pb.h"
#include "node/application.h"
#include "node/asio_clock.h"
#include "node/control_convert.h"
#include "node/control_service.h"
#include "tests/node/scratch_dir.h"
#include "tests/node/transport_net.h"

namespace tombolo::node {
namespace {

using Stub = control::Control::Stub;

class ControlTest : public testing::Test {
 protected:
  ControlTest()
      : host_(OptionsOf(identity_), application_),
        transport_(net_.io().get_executor(), identity_, {}, host_),
        clock_(MakeAsioClock(net_.io().get_executor())),
        server_(net_.io().get_executor(), application_, transport_,
                {"unix:" + (scratch_ / "control"), "1.2.3", [this] { ++drains_; },
                 [this] { return clock_->now(); }}) {
    application_.Use(host_);
    EXPECT_TRUE(server_.Start().ok());
    host_.Start(*clock_, transport_);
    EXPECT_TRUE(net_.Until([&] { return host_.core().state() == PeerState::kJoined; }));
    channel_ = grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials());
    stub_ = control::Control::NewStub(channel_);
  }
  ~ControlTest() override {
    application_.GiveUp();
    bool stopped = false;
    server_.Stop([&] { stopped = true; });
    EXPECT_TRUE(net_.Until([&] { return stopped; }));
    transport_.Stop();
  }

  static HostOptions OptionsOf(const Identity& identity) {
    HostOptions options;
    options.core.overlay = OverlayKind::kBoth;
    options.self.id = identity.id();
    options.seed = 1;
    return options;
  }

  // Runs `client` in another thread while the node runs in this one.
  template <class Client>
  auto Beside(Client client) {
    auto result = std::async(std::launch::async, client);
    EXPECT_TRUE(net_.Until([&] { return result.wait_for(0s) == std::future_status::ready; }));
    return result.get();
  }
  template <class Request, class Reply>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                    const Request& request, Reply& reply) {
    return Beside([&] {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + 8s);
      return (stub_.get()->*method)(&context, request, &reply);
    });
  }
  // The status and the bytes of a reply to an empty request.
  std::pair<grpc::Status, std::string> CallGeneric(const std::string& method) {
    return Beside([&] {
      grpc::GenericStub stub(channel_);
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + 8s);
      const grpc::ByteBuffer request(nullptr, 0);
      grpc::ByteBuffer reply;
      std::promise<grpc::Status> ended;
      stub.UnaryCall(&context, method, {}, &request, &reply,
                     [&](const grpc::Status& status) { ended.set_value(status); });
      const grpc::Status status = ended.get_future().get();
      grpc::Slice slice;
      if (reply.Valid()) reply.DumpToSingleSlice(&slice).ok();
      return std::pair(status,
                       std::string(reinterpret_cast<const char*>(slice.begin()), slice.size()));
    });
  }

  const ScratchDir scratch_;
  TransportNet net_;
  const Identity identity_ = NewIdentity();
  Application application_;
  Host host_;
  GrpcTransport transport_;
  std::unique_ptr<Clock> clock_;
  ControlServer server_;
  int drains_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;
};

TEST_F(ControlTest, StatusSaysWhoTheNodeIs) {
  control::StatusReply reply;
  ASSERT_TRUE(Call(&Stub::Status, control::StatusRequest(), reply).ok());
  EXPECT_EQ(reply.id(), BytesOf(identity_.id()));
  EXPECT_EQ(reply.version(), "1.2.3");
  EXPECT_EQ(reply.state(), control::StatusReply::JOINED);
  EXPECT_EQ(reply.counters().at("transport_opened"), 0U);
}

TEST_F(ControlTest, HealthAndReflectionAnswer) {
  const auto [status, health] = CallGeneric("/grpc.health.v1.Health/Check");
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(health, std::string("\x08\x01")) << "SERVING";
  server_.SetServing(false);
  EXPECT_EQ(CallGeneric("/grpc.health.v1.Health/Check").second, std::string("\x08\x02"));
  const auto reflection =
      CallGeneric("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  EXPECT_NE(reflection.first.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ControlTest, IdsOfTheWrongLengthAreInvalid) {
  control::SendRequest send;
  send.set_id("short");
  control::SendReply sent;
  EXPECT_EQ(Call(&Stub::Send, send, sent).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  control::GetRequest get;
  control::GetReply got;
  EXPECT_EQ(Call(&Stub::Get, get, got).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  get.mutable_key()->set_id(std::string(21, 'x'));
  EXPECT_EQ(Call(&Stub::Get, get, got).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ControlTest, TextThatIsNoneIsRefusedAndStandardErrorIsLeftAlone) {
  control::GetRequest get;
  get.mutable_key()->set_name("\xff");
  control::GetReply got;
  testing::internal::CaptureStderr();
  const grpc::Status status = Call(&Stub::Get, get, got);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_FALSE(status.ok());
}

TEST_F(ControlTest, PayloadBeyondTheLimitIsInvalid) {
  control::SendRequest send;
  send.set_id(std::string(20, 'x'));
  send.set_payload(std::string(64 * 1024 + 1, 'x'));
  control::SendReply sent;
  EXPECT_EQ(Call(&Stub::Send, send, sent).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  control::BroadcastRequest broadcast;
  broadcast.set_payload(send.payload());
  control::BroadcastReply told;
  EXPECT_EQ(Call(&Stub::Broadcast, broadcast, told).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ControlTest, SendToNobodyFailsInTheReply) {
  control::SendRequest send;
  send.set_id(std::string(20, 'x'));
  send.set_deadline_ms(500);
  control::SendReply reply;
  ASSERT_TRUE(Call(&Stub::Send, send, reply).ok());
  EXPECT_NE(reply.failure(), control::NONE);
}

TEST_F(ControlTest, DrainIsPassedOn) {
  control::DrainReply reply;
  ASSERT_TRUE(Call(&Stub::Drain, control::DrainRequest(), reply).ok());
  EXPECT_EQ(drains_, 1);
}

TEST_F(ControlTest, SubscriberHearsEverythingFromItsFirstEventOn) {
  grpc::ClientContext context;
  auto events = std::async(std::launch::async, [&] {
    const auto reader = stub_->Subscribe(&context, {});
    std::vector<control::Event> seen(3);
    for (control::Event& event : seen) EXPECT_TRUE(reader->Read(&event));
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
    return seen;
  });
  // Whatever comes before the subscription is not for it.
  int told = 0;
  ASSERT_TRUE(net_.Until([&] {
    application_.OnEvent(MessageArrived{NodeId{}, Payload{}, 3},
                         "message " + std::to_string(told++));
    return events.wait_for(0s) == std::future_status::ready;
  }));
  const std::vector<control::Event> seen = events.get();
  EXPECT_EQ(seen[0].what_case(), control::Event::kSubscribed);
  ASSERT_EQ(seen[1].what_case(), control::Event::kMessage);
  EXPECT_EQ(seen[1].message().hops(), 3U);
  const int first = std::stoi(seen[1].message().payload().substr(8));
  EXPECT_EQ(seen[2].message().payload(), "message " + std::to_string(first + 1));
}

TEST_F(ControlTest, SlowSubscriberIsToldWhatItMissed) {
  constexpr int kEvents = 5000;
  std::atomic<bool> subscribed = false;
  std::promise<void> go;
  auto counted = std::async(std::launch::async, [&] {
    grpc::ClientContext context;
    const auto reader = stub_->Subscribe(&context, {});
    control::Event event;
    EXPECT_TRUE(reader->Read(&event));
    subscribed = true;
    go.get_future().wait();
    std::uint64_t messages = 0;
    std::uint64_t missed = 0;
    while (messages + missed < kEvents && reader->Read(&event)) {
      messages += event.has_message() ? 1 : 0;
      missed += event.missed().events();
    }
    context.TryCancel();
    reader->Finish();
    return std::pair(messages, missed);
  });
  ASSERT_TRUE(net_.Until([&] { return subscribed.load(); }));
  const std::string payload(10'000, 'x');
  for (int i = 0; i < kEvents; ++i) {
    application_.OnEvent(MessageArrived{NodeId{}, Payload{}, 1}, payload);
  }
  go.set_value();
  ASSERT_TRUE(net_.Until([&] { return counted.wait_for(0s) == std::future_status::ready; }));
  const auto [messages, missed] = counted.get();
  EXPECT_EQ(messages + missed, static_cast<std::uint64_t>(kEvents));
  EXPECT_GE(messages, ControlServer::kMaxQueued);
  EXPECT_GT(missed, 0U);
}

TEST_F(ControlTest, ClientIsAttachedWhileTheCallIsOpen) {
  control::AttachRequest request;
  request.mutable_client()->set_name("a browser");
  request.set_sequence(1);
  const auto attached = Beside([&] {
    grpc::ClientContext context;
    const auto reader = stub_->Attach(&context, request);
    control::AttachReply reply;
    EXPECT_TRUE(reader->Read(&reply));
    context.TryCancel();
    reader->Finish();
    return reply;
  });
  EXPECT_TRUE(attached.attached());
}

TEST_F(ControlTest, AnAttachmentEndsWithTheNewHomeOfItsClient) {
  control::AttachRequest request;
  request.mutable_client()->set_name("a browser");
  struct Attached {
    explicit Attached(Stub& stub, const control::AttachRequest& what)
        : reader(stub.Attach(&context, what)) {}
    control::AttachReply Read() {
      control::AttachReply reply;
      EXPECT_TRUE(reader->Read(&reply));
      return reply;
    }
    // What is said last.
    control::AttachReply Last() {
      const control::AttachReply last = Read();
      EXPECT_FALSE(reader->Read(std::make_unique<control::AttachReply>().get()));
      EXPECT_TRUE(reader->Finish().ok());
      return last;
    }
    grpc::ClientContext context;
    const std::unique_ptr<grpc::ClientReader<control::AttachReply>> reader;
  };
  request.set_sequence(1);
  Attached first(*stub_, request);
  EXPECT_TRUE(Beside([&] { return first.Read(); }).attached());
  // Attached once more at this node: the later call has it.
  request.set_sequence(2);
  Attached second(*stub_, request);
  EXPECT_TRUE(Beside([&] { return second.Read(); }).attached());
  const control::AttachReply replaced = Beside([&] { return first.Last(); });
  EXPECT_EQ(replaced.home(), BytesOf(identity_.id()));
  EXPECT_FALSE(replaced.attached());
  // The end of the earlier call has not taken it away.
  const NodeId client = *IdOf(request.client());
  bool found = false;
  application_
      .Ask(ResolveClient{0, client}, {},
           [&](const Event& event, const std::string&) {
             found = std::get<ClientResolved>(event).found;
           })
      .IgnoreError();
  EXPECT_TRUE(net_.Until([&] { return found; }));
  // And then another node.
  application_.OnEvent(LeaseLost{client, KnownPeers::self(), 3}, {});
  const control::AttachReply moved = Beside([&] { return second.Last(); });
  EXPECT_EQ(moved.home(), BytesOf(identity_.id()));
}

TEST_F(ControlTest, SecondServerOnTheSamePortIsRefused) {
  ControlServer first(net_.io().get_executor(), application_, transport_,
                      {"127.0.0.1:0", "", [] {}, [this] { return clock_->now(); }});
  ASSERT_TRUE(first.Start().ok());
  ControlServer second(net_.io().get_executor(), application_, transport_,
                       {first.address(), "", [] {}, [this] { return clock_->now(); }});
  EXPECT_FALSE(second.Start().ok());
}

}  // namespace
}  // namespace tombolo::node
