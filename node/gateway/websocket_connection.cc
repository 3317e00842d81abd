#include "node/gateway/websocket_connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "node/endpoint.h"

namespace tombolo::node {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max() / 2;
constexpr Duration kCloseDeadline = Duration::Seconds(2);
constexpr std::size_t kKeptCapacity = 1024;  // of buffers that are empty
constexpr std::size_t kControlRoom = 4096;   // of the queue, beyond messages

std::int64_t Allowance(std::size_t per_second) {
  return per_second == 0 ? kUnlimited : static_cast<std::int64_t>(per_second);
}

void Shrink(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptCapacity) text = std::string();
}

}  // namespace

WebSocketConnection::WebSocketConnection(WebSocketOwner& owner, WebSocketShared& shared,
                                         Socket socket, std::unique_ptr<ByteStream> stream,
                                         const Socket::endpoint_type& remote,
                                         std::optional<std::string> call)
    : owner_(owner),
      shared_(shared),
      socket_(std::move(socket)),
      stream_(std::move(stream)),
      remote_(remote.address()),
      request_(std::make_unique<WebSocketRequest>()),
      credit_messages_(Allowance(shared.options.messages_per_second)),
      credit_bytes_(Allowance(shared.options.bytes_per_second)),
      since_(shared.now) {
  request_->address = NameOf(remote);
  if (call) {
    std::array<std::uint64_t, 2> random{shared.rng.Next(), shared.rng.Next()};
    call_ = std::make_unique<Call>();
    call_->url = *std::move(call);
    call_->key = UpgradeKey({reinterpret_cast<const char*>(random.data()), sizeof random});
  }
}

void WebSocketConnection::Start() {
  if (call_ != nullptr) {
    out_ = MakeUpgrade(*ParseWebSocketUrl(call_->url), call_->key);
    owner_.FlushSoon(*this);
  }
  WaitRead();
}

// ---- Waiting.

void WebSocketConnection::WaitRead() {
  if (reading_ || slowed_ || state_ == State::kEnded) return;
  reading_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const auto& error) {
    self->reading_ = false;
    if (!error && self->state_ != State::kEnded) self->OnReadable();
  });
}

void WebSocketConnection::WaitWrite() {
  if (writing_ || state_ == State::kEnded) return;
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const auto& error) {
    self->writing_ = false;
    if (error || self->state_ == State::kEnded) return;
    self->Flush();
    // Reading may have waited for this, too: TLS writes of its own accord.
    if (self->state_ != State::kEnded && !self->reading_ && !self->slowed_) self->OnReadable();
  });
}

void WebSocketConnection::OnReadable() {
  std::string& buffer = shared_.buffer;
  do {
    const IoResult read = stream_->Read(buffer);
    if (read.status == IoStatus::kEnded) return End();
    if (read.status == IoStatus::kWantWrite) return WaitWrite();
    if (read.status == IoStatus::kWantRead) break;
    shared_.Count(WebSocketCount::kBytesIn, read.bytes);
    since_ = state_ == State::kOpen ? shared_.now : since_;
    pinged_ = false;
    Take({buffer.data(), read.bytes});
    if (state_ == State::kEnded) return;
  } while (stream_->holds_bytes() && !slowed_);
  WaitRead();
}

// ---- Taking bytes apart.

// In place if nothing waits for its rest.
void WebSocketConnection::Take(std::span<char> bytes) {
  if (in_.empty()) {
    const std::size_t taken = TakeSome(bytes);
    if (state_ != State::kEnded) in_.assign(bytes.data() + taken, bytes.size() - taken);
    return;
  }
  in_.append(bytes.data(), bytes.size());
  const std::size_t taken = TakeSome(in_);
  if (state_ == State::kEnded) return;
  in_.erase(0, taken);
  if (in_.empty()) Shrink(in_);
}

