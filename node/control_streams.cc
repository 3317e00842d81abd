// The calls of the control API that go on: Subscribe and Attach.
#include <utility>
#include <variant>
#include <vector>

#include "node/control_calls.h"

namespace tombolo::node {
namespace {

grpc::Status Stopping() { return {grpc::StatusCode::UNAVAILABLE, "the node is stopping"}; }

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
    if (stopping_) return stream->Close(Stopping());
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
  const auto stream = AttachStream::Make(16, nullptr);
  const std::optional<NodeId> client = IdOf(request->client());
  if (!client) {
    stream->Close({grpc::StatusCode::INVALID_ARGUMENT, "an id has 20 bytes"});
    return stream.get();
  }
  const auto number = std::make_shared<std::uint64_t>(0);
  stream->set_done([this, number, client = *client] {
    boost::asio::post(strand_, [this, number, client] { Detach(client, *number); });
  });
  boost::asio::post(strand_,
                    [this, stream, number, client = *client, sequence = request->sequence()] {
                      if (stopping_) return stream->Close(Stopping());
                      *number = ++last_stream_;
                      BeginAttachment(client, sequence, stream);
                    });
  return stream.get();
}

void ControlCalls::BeginAttachment(const NodeId& client, std::uint64_t sequence,
                                   const std::shared_ptr<AttachStream>& stream) {
  if (attachment_listener_ == 0) {
    attachment_listener_ = application_.Listen([this](const Event& event, const std::string&) {
      const auto* lost = std::get_if<LeaseLost>(&event);
      if (lost == nullptr) return;
      EndAttachment(lost->client, application_.host().known().ids().id(lost->home));
    });
  }
  closers_[last_stream_] = [weak = std::weak_ptr(stream)] {
    if (const auto open = weak.lock()) open->Close(grpc::Status::OK);
  };
  EndAttachment(client, application_.host().self().id);
  attachments_[client] = {last_stream_, stream};
  const absl::Status asked =
      application_.Ask(AttachClient{0, client, sequence}, {},
                       [weak = std::weak_ptr(stream)](const Event& event, const std::string&) {
                         const auto open = weak.lock();
                         if (open == nullptr || std::holds_alternative<LeaseLost>(event)) return;
                         control::AttachReply reply;
                         if (const auto* done = std::get_if<ClientAttached>(&event)) {
                           reply.set_attached(done->attached);
                           reply.set_holders(done->holders);
                         }
                         open->Push(std::move(reply));
                       });
  if (!asked.ok()) {
    stream->Close({static_cast<grpc::StatusCode>(asked.code()), std::string(asked.message())});
  }
}

// The client has another home, or another call.
void ControlCalls::EndAttachment(const NodeId& client, const NodeId& home) {
  const auto ended = attachments_.extract(client);
  const auto open = ended ? ended.mapped().stream.lock() : nullptr;
  if (open == nullptr) return;
  control::AttachReply reply;
  reply.set_home(BytesOf(home));
  open->CloseAfter(std::move(reply), grpc::Status::OK);
}

// Of a stream that has ended. What another call has attached meanwhile stays.
void ControlCalls::Detach(const NodeId& client, std::uint64_t number) {
  closers_.erase(number);
  const auto found = attachments_.find(client);
  if (found == attachments_.end() || found->second.number != number) return;
  attachments_.erase(found);
  application_.Do(DetachClient{client}).IgnoreError();
}

}  // namespace tombolo::node
