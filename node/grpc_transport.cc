#include "node/grpc_transport.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

#include "node/grpc_listener.h"
#include "node/grpc_reactors.h"
#include "node/grpc_shared.h"
#include "node/host_port.h"

namespace tombolo::node {
namespace {

std::int64_t Micros(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace

GrpcTransport::GrpcTransport(boost::asio::any_io_executor strand, Identity identity,
                             GrpcTransportOptions options, TransportEvents& events)
    : strand_(std::move(strand)),
      events_(events),
      peer_rates_(options.peer_rates),
      gate_(options.rates),
      timer_(strand_) {
  PrepareGrpcProcess();
  const auto wake = [this, strand = strand_, alive = std::weak_ptr(alive_)] {
    boost::asio::post(strand, [this, alive] {
      if (!alive.expired()) Deliver();
    });
  };
  shared_ = std::make_shared<GrpcShared>(std::move(identity), std::move(options), wake);
  listener_ = std::make_unique<GrpcListener>(strand_, shared_);
}

GrpcTransport::~GrpcTransport() { Stop(); }

std::size_t GrpcTransport::queued(ConnectionId id) const {
  const auto found = connections_.find(id);
  const bool none = found == connections_.end() || found->second.stream == nullptr;
  return none ? 0 : found->second.stream->queued();
}

std::size_t GrpcTransport::buffered() const { return shared_->buffered; }

void GrpcTransport::SetLimits(const AcceptLimits& accept, RateLimits peer_rates, RateLimits rates) {
  listener_->SetLimits(accept);
  peer_rates_ = peer_rates;
  gate_.SetLimits(rates);
  for (auto& [id, connection] : connections_) connection.gate.SetLimits(peer_rates);
}

const TransportCounts& GrpcTransport::counts() const {
  listener_->Sweep();
  return shared_->counts;
}

std::optional<std::string> GrpcTransport::Obstacle(const std::string& address) const {
  if (stopped_) return "the node is stopping";
  const std::optional<HostPort> parsed = ParseHostPort(address);
  if (!parsed || parsed->port == 0) return address + " is not HOST:PORT";
  if (shared_->options.insecure && !IsLoopback(parsed->host)) {
    return "without security only loopback addresses are dialled, not " + address;
  }
  return std::nullopt;
}

ConnectionId GrpcTransport::Dial(const std::string& address, std::optional<NodeId> expected) {
  const ConnectionId id = shared_->NextConnection();
  shared_->counts.Add(TransportCount::kDials);
  Connection& connection = Add(id);
  connection.outbound = true;
  if (const std::optional<std::string> obstacle = Obstacle(address)) {
    shared_->counts.Add(TransportCount::kDialsFailed);
    shared_->events.Push({id, ClosedEvent{CloseCause::kDialFailed, *obstacle}});
    return id;
  }
  auto stream = std::make_unique<GrpcDialStream>(shared_, id, address, expected);
  GrpcDialStream& dialling = *stream;
  connection.stream = std::move(stream);
  SetDeadline(id, connection, shared_->options.dial_timeout);
  dialling.Dial();
  return id;
}

std::size_t GrpcTransport::Send(ConnectionId id, Frame frame) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || !found->second.open || found->second.closing) return 0;
  return found->second.stream->Send(std::move(frame));
}

void GrpcTransport::Close(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.closing) return;
  Connection& connection = found->second;
  connection.closing = true;
  if (connection.stream == nullptr) return;  // its Closed is on the way
  if (!connection.open) return connection.stream->Abort(CloseCause::kLocal, "");
  SetDeadline(id, connection, shared_->options.close_timeout);
  if (connection.paused) connection.stream->SetPaused(false);  // so that it hears of the end
  connection.stream->Close();
}

absl::Status GrpcTransport::Listen(const std::string& address) {
  if (stopped_) return absl::FailedPreconditionError("the transport has been stopped");
  return listener_->Listen(address);
}

std::string GrpcTransport::listening() const { return listener_->listening(); }

void GrpcTransport::Stop() {
  if (stopped_) return;
  stopped_ = true;
  listener_->Refuse();
  std::vector<ConnectionId> open;
  for (const auto& [id, connection] : connections_) open.push_back(id);
  for (const ConnectionId id : open) Close(id);
  // What is queued gets its time, then the deadlines of Close cut it short.
  while (!connections_.empty()) {
    const Clock::time_point until =
        deadlines_.empty() ? Clock::now() + std::chrono::seconds(1) : deadlines_.begin()->first;
    if (!shared_->events.WaitUntil(until)) OnTimer();
    Deliver();
  }
  listener_->Stop();
  Deliver();  // streams accepted meanwhile
  timer_.cancel();
}

void GrpcTransport::Deliver() {
  shared_->events.TakeInto(batch_);
  while (!batch_.empty()) {
    GrpcEvent event = std::move(batch_.front());
    batch_.pop_front();
    Handle(std::move(event));
  }
}

void GrpcTransport::Handle(GrpcEvent event) {
  const ConnectionId id = event.connection;
  if (auto* accepted = std::get_if<AcceptedEvent>(&event.what)) {
    HandleAccepted(id, std::move(accepted->stream));
  } else if (const auto* opened = std::get_if<OpenedEvent>(&event.what)) {
    HandleOpened(id, opened->remote);
  } else if (auto* frame = std::get_if<FrameEvent>(&event.what)) {
    HandleFrame(id, std::move(frame->frame), frame->bytes);
  } else if (const auto* closed = std::get_if<ClosedEvent>(&event.what)) {
    HandleClosed(id, closed->cause, closed->detail);
  } else if (const auto found = connections_.find(id);
             found != connections_.end() && !found->second.closing) {
    events_.Drained(id);
  }
}