// As much as is complete and may be taken now; returns how much that was.
std::size_t WebSocketConnection::TakeSome(std::span<char> bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    if (state_ == State::kEnded || finished_) return bytes.size();
    std::size_t step = 0;
    if (state_ == State::kUpgrading) {
      step = TakeUpgrade({bytes.data() + taken, bytes.size() - taken});
    } else if (!may_read()) {
      if (!std::exchange(slowed_, true)) shared_.Count(WebSocketCount::kSlowed);
    } else {
      step = TakeFrame(bytes.subspan(taken));
    }
    if (step == 0) break;
    taken += step;
  }
  return taken;
}

std::size_t WebSocketConnection::TakeUpgrade(std::string_view bytes) {
  const std::size_t size = UpgradeBytes(bytes);
  if (size > kMaxUpgradeBytes || (size == 0 && bytes.size() > kMaxUpgradeBytes)) {
    Refuse(431, WebSocketCount::kRefusedRequest);
    return bytes.size();
  }
  if (size == 0) return 0;
  return call_ != nullptr ? TakeResponse(bytes, size) : TakeRequest(bytes, size);
}

std::size_t WebSocketConnection::TakeRequest(std::string_view bytes, std::size_t size) {
  UpgradeRequest upgrade;
  if (const auto refusal = ReadUpgrade(bytes.substr(0, size), upgrade)) {
    out_ += *refusal;
    Refuse(0, WebSocketCount::kRefusedRequest);
    return bytes.size();
  }
  const std::vector<std::string>& origins = shared_.options.origins;
  const bool welcome =
      origins.empty() || upgrade.origin.empty() || std::ranges::count(origins, upgrade.origin) > 0;
  if (!welcome) {
    Refuse(403, WebSocketCount::kRefusedOrigin);
    return bytes.size();
  }
  deflate_ = upgrade.deflate && shared_.options.deflate;
  out_ += AcceptUpgrade(upgrade, deflate_);
  owner_.FlushSoon(*this);
  request_->target = std::move(upgrade.target);
  request_->origin = std::move(upgrade.origin);
  Open(*std::exchange(request_, nullptr));
  return size;
}

std::size_t WebSocketConnection::TakeResponse(std::string_view bytes, std::size_t size) {
  if (!IsUpgraded(bytes.substr(0, size), call_->key)) {
    End();
    return bytes.size();
  }
  request_->target = call_->url;
  request_->dialed = true;
  Open(*std::exchange(request_, nullptr));
  return size;
}

// With a response of this status, or the one that is queued already.
void WebSocketConnection::Refuse(int status, WebSocketCount why) {
  if (call_ != nullptr) return End();
  shared_.Count(why);
  if (status != 0) out_ += RefuseUpgrade(status);
  state_ = State::kClosing;
  finished_ = true;
  since_ = shared_.now;
  owner_.FlushSoon(*this);
}

void WebSocketConnection::Open(WebSocketRequest request) {
  state_ = State::kOpen;
  since_ = shared_.now;
  told_ = true;
  shared_.Count(call_ != nullptr ? WebSocketCount::kDialed : WebSocketCount::kOpened);
  shared_.events.Opened(*this, request);
}

std::size_t WebSocketConnection::TakeFrame(std::span<char> bytes) {
  FrameHeader header;
  const FrameRead read = ReadFrameHeader({bytes.data(), bytes.size()}, deflate_, header);
  // RFC 6455, section 5.1: who called masks, who answered does not.
  if (read == FrameRead::kBad || (read == FrameRead::kComplete && header.masked == dialed())) {
    Fail(CloseCode::kProtocol, WebSocketCount::kBadFrame);
    return bytes.size();
  }
  if (read == FrameRead::kIncomplete) return 0;
  // Control frames may come between the fragments of a message, and are none of it (section 5.4).
  const std::size_t before = header.opcode >= FrameOpcode::kClose ? 0 : message_.size();
  if (header.length + before > shared_.options.max_message) {
    Fail(CloseCode::kTooBig, WebSocketCount::kTooBig);
    return bytes.size();
  }
  const std::size_t size = header.header_size + static_cast<std::size_t>(header.length);
  if (bytes.size() < size) return 0;
  const std::span<char> payload = bytes.subspan(header.header_size, size - header.header_size);
  if (header.masked) MaskFrame(header.mask, payload);
  Spend(size);
  if (header.opcode >= FrameOpcode::kClose) {
    TakeControl(header, {payload.data(), payload.size()});
  } else {
    TakeData(header, payload);
  }
  return size;
}

