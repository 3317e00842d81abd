#include "node/grpc_listener.h"

#include <fcntl.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "link.grpc.pb.h"
#include "node/endpoint.h"
#include "node/grpc_credentials.h"
#include "node/grpc_reactors.h"
#include "node/grpc_shared.h"
#include "node/host_port.h"

namespace tombolo::node {
namespace {

using boost::asio::ip::tcp;

// A connection without a stream is closed after one to two of these. gRPC wakes up that often for
// every connection, in use or not: once a second was a fifth of what idle links cost.
constexpr std::chrono::milliseconds kIdle{3000};
// How long after its handshake a connection may be open without a stream; gRPC may be late.
constexpr std::chrono::milliseconds kLongestIdle = 2 * kIdle + std::chrono::seconds(1);
constexpr std::chrono::milliseconds kRetryAccept{100};

class Service final : public link::v1::Links::WithRawCallbackMethod_Open<link::v1::Links::Service> {
 public:
  explicit Service(std::shared_ptr<GrpcShared> shared) : shared_(std::move(shared)) {}

  GrpcAcceptStream::Reactor* Open(grpc::CallbackServerContext* context) override {
    return GrpcAcceptStream::Serve(shared_, *context);
  }

 private:
  const std::shared_ptr<GrpcShared> shared_;
};

void AddServerArguments(const GrpcTransportOptions& options, grpc::ServerBuilder& builder) {
  const auto set = [&builder](const char* name, std::chrono::milliseconds value) {
    builder.AddChannelArgument(name, static_cast<int>(value.count()));
  };
  set(GRPC_ARG_KEEPALIVE_TIME_MS, options.keepalive_interval);
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keepalive_timeout);
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, options.handshake_timeout);
  set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdle);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The dialler's keepalive is ours; gRPC would hang up on more than one ping in five minutes.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 4096);
  builder.SetMaxReceiveMessageSize(static_cast<int>(2 * options.max_frame_bytes));
}

}  // namespace

std::string PeerName(const std::string& uri) {
  std::string name = uri.substr(uri.find(':') + 1);
  for (const auto& [code, sign] : {std::pair{"%5B", "["}, std::pair{"%5D", "]"}}) {
    if (const std::size_t at = name.find(code); at != std::string::npos) name.replace(at, 3, sign);
  }
  return name;
}

class GrpcListener::Server {
 public:
  explicit Server(const std::shared_ptr<GrpcShared>& shared) : service_(shared) {
    grpc::ServerBuilder builder;
    AddServerArguments(shared->options, builder);
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        MakeServerCredentials(*shared));
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  bool ok() const { return server_ != nullptr; }
  // Takes the descriptor.
  void Serve(int descriptor) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = descriptor;
    acceptor_->HandleNewConnection(&connection);
  }
  void Stop() { server_->Shutdown(std::chrono::system_clock::now()); }

 private:
  Service service_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

GrpcListener::GrpcListener(boost::asio::any_io_executor strand, std::shared_ptr<GrpcShared> shared)
    : strand_(std::move(strand)),
      shared_(std::move(shared)),
      acceptor_(strand_),
      retry_(strand_),
      counts_(shared_->options.accept) {}

GrpcListener::~GrpcListener() { Stop(); }

absl::Status GrpcListener::Listen(const std::string& address) {
  if (!listening_.empty()) return absl::FailedPreconditionError("already listening");
  const absl::StatusOr<tcp::endpoint> endpoint = EndpointOf(address);
  if (!endpoint.ok()) return endpoint.status();
  if (shared_->options.insecure && !endpoint->address().is_loopback()) {
    return absl::FailedPreconditionError(
        "without security only a loopback address is listened at, not " + address);
  }
  boost::system::error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*endpoint, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (error) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    return absl::UnavailableError("cannot listen at " + address + ": " + error.message());
  }
  server_ = std::make_unique<Server>(shared_);
  if (!server_->ok()) {
    server_.reset();
    Refuse();
    return absl::InternalError("gRPC does not start");
  }
  listening_ = NameOf(acceptor_.local_endpoint());
  AcceptNext();
  return absl::OkStatus();
}

void GrpcListener::AcceptNext() {
  acceptor_.async_accept([this, alive = std::weak_ptr(alive_)](
                             const boost::system::error_code& error, tcp::socket socket) {
    if (!alive.expired()) OnAccepted(error, std::move(socket));
  });
}

void GrpcListener::OnAccepted(const boost::system::error_code& error, tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (error) {
    // Out of descriptors, mostly: trying again at once would only burn the processor.
    retry_.expires_after(kRetryAccept);
    retry_.async_wait(
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& ended) {
          if (!alive.expired() && !ended && acceptor_.is_open()) AcceptNext();
        });
    return;
  }
  boost::system::error_code gone;
  const tcp::endpoint from = Unmapped(socket.remote_endpoint(gone));
  if (!gone) HandOver(std::move(socket), from);
  AcceptNext();
}

void GrpcListener::HandOver(tcp::socket socket, const tcp::endpoint& from) {
  Sweep();
  if (!TakePlace(NameOf(from), from.address(),
                 Clock::now() + shared_->options.handshake_timeout + kLongestIdle)) {
    return;  // closes the socket
  }
  shared_->counts.Add(TransportCount::kAccepted);
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.native_non_blocking(true, ignored);
  const int descriptor = socket.release(ignored);
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  server_->Serve(descriptor);
}

bool GrpcListener::TakePlace(const std::string& peer, const boost::asio::ip::address& address,
                             std::optional<Clock::time_point> expiry) {
  switch (counts_.Admit(address)) {
    case AcceptCounts::Verdict::kAdmitted:
      // The same port again: the connection before it is gone.
      if (const auto [place, fresh] = places_.try_emplace(peer, Place{address, expiry}); !fresh) {
        counts_.Release(address);
        place->second.expiry = expiry;
      }
      return true;
    case AcceptCounts::Verdict::kTotal:
      shared_->counts.Add(TransportCount::kRefusedTotal);
      return false;
    case AcceptCounts::Verdict::kAddress:
      shared_->counts.Add(TransportCount::kRefusedAddress);
      return false;
    case AcceptCounts::Verdict::kPrefix:
      shared_->counts.Add(TransportCount::kRefusedPrefix);
      return false;
  }
  return false;
}

bool GrpcListener::Adopt(const std::string& peer) {
  if (const auto found = places_.find(peer); found != places_.end()) {
    found->second.expiry.reset();
    return true;
  }
  // A second stream on a connection whose first has ended.
  const std::optional<HostPort> parsed = ParseHostPort(peer);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(parsed ? parsed->host : "", error);
  return !error && TakePlace(peer, address, std::nullopt);
}

void GrpcListener::Release(const std::string& peer) {
  const auto found = places_.find(peer);
  if (found == places_.end()) return;
  counts_.Release(found->second.address);
  places_.erase(found);
}

void GrpcListener::Sweep() {
  const Clock::time_point now = Clock::now();
  for (auto place = places_.begin(); place != places_.end();) {
    if (!place->second.expiry || *place->second.expiry > now) {
      ++place;
      continue;
    }
    shared_->counts.Add(TransportCount::kHandshakeLost);
    counts_.Release(place->second.address);
    place = places_.erase(place);
  }
}

void GrpcListener::Refuse() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  listening_.clear();
}

void GrpcListener::Stop() {
  Refuse();
  if (server_ == nullptr) return;
  server_->Stop();
  server_.reset();
}

}  // namespace tombolo::node