void GrpcTransport::HandleAccepted(ConnectionId id, std::unique_ptr<GrpcStream> stream) {
  Connection& connection = Add(id);
  connection.stream = std::move(stream);
  if (stopped_ || !listener_->Adopt(connection.stream->peer())) {
    return connection.stream->Abort(CloseCause::kLocal, "no room");
  }
  connection.peer = connection.stream->peer();
  SetDeadline(id, connection, shared_->options.handshake_timeout);
  connection.stream->Admit();
}

void GrpcTransport::HandleOpened(ConnectionId id, const RemoteNode& remote) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.closing) return;
  found->second.open = true;
  if (remote.outbound) ClearDeadline(id, found->second);
  events_.Opened(id, remote);
}

void GrpcTransport::HandleFrame(ConnectionId id, std::unique_ptr<Frame> frame, std::size_t bytes) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if (!connection.closing) ClearDeadline(id, connection);
  Charge(id, connection, bytes, frame->messages_size() + frame->segments_size());
  // Consumed first: the handler may close, or stop everything.
  connection.stream->Consumed(bytes);
  if (connection.open && !connection.closing) events_.Received(id, std::move(frame));
}

void GrpcTransport::HandleClosed(ConnectionId id, CloseCause cause, const std::string& detail) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const Connection closed = std::move(found->second);
  connections_.erase(found);
  if (closed.paused)
    std::erase_if(resumes_, [id](const auto& entry) { return entry.second == id; });
  if (closed.deadline) deadlines_.erase({*closed.deadline, id});
  if (!closed.peer.empty()) listener_->Release(closed.peer);
  if (closed.outbound || closed.open) events_.Closed(id, cause, detail);
}

void GrpcTransport::SetDeadline(ConnectionId id, Connection& connection,
                                std::chrono::milliseconds delay) {
  ClearDeadline(id, connection);
  connection.deadline = Clock::now() + delay;
  deadlines_.emplace(*connection.deadline, id);
  ArmTimer();
}

void GrpcTransport::ClearDeadline(ConnectionId id, Connection& connection) {
  if (!connection.deadline) return;
  deadlines_.erase({*connection.deadline, id});
  connection.deadline.reset();
}

GrpcTransport::Connection& GrpcTransport::Add(ConnectionId id) {
  Connection& connection = connections_[id];
  connection.gate = RateGate(peer_rates_);
  return connection;
}

// What has come is paid for; in debt, nothing more is read.
void GrpcTransport::Charge(ConnectionId id, Connection& connection, std::size_t bytes,
                           int messages) {
  const Clock::time_point now = Clock::now();
  const std::int64_t now_us = Micros(now);
  connection.gate.Take(static_cast<std::int64_t>(bytes), messages, now_us);
  gate_.Take(static_cast<std::int64_t>(bytes), messages, now_us);
  if (connection.paused || connection.closing) return;
  const std::int64_t wait = std::max(connection.gate.WaitUs(now_us), gate_.WaitUs(now_us));
  if (wait == 0) return;
  connection.paused = true;
  connection.stream->SetPaused(true);
  shared_->counts.Add(TransportCount::kReadsPaused);
  resumes_.emplace(now + std::chrono::microseconds(wait), id);
  ArmTimer();
}

void GrpcTransport::ResumeDue(Clock::time_point now) {
  while (!resumes_.empty() && resumes_.begin()->first <= now) {
    const ConnectionId id = resumes_.begin()->second;
    resumes_.erase(resumes_.begin());
    Connection& connection = connections_.at(id);
    const std::int64_t now_us = Micros(now);
    const std::int64_t wait = std::max(connection.gate.WaitUs(now_us), gate_.WaitUs(now_us));
    if (wait > 0) {
      resumes_.emplace(now + std::chrono::microseconds(wait), id);
      continue;
    }
    connection.paused = false;
    connection.stream->SetPaused(false);
  }
}

void GrpcTransport::ArmTimer() {
  Clock::time_point first = Clock::time_point::max();
  if (!deadlines_.empty()) first = deadlines_.begin()->first;
  if (!resumes_.empty()) first = std::min(first, resumes_.begin()->first);
  if (first == Clock::time_point::max() || first == armed_) return;
  armed_ = first;
  timer_.expires_at(first);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& ended) {
    if (!alive.expired() && !ended) OnTimer();
  });
}

void GrpcTransport::OnTimer() {
  armed_ = {};
  const Clock::time_point now = Clock::now();
  ResumeDue(now);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const ConnectionId id = deadlines_.begin()->second;
    Connection& connection = connections_.at(id);
    ClearDeadline(id, connection);
    if (connection.closing) {
      connection.stream->Abort(CloseCause::kLocal, "");
    } else if (connection.outbound) {
      connection.stream->Abort(CloseCause::kDialFailed, "no answer in time");
    } else {
      shared_->counts.Add(TransportCount::kSilent);
      connection.stream->Abort(CloseCause::kTimeout, "no frame in time");
    }
  }
  ArmTimer();
}

}  // namespace tombolo::node