void WebSocketConnection::TakeControl(const FrameHeader& header, std::string_view payload) {
  if (header.opcode == FrameOpcode::kPong) return;
  if (header.opcode == FrameOpcode::kPing) {
    // Who pings without reading the answers gets no more of them.
    if (out_.size() - out_begin_ < shared_.options.max_queue)
      Append(FrameOpcode::kPong, false, payload);
    return;
  }
  if (!IsGoodClosePayload(payload)) return Fail(CloseCode::kProtocol, WebSocketCount::kBadFrame);
  finished_ = true;
  if (state_ == State::kOpen) {
    Append(FrameOpcode::kClose, false, payload.substr(0, 2));
    state_ = State::kClosing;
    since_ = shared_.now;
  }
  owner_.FlushSoon(*this);
}

void WebSocketConnection::TakeData(const FrameHeader& header, std::span<char> payload) {
  const bool continues = header.opcode == FrameOpcode::kContinuation;
  if (continues != in_message_) return Fail(CloseCode::kProtocol, WebSocketCount::kBadFrame);
  if (!continues) {
    text_ = header.opcode == FrameOpcode::kText;
    compressed_ = header.compressed;
  }
  in_message_ = !header.final;
  if (header.final && !continues) return Deliver({payload.data(), payload.size()});
  message_.append(payload.data(), payload.size());
  if (!header.final) return;
  const std::string message = std::exchange(message_, std::string());
  Deliver(message);
}

void WebSocketConnection::Deliver(std::string_view message) {
  if (state_ != State::kOpen) return;
  if (compressed_) {
    const std::string* inflated = shared_.deflate.Inflate(message, shared_.options.max_message);
    if (inflated == nullptr) return Fail(CloseCode::kBadText, WebSocketCount::kBadFrame);
    message = *inflated;
  }
  if (text_ && !IsUtf8(message)) return Fail(CloseCode::kBadText, WebSocketCount::kBadText);
  shared_.Count(WebSocketCount::kMessagesIn);
  shared_.events.Received(*this, message, text_ ? MessageKind::kText : MessageKind::kBinary);
}

void WebSocketConnection::Spend(std::size_t bytes) {
  if (credit_messages_ < kUnlimited) --credit_messages_;
  if (credit_bytes_ < kUnlimited) credit_bytes_ -= static_cast<std::int64_t>(bytes);
}

// ---- Sending.

bool WebSocketConnection::Send(std::string_view message, MessageKind kind) {
  if (state_ != State::kOpen) return false;
  if (out_.size() - out_begin_ + message.size() > shared_.options.max_queue) {
    shared_.Count(WebSocketCount::kQueueFull);
    return false;
  }
  shared_.Count(WebSocketCount::kMessagesOut);
  const FrameOpcode opcode = kind == MessageKind::kText ? FrameOpcode::kText : FrameOpcode::kBinary;
  Append(opcode, deflate_, deflate_ ? shared_.deflate.Deflate(message) : message);
  return true;
}

void WebSocketConnection::Append(FrameOpcode opcode, bool compressed, std::string_view payload) {
  // Before the string grows, rather than with every message of a long queue.
  if (out_begin_ > out_.capacity() / 2) {
    out_.erase(0, out_begin_);
    out_begin_ = 0;
  }
  if (!dialed()) {
    WriteFrameHeader(opcode, compressed, payload.size(), nullptr, out_);
    out_.append(payload);
  } else {
    std::array<std::uint8_t, 4> mask{};
    const std::uint64_t random = shared_.rng.Next();
    std::memcpy(mask.data(), &random, mask.size());
    WriteFrameHeader(opcode, compressed, payload.size(), &mask, out_);
    out_.append(payload);
    MaskFrame(mask, {out_.data() + out_.size() - payload.size(), payload.size()});
  }
  if (!std::exchange(flushing_, true)) owner_.FlushSoon(*this);
}

