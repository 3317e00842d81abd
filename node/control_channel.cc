#include "node/control_channel.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "node/control_convert.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMaxData = 64 * 1024;

grpc::Status Invalid(const char* what) { return {grpc::StatusCode::INVALID_ARGUMENT, what}; }

}  // namespace

class ControlChannel final
    : public grpc::ServerBidiReactor<control::ChannelInput, control::ChannelOutput>,
      public ChannelListener,
      public std::enable_shared_from_this<ControlChannel> {
 public:
  ControlChannel(const boost::asio::any_io_executor& strand, ControlChannels& calls)
      : strand_(strand), calls_(calls) {}

  // gRPC's threads. After OnDone nothing else comes, so that the call stays alive until then.
  void Start() {
    self_ = shared_from_this();
    Post([this] {
      calls_.Add(shared_from_this());
      Read();
    });
  }
  void OnReadDone(bool ok) override {
    Post([this, ok] {
      reading_ = false;
      inputs_over_ = !ok;
      if (ok) OnInput();
    });
  }
  void OnWriteDone(bool ok) override {
    Post([this, ok] {
      writing_ = false;
      if (finished_) return Finish(status_);
      ok ? Written() : Abandon();
    });
  }
  void OnCancel() override {
    Post([this] { Abandon(); });
  }
  void OnDone() override {
    Post([this] { calls_.Remove(shared_from_this()); });
    // What is posted has shares of its own.
    self_.reset();
  }

  // ---- The strand.

  // The channel that an accepting call has waited for.
  ChannelListener* Take(ChannelNumber number, const NodeId& remote) {
    number_ = number;
    TellOpened(remote);
    if (wants_room_) WriteOn();
    if (half_closed_) table().Finish(number);
    return this;
  }
  void End(const grpc::Status& status) {
    if (std::exchange(finished_, true)) return;
    Drop();
    status_ = status;
    if (!writing_) Finish(status_);
  }

  void OnAccepted(ChannelNumber) override { TellOpened(remote_); }
  void OnData(ChannelNumber, std::string bytes) override {
    control::ChannelOutput output;
    output.set_data(std::move(bytes));
    Push(std::move(output));
  }
  void OnEnd(ChannelNumber) override {
    control::ChannelOutput output;
    output.mutable_half_close();
    Push(std::move(output));
  }
  void OnWritable(ChannelNumber) override {
    if (wants_room_) WriteOn();
  }
  void OnReset(ChannelNumber, ResetReason reason, const std::string& text) override {
    number_.reset();
    control::ChannelOutput output;
    output.mutable_reset()->set_reason(static_cast<control::ChannelReset::Reason>(reason));
    for (const char c : text) {  // fields of text are UTF-8
      output.mutable_reset()->mutable_text()->push_back(c >= ' ' && c < '\x7f' ? c : '?');
    }
    // What the caller has not got by now is lost with the channel.
    outputs_.clear();
    Push(std::move(output));
    over_ = true;
    FinishIfOver();
  }
  void OnClosed(ChannelNumber) override {
    number_.reset();
    over_ = true;
    FinishIfOver();
  }

 private:
  template <class Work>
  void Post(Work work) {
    boost::asio::post(strand_, [self = shared_from_this(), work] { work(); });
  }
  ChannelTable& table() { return calls_.table_(); }

  void Read() {
    if (reading_ || finished_ || inputs_over_ || wants_room_) return;
    reading_ = true;
    input_.Clear();
    StartRead(&input_);
  }

  void OnInput() {
    if (finished_) return;
    if (!begun_) return Begin();
    switch (input_.what_case()) {
      case control::ChannelInput::kData:
        if (input_.data().size() > kMaxData) return End(Invalid("at most 64 KiB of data"));
        if (half_closed_) return End(Invalid("data after half_close"));
        written_ = 0;
        return WriteOn();
      case control::ChannelInput::kHalfClose:
        half_closed_ = true;
        if (number_) table().Finish(*number_);
        return Read();
      case control::ChannelInput::kReset:
        return Reset(input_.reset());
      default:
        return End(Invalid("open and accept come first, and once"));
    }
  }

  void Begin() {
    begun_ = true;
    if (input_.has_open()) return Open(input_.open());
    if (!input_.has_accept()) return End(Invalid("open or accept comes first"));
    const absl::Status awaits = calls_.Await(input_.accept().service(), shared_from_this());
    if (!awaits.ok()) return End(Convert(awaits));
    service_ = input_.accept().service();
    Read();  // so that the end of the caller is heard of
  }

  void Open(const control::ChannelOpen& open) {
    const std::optional<NodeId> remote = IdOf(open.id());
    if (!remote) return End(Invalid("an id has 20 bytes"));
    const absl::StatusOr<ChannelNumber> opened = table().Open(*remote, open.service(), *this);
    if (!opened.ok()) return End(Convert(opened.status()));
    service_ = open.service();
    remote_ = *remote;
    number_ = *opened;
    Read();
  }

  static grpc::Status Convert(const absl::Status& status) {
    return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
  }

  // Until the channel has taken the whole message, no other is read.
  void WriteOn() {
    if (!number_) {
      // Data of an accepting call that has no channel yet waits for it; of one that is over, goes.
      wants_room_ = !over_;
      return Read();
    }
    const std::string& data = input_.data();
    written_ += table().Write(*number_, std::string_view(data).substr(written_));
    wants_room_ = written_ < data.size();
    Read();
  }

  void Reset(const control::ChannelReset& reset) {
    if (number_) {
      table().Reset(*number_, reset.text(),
                    control::ChannelReset::Reason_IsValid(reset.reason()) &&
                            reset.reason() != control::ChannelReset::UNSPECIFIED
                        ? static_cast<ResetReason>(reset.reason())
                        : ResetReason::kCancelled);
    }
    number_.reset();
    End(grpc::Status::OK);
  }

  // The caller is gone.
  void Abandon() { End(grpc::Status::CANCELLED); }

  void Drop() {
    calls_.Unawait(shared_from_this());
    if (number_) table().Reset(*std::exchange(number_, std::nullopt), "the caller has gone");
  }

  void TellOpened(const NodeId& remote) {
    control::ChannelOutput output;
    output.mutable_opened()->set_id(BytesOf(remote));
    output.mutable_opened()->set_service(service_);
    Push(std::move(output));
  }

  void Push(control::ChannelOutput output) {
    outputs_.push_back(std::move(output));
    WriteNext();
  }
  void WriteNext() {
    if (writing_ || finished_ || outputs_.empty()) return;
    output_ = std::move(outputs_.front());
    outputs_.pop_front();
    writing_ = true;
    StartWrite(&output_);
  }
  void Written() {
    const std::size_t bytes = output_.data().size();
    if (number_ && bytes > 0) table().Consume(*number_, bytes);
    WriteNext();
    FinishIfOver();
  }
  void FinishIfOver() {
    if (over_ && !writing_ && outputs_.empty()) End(grpc::Status::OK);
  }

  const boost::asio::any_io_executor strand_;
  ControlChannels& calls_;
  std::shared_ptr<ControlChannel> self_;  // while gRPC has it

  control::ChannelInput input_;
  control::ChannelOutput output_;
  std::deque<control::ChannelOutput> outputs_;
  std::optional<ChannelNumber> number_;
  NodeId remote_;
  std::string service_;
  std::size_t written_ = 0;  // of the data of input_
  grpc::Status status_;
  bool begun_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool wants_room_ = false;
  bool inputs_over_ = false;
  bool half_closed_ = false;
  bool over_ = false;      // the channel is
  bool finished_ = false;  // the call is
};

