// The core, and the duties of its host (overlay/outbox.h).
#include <utility>

#include "node/host.h"

namespace tombolo::node {
namespace {

using link::v1::Goodbye;

Goodbye::Reason ReasonOf(HangupReason reason) {
  switch (reason) {
    case HangupReason::kRequested:
      return Goodbye::REQUESTED;
    case HangupReason::kFull:
      return Goodbye::FULL;
    case HangupReason::kLeaving:
      return Goodbye::LEAVING;
    case HangupReason::kIdle:
      return Goodbye::IDLE;
  }
  return Goodbye::UNSPECIFIED;
}

Payload PayloadOf(const Event& event) {
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.payload; }) return body.payload;
        if constexpr (requires { body.record; })
          return body.found ? body.record.payload : Payload{};
        return Payload{};
      },
      event);
}

}  // namespace

// The only way into the core.
void Host::Feed(const CoreInput& input) {
  if (recorder_ != nullptr) recorder_->Record(now_, input);
  const Step step = MakeStep();
  if (const auto* message = std::get_if<MessageInput>(&input)) {
    ++counters_.received[message->message.index()];
    core_.Receive(message->from, message->message, step);
    lists_.Release(ListOf(message->message));
  } else if (const auto* command = std::get_if<CommandInput>(&input)) {
    core_.Execute(command->command, step);
    if (const auto* join = std::get_if<Join>(&command->command)) lists_.Release(join->bootstrap);
  } else if (const auto* up = std::get_if<LinkUpInput>(&input)) {
    core_.LinkUp(up->peer, up->attributes, step);
  } else if (const auto* down = std::get_if<LinkDownInput>(&input)) {
    core_.LinkDown(down->peer, down->reason, step);
  } else if (const auto* pressure = std::get_if<PressureInput>(&input)) {
    core_.LinkPressureChanged(pressure->peer, pressure->pressure, step);
  } else if (const auto* restore = std::get_if<RestoreInput>(&input)) {
    core_.Restore(restore->record, step);
  } else {
    core_.Tick(step);
  }
  if (durable_ != nullptr) KeepOffered(input);
  CarryOut();
}

// Encoded messages need no share of their payload: the bytes are copied at once.
void Host::CarryOut() {
  for (const OutgoingMessage& sent : outbox_.sends()) {
    ++counters_.sent[sent.message.index()];
    if (MustWait(sent.message)) {
      waiting_.push_back({kept_last_, sent});
      continue;
    }
    links_.Send(sent.to, sent.message, now_);
    lists_.Release(ListOf(sent.message));
  }
  for (const PeerRef peer : outbox_.dials()) links_.Keep(peer, now_);
  for (const OutgoingHangup& hangup : outbox_.hangups()) {
    if (stopping_) break;  // CloseAll parts with everybody, in its own time
    links_.Hangup(hangup.peer, ReasonOf(hangup.reason), now_);
  }
  for (const Payload& payload : outbox_.shares()) payloads_.Share(payload);
  for (const Event& event : outbox_.events()) {
    if (MustWait(event)) {
      waiting_.push_back({kept_last_, std::get<PutDone>(event)});
    } else {
      Tell(event);
    }
  }
  for (const Payload& payload : outbox_.releases()) payloads_.Release(payload);
  for (std::size_t i = 0; outbox_.has_drops() && i < kDropReasons; ++i) {
    counters_.drops[i] += outbox_.drops()[i];
  }
  outbox_.Clear();
}

void Host::Tell(const Event& event) {
  if (const auto* arrived = std::get_if<MessageArrived>(&event)) return Arrived(*arrived);
  if (const auto* put = std::get_if<PutDone>(&event)) return listener_.OnEvent(Settle(*put), {});
  listener_.OnEvent(event, payloads_.Take(PayloadOf(event)));
  if (const auto* done = std::get_if<LookupDone>(&event)) lists_.Release(done->closest);
}

}  // namespace tombolo::node
