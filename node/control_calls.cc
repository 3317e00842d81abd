#include "node/control_calls.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace tombolo::node {
namespace {

constexpr std::uint32_t kDefaultDeadlineMs = 15'000;
constexpr std::uint32_t kDefaultTtlSeconds = 3600;
constexpr std::size_t kMaxPayload = 64 * 1024;

grpc::Status Stopping() { return {grpc::StatusCode::UNAVAILABLE, "the node is stopping"}; }
grpc::Status Invalid(const char* what) { return {grpc::StatusCode::INVALID_ARGUMENT, what}; }
grpc::Status BadId() { return Invalid("an id has 20 bytes"); }

grpc::Status Convert(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

Duration DeadlineOf(std::uint32_t ms) {
  return Duration::Milliseconds(ms == 0 ? kDefaultDeadlineMs : ms);
}

std::uint64_t MicrosecondsSince1970() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

std::uint64_t MicrosSince(std::chrono::steady_clock::time_point start) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::steady_clock::now() - start)
                                        .count());
}

}  // namespace

ControlCalls::ControlCalls(boost::asio::any_io_executor strand, Application& application,
                           const GrpcTransport& transport, const ControlOptions& options,
                           std::function<std::uint64_t()> refused)
    : strand_(std::move(strand)),
      application_(application),
      transport_(transport),
      options_(options),
      refused_(std::move(refused)),
      channels_(strand_, [this]() -> ChannelTable& { return application_.host().channels(); }) {}

void ControlCalls::Stop() {
  stopping_ = true;
  channels_.Stop();
  if (attachment_listener_ != 0) application_.Unlisten(attachment_listener_);
  while (!closers_.empty()) {
    const auto closer = closers_.extract(closers_.begin());
    closer.mapped()();
  }
}

ControlCalls::Reactor* ControlCalls::OnStrand(Context* context,
                                              std::function<void(Reactor*)> work) {
  Reactor* reactor = context->DefaultReactor();
  boost::asio::post(strand_, [this, reactor, work = std::move(work)] {
    if (stopping_) return reactor->Finish(Stopping());
    work(reactor);
  });
  return reactor;
}

void ControlCalls::Ask(Reactor* reactor, Command command, std::string payload,
                       Application::Answer fill) {
  if (payload.size() > kMaxPayload) return reactor->Finish(Invalid("at most 64 KiB"));
  const absl::Status asked = application_.Ask(
      command, std::move(payload),
      [reactor, fill = std::move(fill)](const Event& event, const std::string& bytes) {
        fill(event, bytes);
        reactor->Finish(grpc::Status::OK);
      });
  if (!asked.ok()) reactor->Finish(Convert(asked));
}

template <class Reply>
void ControlCalls::Try(Reactor* reactor, const Command& command, std::string payload,
                       Reply& reply) {
  const auto refused = application_.Try(command, std::move(payload));
  if (refused.ok() && *refused) reply.set_failure(FailureOf(**refused));
  reactor->Finish(Convert(refused.status()));
}

ControlCalls::Reactor* ControlCalls::Status(Context* context, const control::StatusRequest*,
                                            control::StatusReply* reply) {
  return OnStrand(context, [this, reply](Reactor* reactor) {
    FillStatus(application_.host(), transport_, *reply);
    for (const auto& [prefix, figures] : application_.ReadFigures()) {
      for (const auto& [name, value] : figures.counters)
        (*reply->mutable_counters())[prefix + name] = value;
      for (const auto& [name, value] : figures.gauges)
        (*reply->mutable_counters())[prefix + name] = value;
    }
    reply->set_version(options_.version);
    reply->set_http(options_.http());
    (*reply->mutable_counters())["control_refused"] = refused_();
    reply->set_uptime_ms(MicrosSince(started_) / 1000);
    reactor->Finish(grpc::Status::OK);
  });
}

ControlCalls::Reactor* ControlCalls::Peers(Context* context, const control::PeersRequest*,
                                           control::PeersReply* reply) {
  return OnStrand(context, [this, reply](Reactor* reactor) {
    FillPeers(application_.host(), options_.now(), *reply);
    reactor->Finish(grpc::Status::OK);
  });
}

ControlCalls::Reactor* ControlCalls::Topology(Context* context, const control::TopologyRequest*,
                                              control::TopologyReply* reply) {
  return OnStrand(context, [this, reply](Reactor* reactor) {
    FillTopology(application_.host(), *reply);
    reactor->Finish(grpc::Status::OK);
  });
}

ControlCalls::Reactor* ControlCalls::Connect(Context* context,
                                             const control::ConnectRequest* request,
                                             control::ConnectReply* reply) {
  return OnStrand(context, [this, request, reply](Reactor* reactor) {
    const std::optional<NodeId> id = IdOf(request->id());
    if (!id) return reactor->Finish(BadId());
    Ask(reactor, tombolo::Connect{0, *id}, {},
        [reply](const Event& event, const std::string&) { reply->set_failure(FailureOf(event)); });
  });
}

ControlCalls::Reactor* ControlCalls::Disconnect(Context* context,
                                                const control::DisconnectRequest* request,
                                                control::DisconnectReply*) {
  return OnStrand(context, [this, request](Reactor* reactor) {
    const std::optional<NodeId> id = IdOf(request->id());
    if (!id) return reactor->Finish(BadId());
    reactor->Finish(Convert(application_.Do(tombolo::Disconnect{*id})));
  });
}