ControlChannels::ControlChannels(boost::asio::any_io_executor strand,
                                 std::function<ChannelTable&()> table)
    : strand_(std::move(strand)), table_(std::move(table)) {}

grpc::ServerBidiReactor<control::ChannelInput, control::ChannelOutput>* ControlChannels::Begin() {
  const auto call = std::make_shared<ControlChannel>(strand_, *this);
  call->Start();
  return call.get();
}

void ControlChannels::Stop() {
  stopping_ = true;
  for (const auto& [key, call] : std::map(calls_)) {
    call->End({grpc::StatusCode::UNAVAILABLE, "the node is stopping"});
  }
}

void ControlChannels::Add(const Call& call) {
  if (stopping_) return call->End({grpc::StatusCode::UNAVAILABLE, "the node is stopping"});
  if (calls_.size() >= kMaxCalls) {
    return call->End({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many channels"});
  }
  calls_[call.get()] = call;
}

void ControlChannels::Remove(const Call& call) { calls_.erase(call.get()); }

absl::Status ControlChannels::Await(const std::string& service, const Call& call) {
  std::deque<Call>& waiting = waiting_[service];
  if (waiting.empty()) {
    const absl::Status accepts = table_().Accept(
        service, [this, service](ChannelNumber number, const NodeId& remote) -> ChannelListener* {
          std::deque<Call>& calls = waiting_[service];
          const Call first = std::move(calls.front());
          calls.pop_front();
          if (calls.empty()) {
            waiting_.erase(service);
            table_().Withdraw(service);
          }
          return first->Take(number, remote);
        });
    if (!accepts.ok()) {
      waiting_.erase(service);
      return accepts;
    }
  }
  waiting.push_back(call);
  return absl::OkStatus();
}

void ControlChannels::Unawait(const Call& call) {
  for (auto& [service, calls] : waiting_) {
    if (std::erase(calls, call) == 0) continue;
    if (calls.empty()) {
      table_().Withdraw(service);
      waiting_.erase(service);
    }
    return;
  }
}

}  // namespace tombolo::node
