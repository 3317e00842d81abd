// The calls of the control API that go on: Subscribe and Attach.
#include <utility>
#include <variant>
#include <vector>

#include "node/control_calls.h"

namespace tombolo::node {
namespace {

control::Event Missed(std::uint64_t events) {
  control::Event event;
  event.mutable_missed()->set_events(events);
  return event;
}

control::Event Leaving(const std::vector<RememberedPeer>& others) {
  control::Event event;
  control::LeavingEvent& leaving = *event.mutable_leaving();
  for (const RememberedPeer& other : others) {
    control::LeavingEvent::Node& node = *leaving.add_nodes();
    node.set_id(BytesOf(other.id));
    if (!other.addresses.empty()) node.set_address(other.addresses.front());
  }
  return event;
}

}  // namespace

grpc::ServerWriteReactor<control::Event>* ControlCalls::Subscribe(
    Context*, const control::SubscribeRequest* request) {
  const auto stream = ControlStream<control::Event>::Make(ControlServer::kMaxQueued, Missed);
  const std::vector<std::uint64_t> topics(request->topics().begin(), request->topics().end());
  // Both turns of the strand share what the first finds out.
  struct State {
    std::uint64_t listener = 0;
    std::uint64_t stream = 0;
    std::uint64_t leaving = 0;
  };
  const auto state = std::make_shared<State>();
  stream->set_done([this, state, topics] {
    boost::asio::post(strand_, [this, state, topics] {
      closers_.erase(state->stream);
      application_.Unlisten(state->listener);
      application_.UnlistenLeaving(state->leaving);
      for (const std::uint64_t topic : topics) application_.Unsubscribe(topic);
    });
  });
  boost::asio::post(strand_, [this, stream, state, topics] {
    for (const std::uint64_t topic : topics) application_.Subscribe(topic);
    if (stopping_) return stream->Close({grpc::StatusCode::UNAVAILABLE, "the node is stopping"});
    state->stream = ++last_stream_;
    closers_[state->stream] = [weak = std::weak_ptr(stream)] {
      if (const auto open = weak.lock()) open->Close(grpc::Status::OK);
    };
    state->listener = application_.Listen(
        [this, weak = std::weak_ptr(stream)](const Event& event, const std::string& payload) {
          const auto open = weak.lock();
          if (open == nullptr) return;
          if (auto converted = ConvertEvent(application_.host(), event, payload)) {
            open->Push(*std::move(converted));
          }
        });
    state->leaving = application_.ListenLeaving(
        [weak = std::weak_ptr(stream)](const std::vector<RememberedPeer>& others) {
          if (const auto open = weak.lock()) open->Push(Leaving(others));
        });
    control::Event subscribed;
    subscribed.mutable_subscribed();
    stream->Push(std::move(subscribed));
  });
  return stream.get();
}

grpc::ServerWriteReactor<control::AttachReply>* ControlCalls::Attach(
    Context*, const control::AttachRequest* request) {
  const auto stream = ControlStream<control::AttachReply>::Make(16, nullptr);
  const std::optional<NodeId> client = IdOf(request->client());
  if (!client) {
    stream->Close({grpc::StatusCode::INVALID_ARGUMENT, "an id has 20 bytes"});
    return stream.get();
  }
  const auto number = std::make_shared<std::uint64_t>(0);
  stream->set_done([this, number, client = *client] {
    boost::asio::post(strand_, [this, number, client] {
      closers_.erase(*number);
      application_.Do(DetachClient{client}).IgnoreError();
    });
  });
  boost::asio::post(strand_, [this, stream, number, client = *client,
                              sequence = request->sequence()] {
    if (stopping_) return stream->Close({grpc::StatusCode::UNAVAILABLE, "the node is stopping"});
    *number = ++last_stream_;
    closers_[*number] = [weak = std::weak_ptr(stream)] {
      if (const auto open = weak.lock()) open->Close(grpc::Status::OK);
    };
    const absl::Status asked =
        application_.Ask(AttachClient{0, client, sequence}, {},
                         [weak = std::weak_ptr(stream)](const Event& event, const std::string&) {
                           const auto open = weak.lock();
                           if (open == nullptr) return;
                           control::AttachReply reply;  // not attached, if it is at a newer home
                           if (const auto* done = std::get_if<ClientAttached>(&event)) {
                             reply.set_attached(done->attached);
                             reply.set_holders(done->holders);
                           }
                           open->Push(std::move(reply));
                         });
    if (!asked.ok()) {
      stream->Close({static_cast<grpc::StatusCode>(asked.code()), std::string(asked.message())});
    }
  });
  return stream.get();
}

}  // namespace tombolo::node