void WebSocketConnection::Flush() {
  flushing_ = false;
  while (out_begin_ < out_.size() && state_ != State::kEnded) {
    const IoResult written = stream_->Write(std::string_view(out_).substr(out_begin_));
    if (written.status == IoStatus::kEnded) return End();
    if (written.status == IoStatus::kWantRead) return WaitRead();
    if (written.status == IoStatus::kWantWrite) return WaitWrite();
    out_begin_ += written.bytes;
    shared_.Count(WebSocketCount::kBytesOut, written.bytes);
  }
  out_begin_ = 0;
  Shrink(out_);
  // The other side hangs up when it has answered, as RFC 6455 wants, or is helped to.
  if (state_ == State::kClosing && finished_) End();
}

void WebSocketConnection::Close(CloseCode code, std::string_view reason) {
  if (state_ != State::kOpen) return;
  Append(FrameOpcode::kClose, false, ClosePayload(static_cast<std::uint16_t>(code), reason));
  state_ = State::kClosing;
  since_ = shared_.now;
}

void WebSocketConnection::Fail(CloseCode code, WebSocketCount why) {
  if (state_ == State::kEnded) return;
  shared_.Count(why);
  Close(code, "");
  finished_ = true;  // nothing that follows can be understood
  owner_.FlushSoon(*this);
}

void WebSocketConnection::Probe() {
  if (state_ != State::kOpen || pinged_) return;
  pinged_ = true;
  since_ = shared_.now - shared_.options.ping_after;
  if (out_.size() - out_begin_ < shared_.options.max_queue + kControlRoom)
    Append(FrameOpcode::kPing, false, "");
}

void WebSocketConnection::End() {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  const auto self = shared_from_this();
  if (call_ != nullptr && !told_) shared_.Count(WebSocketCount::kDialFailed);
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
  owner_.Ended(*this);
  if (told_) {
    shared_.events.Closed(*this);
  } else if (call_ != nullptr) {
    shared_.events.DialFailed(call_->url);
  }
}

void WebSocketConnection::Tick(Duration since_last) {
  const WebSocketOptions& options = shared_.options;
  const auto refill = [&](std::int64_t& credit, std::size_t per_second) {
    if (per_second == 0) return;
    const std::int64_t most = Allowance(per_second);
    credit = std::min(most, credit + most * since_last.us / 1'000'000);
  };
  refill(credit_messages_, options.messages_per_second);
  refill(credit_bytes_, options.bytes_per_second);
  const auto self = shared_from_this();
  if (slowed_ && may_read()) {
    slowed_ = false;
    since_ = shared_.now;
    if (!in_.empty()) Take({});
    if (state_ != State::kEnded && !slowed_) OnReadable();  // TLS may hold some already
    if (state_ == State::kEnded) return;
  }
  const Duration silent = shared_.now - since_;
  if (state_ == State::kUpgrading && silent > options.handshake_deadline) {
    shared_.Count(WebSocketCount::kHandshakeTimeout);
    End();
  } else if (state_ == State::kClosing && silent > kCloseDeadline) {
    End();
  } else if (state_ == State::kOpen && slowed_) {
    since_ = shared_.now;  // it is us who do not listen
  } else if (state_ == State::kOpen && silent > options.ping_after + options.pong_deadline) {
    shared_.Count(WebSocketCount::kSilent);
    End();
  } else if (state_ == State::kOpen && !pinged_ && silent > options.ping_after) {
    Probe();
  }
}

}  // namespace tombolo::node
