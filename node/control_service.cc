#include "node/control_service.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "node/control_calls.h"
#include "node/control_certificate.h"
#include "node/control_guard.h"
#include "node/grpc_credentials.h"

namespace tombolo::node {
namespace {

constexpr std::chrono::seconds kLookAgain{4};  // at certificate and key

// True if somebody listens at the socket: gRPC would take it away from them without a word. What
// a dead process has left behind is not in use.
bool Answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return false;
  std::copy(path.begin(), path.end(), address.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool answered = connect(fd, reinterpret_cast<const sockaddr*>(&address),
                                sizeof(address)) == 0 ||
                        errno == EAGAIN;  // its backlog is full
  close(fd);
  return answered;
}

}  // namespace

class ControlServer::Impl {
 public:
  Impl(boost::asio::any_io_executor strand, Application& application,
       const GrpcTransport& transport, ControlOptions options)
      : strand_(std::move(strand)),
        options_(std::move(options)),
        calls_(strand_, application, transport, options_, [this] { return refused(); }),
        look_again_(strand_) {
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
    const absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials = Credentials();
    if (!credentials.ok()) return credentials.status();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options_.address, *credentials, &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(1 << 20);
    builder.RegisterService(&calls_);
    const bool unix_socket = options_.address.starts_with("unix:");
    if (unix_socket && Answers(options_.address.substr(5))) {
      return absl::UnavailableError(options_.address + " is in use by another process");
    }
    {
      // Nobody else may open the socket, not even between its making and chmod.
      const mode_t before = unix_socket ? umask(0177) : 0;
      server_ = builder.BuildAndStart();
      if (unix_socket) umask(before);
    }
    if (server_ == nullptr || (port == 0 && !unix_socket)) {
      return absl::UnavailableError("cannot listen at " + options_.address +
                                    " for the control API; is it in use?");
    }
    if (unix_socket && chmod(options_.address.substr(5).c_str(), 0600) != 0) {
      return absl::UnavailableError("cannot protect the socket " + options_.address);
    }
    address_ = unix_socket ? options_.address
                           : options_.address.substr(0, options_.address.rfind(':') + 1) +
                                 std::to_string(port);
    SetServing(true);
    return absl::OkStatus();
  }

  absl::Status Reload() {
    if (options_.tls_cert.empty()) return absl::OkStatus();
    const absl::StatusOr<CertificatePair> pair =
        ReadCertificate(options_.tls_cert, options_.tls_key);
    if (!pair.ok()) return pair.status();
    absl::StatusOr<std::string> token = "";
    if (guard_ != nullptr) token = ReadToken(options_.token_file);
    if (!token.ok()) return token.status();
    if (absl::Status served = certificate_.Serve(*pair); !served.ok()) return served;
    if (guard_ != nullptr) guard_->SetToken(*token);
    return absl::OkStatus();
  }
  std::uint64_t refused() const { return guard_ == nullptr ? 0 : guard_->refused(); }

  void SetServing(bool serving) {
    if (server_ == nullptr) return;
    // Of the whole, which is the empty name, and of the service: clients ask for either.
    grpc::HealthCheckServiceInterface& health = *server_->GetHealthCheckService();
    health.SetServingStatus(serving);
    health.SetServingStatus(control::Control::service_full_name(), serving);
  }

  // Shutdown blocks until every call has ended, for which the strand is needed.
  void Stop(std::function<void()> stopped) {
    SetServing(false);
    alive_.reset();
    look_again_.cancel();
    calls_.Stop();
    if (server_ == nullptr || closer_.joinable()) return stopped();
    closer_ = std::thread([this, stopped = std::move(stopped)] {
      server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
      boost::asio::post(strand_, stopped);
    });
  }

  const std::string& address() const { return address_; }

 private:
  absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials() {
    if (options_.tls_cert.empty()) return grpc::InsecureServerCredentials();
    const absl::StatusOr<CertificatePair> pair =
        ReadCertificate(options_.tls_cert, options_.tls_key);
    if (!pair.ok()) return pair.status();
    if (absl::Status served = certificate_.Serve(*pair); !served.ok()) return served;
    if (!options_.token_file.empty()) {
      const absl::StatusOr<std::string> token = ReadToken(options_.token_file);
      if (!token.ok()) return token.status();
      guard_ = std::make_shared<ControlGuard>(*token);
    }
    LookAgainLater();
    return MakeControlCredentials(certificate_.MakeProvider(), guard_);
  }

  // Certificates are renewed by programs that tell nobody.
  void LookAgainLater() {
    look_again_.expires_after(kLookAgain);
    look_again_.async_wait(
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
          if (error || alive.expired()) return;
          LookAgain();
          LookAgainLater();
        });
  }
  void LookAgain() {
    const absl::StatusOr<CertificatePair> pair =
        ReadCertificate(options_.tls_cert, options_.tls_key);
    const absl::Status served = pair.ok() ? certificate_.Serve(*pair) : pair.status();
    if (std::exchange(last_look_, served) == served || served.ok()) return;
    spdlog::error("the control API keeps the certificate that it has: {}",
                  std::string(served.message()));
  }

  boost::asio::any_io_executor strand_;
  const ControlOptions options_;
  ControlCalls calls_;
  std::shared_ptr<ControlGuard> guard_;
  ControlCertificate certificate_;  // outlives the server
  boost::asio::steady_timer look_again_;
  absl::Status last_look_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
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
absl::Status ControlServer::Reload() { return impl_->Reload(); }
std::uint64_t ControlServer::refused() const { return impl_->refused(); }
void ControlServer::SetServing(bool serving) { impl_->SetServing(serving); }
void ControlServer::Stop(std::function<void()> stopped) { impl_->Stop(std::move(stopped)); }

}  // namespace tombolo::node