ControlCalls::Reactor* ControlCalls::Send(Context* context, const control::SendRequest* request,
                                          control::SendReply* reply) {
  return OnStrand(context, [this, request, reply](Reactor* reactor) {
    const std::optional<NodeId> id = IdOf(request->id());
    if (!id) return reactor->Finish(BadId());
    if (request->copies() > 8) return reactor->Finish(Invalid("at most 8 copies"));
    tombolo::Send send;
    send.target = *id;
    send.deadline = DeadlineOf(request->deadline_ms());
    send.copies = static_cast<std::uint8_t>(std::max(1U, request->copies()));
    send.receipt = !request->no_receipt();
    if (request->payload().size() > kMaxPayload) return reactor->Finish(Invalid("at most 64 KiB"));
    if (!send.receipt) return Try(reactor, send, request->payload(), *reply);
    const auto start = std::chrono::steady_clock::now();
    Ask(reactor, send, request->payload(), [reply, start](const Event& event, const std::string&) {
      reply->set_failure(FailureOf(event));
      reply->set_elapsed_us(MicrosSince(start));
      if (const auto* done = std::get_if<Delivered>(&event)) reply->set_hops(done->hops);
    });
  });
}

ControlCalls::Reactor* ControlCalls::Broadcast(Context* context,
                                               const control::BroadcastRequest* request,
                                               control::BroadcastReply* reply) {
  return OnStrand(context, [this, request, reply](Reactor* reactor) {
    tombolo::Broadcast broadcast;
    broadcast.topic = request->topic();
    broadcast.acknowledge = request->acknowledge();
    broadcast.deadline = DeadlineOf(request->deadline_ms());
    broadcast.ttl = application_.host().config().gossip.max_ttl;
    if (request->ttl_ms() > 0) {
      broadcast.ttl = std::min(broadcast.ttl, Duration::Milliseconds(request->ttl_ms()));
    }
    if (request->max_hops() > 0xff) return reactor->Finish(Invalid("max_hops: at most 255"));
    if (request->max_hops() > 0) {
      broadcast.max_hops = static_cast<std::uint8_t>(request->max_hops());
    }
    if (request->payload().size() > kMaxPayload) return reactor->Finish(Invalid("at most 64 KiB"));
    if (!request->acknowledge()) return Try(reactor, broadcast, request->payload(), *reply);
    Ask(reactor, broadcast, request->payload(), [reply](const Event& event, const std::string&) {
      reply->set_failure(FailureOf(event));
      if (const auto* done = std::get_if<BroadcastDone>(&event)) {
        reply->set_delivered(done->delivered);
        reply->set_complete(done->complete);
      }
    });
  });
}

ControlCalls::Reactor* ControlCalls::Lookup(Context* context, const control::LookupRequest* request,
                                            control::LookupReply* reply) {
  return OnStrand(context, [this, request, reply](Reactor* reactor) {
    const std::optional<NodeId> target = IdOf(request->key());
    if (!target) return reactor->Finish(BadId());
    Ask(reactor, tombolo::Lookup{0, *target}, {},
        [this, reply](const Event& event, const std::string&) {
          const auto* done = std::get_if<LookupDone>(&event);
          if (done == nullptr) return;
          const Host& host = application_.host();
          for (const PeerRef peer : host.list(done->closest)) {
            reply->add_closest(BytesOf(host.known().ids().id(peer)));
          }
          reply->set_hops(done->hops);
          reply->set_messages(done->messages);
        });
  });
}

ControlCalls::Reactor* ControlCalls::Put(Context* context, const control::PutRequest* request,
                                         control::PutReply* reply) {
  return OnStrand(context, [this, request, reply](Reactor* reactor) {
    const std::optional<NodeId> key = IdOf(request->key());
    if (!key) return reactor->Finish(BadId());
    tombolo::Put put;
    put.key = *key;
    put.sequence = request->sequence() == 0 ? MicrosecondsSince1970() : request->sequence();
    put.ttl = Duration::Seconds(request->ttl_s() == 0 ? kDefaultTtlSeconds : request->ttl_s());
    Ask(reactor, put, request->value(), [reply](const Event& event, const std::string&) {
      if (const auto* done = std::get_if<PutDone>(&event)) {
        reply->set_stored(done->stored);
        reply->set_rejected(done->rejected);
      }
    });
  });
}

ControlCalls::Reactor* ControlCalls::Get(Context* context, const control::GetRequest* request,
                                         control::GetReply* reply) {
  return OnStrand(context, [this, request, reply](Reactor* reactor) {
    const std::optional<NodeId> key = IdOf(request->key());
    if (!key) return reactor->Finish(BadId());
    Ask(reactor, tombolo::Get{0, *key}, {}, [reply](const Event& event, const std::string& value) {
      const auto* done = std::get_if<GetDone>(&event);
      if (done == nullptr || !done->found) return;
      reply->set_found(true);
      reply->set_value(value);
      reply->set_sequence(done->record.sequence);
      reply->set_hops(done->hops);
    });
  });
}

ControlCalls::Reactor* ControlCalls::Reload(Context* context, const control::ReloadRequest*,
                                            control::ReloadReply* reply) {
  return OnStrand(context, [this, reply](Reactor* reactor) {
    const absl::StatusOr<ReloadOutcome> outcome = options_.reload();
    if (!outcome.ok()) return reactor->Finish(Convert(outcome.status()));
    for (const std::string& key : outcome->changed) reply->add_changed(key);
    for (const std::string& key : outcome->restart_required) reply->add_restart_required(key);
    reactor->Finish(grpc::Status::OK);
  });
}

ControlCalls::Reactor* ControlCalls::Drain(Context* context, const control::DrainRequest*,
                                           control::DrainReply*) {
  return OnStrand(context, [this](Reactor* reactor) {
    reactor->Finish(grpc::Status::OK);
    options_.drain();
  });
}

}  // namespace tombolo::node
