#include "node/control_service.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <boost/asio/post.hpp>
#include <thread>
#include <utility>

#include "node/control_calls.h"
#include "node/grpc_credentials.h"

namespace tombolo::node {

class ControlServer::Impl {
 public:
  Impl(boost::asio::any_io_executor strand, Application& application,
       const GrpcTransport& transport, ControlOptions options)
      : strand_(std::move(strand)),
        options_(std::move(options)),
        calls_(strand_, application, transport, options_) {
    PrepareGrpcProcess();
  }
  ~Impl() {
    if (server_ != nullptr && !closer_.joinable()) server_->Shutdown();
    if (closer_.joinable()) closer_.join();
  }

  absl::Status Start() {
    grpc::EnableDefaultHealthCheckService(true);
    // Once per process: the plug-in joins every server that is built from then on.
    static const bool reflection = [] {
      grpc::reflection::InitProtoReflectionServerBuilderPlugin();
      return true;
    }();
    static_cast<void>(reflection);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options_.address, grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(1 << 20);
    builder.RegisterService(&calls_);
    server_ = builder.BuildAndStart();
    const bool unix_socket = options_.address.starts_with("unix:");
    if (server_ == nullptr || (port == 0 && !unix_socket)) {
      return absl::UnavailableError("cannot listen at " + options_.address +
                                    " for the control API; is it in use?");
    }
    address_ = unix_socket ? options_.address
                           : options_.address.substr(0, options_.address.rfind(':') + 1) +
                                 std::to_string(port);
    SetServing(true);
    return absl::OkStatus();
  }

  void SetServing(bool serving) {
    if (server_ != nullptr) server_->GetHealthCheckService()->SetServingStatus(serving);
  }

  // Shutdown blocks until every call has ended, for which the strand is needed.
  void Stop(std::function<void()> stopped) {
    SetServing(false);
    calls_.Stop();
    if (server_ == nullptr || closer_.joinable()) return stopped();
    closer_ = std::thread([this, stopped = std::move(stopped)] {
      server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
      boost::asio::post(strand_, stopped);
    });
  }

  const std::string& address() const { return address_; }

 private:
  boost::asio::any_io_executor strand_;
  const ControlOptions options_;
  ControlCalls calls_;
  std::unique_ptr<grpc::Server> server_;
  std::thread closer_;
  std::string address_;
};

ControlServer::ControlServer(boost::asio::any_io_executor strand, Application& application,
                             const GrpcTransport& transport, ControlOptions options)
    : impl_(std::make_unique<Impl>(std::move(strand), application, transport, std::move(options))) {
}
ControlServer::~ControlServer() = default;
absl::Status ControlServer::Start() { return impl_->Start(); }
const std::string& ControlServer::address() const { return impl_->address(); }
void ControlServer::SetServing(bool serving) { impl_->SetServing(serving); }
void ControlServer::Stop(std::function<void()> stopped) { impl_->Stop(std::move(stopped)); }

}  // namespace tombolo::node
