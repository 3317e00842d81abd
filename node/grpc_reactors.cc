#include "node/grpc_reactors.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <map>
#include <utility>

#include "node/grpc_listener.h"
#include "node/grpc_shared.h"
#include "node/host_port.h"

namespace tombolo::node {
namespace {

constexpr char kMethod[] = "/tombolo.link.v1.Links/Open";
constexpr char kNonce[] = "tombolo-nonce-bin";
constexpr char kProof[] = "tombolo-proof-bin";
constexpr char kId[] = "tombolo-id";

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// Empty if it is not there.
std::string ValueOf(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

absl::StatusOr<NodeId> ClaimedId(const Metadata& metadata) {
  const std::optional<NodeId> id = NodeId::FromHex(ValueOf(metadata, kId));
  if (!id) return absl::UnauthenticatedError("no id");
  return *id;
}

// gRPC's name of a target; numbers are not resolved.
std::string TargetOf(const std::string& address) {
  const std::optional<HostPort> parsed = ParseHostPort(address);
  const std::string host = parsed ? parsed->host : "";
  boost::system::error_code error;
  const auto numeric = boost::asio::ip::make_address(host, error);
  if (error) return "dns:///" + address;
  return (numeric.is_v4() ? "ipv4:" : "ipv6:") + address;
}

// Ends a call at once.
class Refusal final : public GrpcAcceptStream::Reactor {
 public:
  explicit Refusal(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

GrpcDialStream::GrpcDialStream(std::shared_ptr<GrpcShared> shared_state, ConnectionId id,
                               const std::string& address, std::optional<NodeId> expected)
    : GrpcStream(std::move(shared_state), id, address),
      expected_(expected),
      channel_(grpc::CreateCustomChannel(TargetOf(address),
                                         MakeDialCredentials(shared(), expected, verdict_),
                                         DialArguments(shared().options))) {
  if (shared().options.network_key) context_.AddMetadata(kNonce, nonce_);
  if (shared().options.insecure) context_.AddMetadata(kId, shared().identity.id().ToHex());
}

void GrpcDialStream::Dial() {
  grpc::GenericStub(channel_).PrepareBidiStreamingCall(&context_, kMethod, {}, this);
  AddHold();  // until End: reads and writes begin outside of reactions
  StartCall();
}

absl::StatusOr<NodeId> GrpcDialStream::IdOfListener() const {
  if (!shared().options.insecure) return ProvenId(*context_.auth_context());
  absl::StatusOr<NodeId> id = ClaimedId(context_.GetServerInitialMetadata());
  if (id.ok() && expected_ && *id != *expected_) {
    return absl::UnauthenticatedError("node " + id->ToHex() + " answered instead of " +
                                      expected_->ToHex());
  }
  return id;
}

absl::StatusOr<std::string> GrpcDialStream::Prove(const NodeId& listener) const {
  const std::optional<NetworkKey>& key = shared().options.network_key;
  if (!key) return "";
  const Metadata& metadata = context_.GetServerInitialMetadata();
  const LinkTranscript link{shared().identity.id(), listener, nonce_, ValueOf(metadata, kNonce)};
  if (!key->Verify(NetworkKey::Side::kListener, link, ValueOf(metadata, kProof))) {
    shared().counts.Add(TransportCount::kRefusedNetwork);
    return absl::UnauthenticatedError("node " + listener.ToHex() +
                                      " does not know our network key");
  }
  return key->Proof(NetworkKey::Side::kDialler, link);
}

void GrpcDialStream::OnReadInitialMetadataDone(bool ok) {
  if (!ok) return ReadDone(false);
  const absl::StatusOr<NodeId> listener = IdOfListener();
  if (!listener.ok()) {
    return Abort(CloseCause::kIdentity, std::string(listener.status().message()));
  }
  if (!shared().Admits(*listener)) {
    shared().counts.Add(TransportCount::kRefusedList);
    return Abort(CloseCause::kIdentity, "node " + listener->ToHex() + " is not allowed");
  }
  absl::StatusOr<std::string> proof = Prove(*listener);
  if (!proof.ok()) return Abort(CloseCause::kIdentity, std::string(proof.status().message()));
  opened_ = true;
  if (!proof->empty()) {
    Frame frame;
    frame.set_network_proof(*std::move(proof));
    Send(std::move(frame));  // before Opened is known, so it is the first
  }
  PushOpened({*listener, true, peer()});
  StartReading();
}

CloseCause GrpcDialStream::CauseOf(const grpc::Status& status) const {
  const bool refused = status.error_code() == grpc::StatusCode::PERMISSION_DENIED ||
                       status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
  if (!opened_) {
    return refused || !verdict_->reason().empty() ? CloseCause::kIdentity : CloseCause::kDialFailed;
  }
  const std::string& text = status.error_message();
  const bool silent =
      text.find("keepalive") != std::string::npos || text.find("timed out") != std::string::npos;
  if (silent) return CloseCause::kTimeout;
  return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ? CloseCause::kProtocol
                                                                     : CloseCause::kRemote;
}

void GrpcDialStream::OnDone(const grpc::Status& status) {
  const std::string reason = verdict_->reason();
  const CloseCause cause = CauseOf(status);
  if (!reason.empty()) shared().counts.Add(TransportCount::kRefusedIdentity);
  if (!opened_) shared().counts.Add(TransportCount::kDialsFailed);
  if (cause == CloseCause::kTimeout) shared().counts.Add(TransportCount::kKeepaliveLost);
  Done(cause, !opened_ && !reason.empty() ? reason : status.error_message());
}

GrpcAcceptStream::Reactor* GrpcAcceptStream::Serve(const std::shared_ptr<GrpcShared>& shared,
                                                   grpc::CallbackServerContext& context) {
  const absl::StatusOr<NodeId> dialler = shared->options.insecure
                                             ? ClaimedId(context.client_metadata())
                                             : ProvenId(*context.auth_context());
  if (!dialler.ok()) {
    shared->counts.Add(TransportCount::kRefusedIdentity);
    return new Refusal(
        {grpc::StatusCode::UNAUTHENTICATED, std::string(dialler.status().message())});
  }
  if (!shared->Admits(*dialler)) {
    shared->counts.Add(TransportCount::kRefusedList);
    return new Refusal({grpc::StatusCode::PERMISSION_DENIED, "not allowed here"});
  }
  if (shared->options.network_key &&
      ValueOf(context.client_metadata(), kNonce).size() != kNonceBytes) {
    shared->counts.Add(TransportCount::kRefusedNetwork);
    return new Refusal({grpc::StatusCode::PERMISSION_DENIED, "this network has a key"});
  }
  std::unique_ptr<GrpcAcceptStream> stream(
      new GrpcAcceptStream(shared, shared->NextConnection(), *dialler, context));
  GrpcAcceptStream* reactor = stream.get();
  shared->events.Push({reactor->id(), AcceptedEvent{std::move(stream)}});
  return reactor;
}

GrpcAcceptStream::GrpcAcceptStream(std::shared_ptr<GrpcShared> shared_state, ConnectionId id,
                                   NodeId dialler, grpc::CallbackServerContext& context)
    : GrpcStream(std::move(shared_state), id, PeerName(context.peer())),
      context_(context),
      transcript_{dialler, shared().identity.id(), ValueOf(context.client_metadata(), kNonce),
                  MakeNonce()} {}

// The dialler may have gone before the strand got here: then all of this would come too late.
void GrpcAcceptStream::Prepare() {
  const GrpcTransportOptions& options = shared().options;
  if (options.insecure) context_.AddInitialMetadata(kId, shared().identity.id().ToHex());
  if (options.network_key) {
    context_.AddInitialMetadata(kNonce, transcript_.listener_nonce);
    context_.AddInitialMetadata(
        kProof, options.network_key->Proof(NetworkKey::Side::kListener, transcript_));
  } else {
    PushOpened();
  }
  StartSendInitialMetadata();
}

void GrpcAcceptStream::PushOpened() {
  proven_ = true;
  GrpcStream::PushOpened({transcript_.dialler, false, peer()});
}

bool GrpcAcceptStream::Inspect(Frame& frame) {
  if (!proven_) {
    const std::optional<NetworkKey>& key = shared().options.network_key;
    if (!key->Verify(NetworkKey::Side::kDialler, transcript_, frame.network_proof())) {
      shared().counts.Add(TransportCount::kRefusedNetwork);
      Abort(CloseCause::kIdentity, "does not know our network key");
      return false;
    }
    PushOpened();
  }
  frame.clear_network_proof();
  return true;
}

void GrpcAcceptStream::End(bool aborted) {
  Finish(aborted ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "closed") : grpc::Status::OK);
}

}  // namespace tombolo::node
