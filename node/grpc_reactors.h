// The two ends of a stream of service Links: how a link begins, and the glue between GrpcStream and
// gRPC's reactors. Included by grpc_*.cc only.
//
// Metadata of the dialler: "tombolo-nonce-bin" (32 bytes) with a network key, "tombolo-id" without
// security. The listener answers with "tombolo-nonce-bin" and "tombolo-proof-bin", or its own
// "tombolo-id". The dialler's proof is in its first frame.
//
// Ownership and threads: as GrpcStream.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/grpc_credentials.h"
#include "node/grpc_stream.h"
#include "node/network_key.h"

namespace tombolo::node {

class GrpcDialStream final : public GrpcStream,
                             private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // `address` is "host:port".
  GrpcDialStream(std::shared_ptr<GrpcShared> shared, ConnectionId id, const std::string& address,
                 std::optional<NodeId> expected);
  void Dial();

 private:
  void BeginRead(grpc::ByteBuffer* into) override { StartRead(into); }
  void BeginWrite(const grpc::ByteBuffer* from) override { StartWrite(from); }
  bool half_closes() const override { return true; }
  void HalfClose() override { StartWritesDone(); }
  void End(bool) override { RemoveHold(); }
  void Cancel() override { context_.TryCancel(); }

  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override { ReadDone(ok); }
  void OnWriteDone(bool ok) override { WriteDone(ok); }
  void OnWritesDoneDone(bool ok) override { WriteDone(ok); }
  void OnDone(const grpc::Status& status) override;

  absl::StatusOr<NodeId> IdOfListener() const;
  // The proof to send, empty without a network key; an error if the listener has not proven itself.
  absl::StatusOr<std::string> Prove(const NodeId& listener) const;
  CloseCause CauseOf(const grpc::Status& status) const;

  const std::optional<NodeId> expected_;
  const std::string nonce_ = MakeNonce();
  const std::shared_ptr<DialVerdict> verdict_ = std::make_shared<DialVerdict>();
  bool opened_ = false;  // of gRPC's threads
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
};

class GrpcAcceptStream final : public GrpcStream,
                               private grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  // What serves a new call: a stream, which goes to the strand, or a refusal.
  static Reactor* Serve(const std::shared_ptr<GrpcShared>& shared,
                        grpc::CallbackServerContext& context);

  void Admit() override { StartReading(); }

 private:
  GrpcAcceptStream(std::shared_ptr<GrpcShared> shared, ConnectionId id, NodeId dialler,
                   grpc::CallbackServerContext& context);

  void BeginRead(grpc::ByteBuffer* into) override { StartRead(into); }
  void BeginWrite(const grpc::ByteBuffer* from) override { StartWrite(from); }
  bool half_closes() const override { return false; }
  void Prepare() override;
  void End(bool aborted) override;
  void Cancel() override { context_.TryCancel(); }
  bool Inspect(Frame& frame) override;

  void OnReadDone(bool ok) override { ReadDone(ok); }
  void OnWriteDone(bool ok) override { WriteDone(ok); }
  // Also when the server shuts down, which the strand waits for: a stream that it does not know yet
  // ends by itself.
  void OnCancel() override { Abort(CloseCause::kRemote, kGone); }
  void OnDone() override { Done(CloseCause::kRemote, kGone); }

  void PushOpened();

  static constexpr char kGone[] = "the other side is gone";

  grpc::CallbackServerContext& context_;  // lives until OnDone
  LinkTranscript transcript_;
  bool proven_ = false;  // of the network key; of gRPC's threads
};

}  // namespace tombolo::node
