// The calls of the control API, one function each. Included by control_*.cc only.
//
// Thread rule: gRPC's threads, which post to the strand at once; Stop on the strand.
#pragma once

#include <grpcpp/server_context.h>

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "control.grpc.pb.h"
#include "node/application.h"
#include "node/control_channel.h"
#include "node/control_convert.h"
#include "node/control_service.h"
#include "node/control_stream.h"
#include "node/grpc_transport.h"

namespace tombolo::node {

class ControlCalls final : public control::Control::CallbackService {
 public:
  ControlCalls(boost::asio::any_io_executor strand, Application& application,
               const GrpcTransport& transport, const ControlOptions& options,
               std::function<std::uint64_t()> refused);

  // Ends the streams; calls from now on are refused.
  void Stop();

 private:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* Status(Context*, const control::StatusRequest*, control::StatusReply*) override;
  Reactor* Peers(Context*, const control::PeersRequest*, control::PeersReply*) override;
  Reactor* Topology(Context*, const control::TopologyRequest*, control::TopologyReply*) override;
  Reactor* Connect(Context*, const control::ConnectRequest*, control::ConnectReply*) override;
  Reactor* Disconnect(Context*, const control::DisconnectRequest*,
                      control::DisconnectReply*) override;
  Reactor* Send(Context*, const control::SendRequest*, control::SendReply*) override;
  Reactor* Broadcast(Context*, const control::BroadcastRequest*, control::BroadcastReply*) override;
  Reactor* Lookup(Context*, const control::LookupRequest*, control::LookupReply*) override;
  Reactor* Put(Context*, const control::PutRequest*, control::PutReply*) override;
  Reactor* Get(Context*, const control::GetRequest*, control::GetReply*) override;
  Reactor* Reload(Context*, const control::ReloadRequest*, control::ReloadReply*) override;
  Reactor* Drain(Context*, const control::DrainRequest*, control::DrainReply*) override;
  grpc::ServerWriteReactor<control::Event>* Subscribe(Context*,
                                                      const control::SubscribeRequest*) override;
  grpc::ServerWriteReactor<control::AttachReply>* Attach(Context*,
                                                         const control::AttachRequest*) override;

  grpc::ServerBidiReactor<control::ChannelInput, control::ChannelOutput>* Channel(
      Context*) override {
    return channels_.Begin();
  }

  // Runs `work` on the strand; it finishes the call.
  Reactor* OnStrand(Context* context, std::function<void(Reactor*)> work);
  // For what ends in Failed if it is refused at once, and else in nothing. Finishes the call.
  template <class Reply>
  void Try(Reactor* reactor, const Command& command, std::string payload, Reply& reply);
  // Asks the core; `fill` writes the reply. Finishes the call.
  void Ask(Reactor* reactor, Command command, std::string payload, Application::Answer fill);

  // control_streams.cc: attachments.
  using AttachStream = ControlStream<control::AttachReply>;
  struct Attachment {
    std::uint64_t number;  // of the stream
    std::weak_ptr<AttachStream> stream;
  };
  void BeginAttachment(const NodeId& client, std::uint64_t sequence,
                       const std::shared_ptr<AttachStream>& stream);
  void EndAttachment(const NodeId& client, const NodeId& home);
  void Detach(const NodeId& client, std::uint64_t number);

  boost::asio::any_io_executor strand_;
  Application& application_;
  const GrpcTransport& transport_;
  const ControlOptions& options_;
  const std::function<std::uint64_t()> refused_;  // calls without the token
  ControlChannels channels_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::atomic<bool> stopping_ = false;
  std::uint64_t last_stream_ = 0;                           // of the strand
  std::map<std::uint64_t, std::function<void()>> closers_;  // of streams; of the strand
  std::map<NodeId, Attachment> attachments_;                // likewise
  std::uint64_t attachment_listener_ = 0;
};

}  // namespace tombolo::node
