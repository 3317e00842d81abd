#include "node/application.h"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace tombolo::node {
namespace {

// The number that an event answers; nullopt: it answers nobody.
std::optional<std::uint32_t> RequestOf(const Event& event) {
  return std::visit(
      [](const auto& body) -> std::optional<std::uint32_t> {
        if constexpr (requires { body.request; }) return body.request;
        return std::nullopt;
      },
      event);
}

void SetRequest(Command& command, std::uint32_t number) {
  std::visit(
      [number](auto& body) {
        if constexpr (requires { body.request; }) body.request = number;
      },
      command);
}

}  // namespace

absl::Status Application::Ask(Command command, std::string payload, Answer answer) {
  if (requests_.size() >= kMaxRequests) {
    return absl::ResourceExhaustedError("too many requests are under way");
  }
  while (++last_request_ == 0 || requests_.contains(last_request_)) {
  }
  const std::uint32_t number = last_request_;
  SetRequest(command, number);
  Request request{std::move(answer), {}, {}};
  if (const Connect* connect = std::get_if<Connect>(&command)) request.connect = connect->target;
  if (const AttachClient* attach = std::get_if<AttachClient>(&command)) {
    request.attach = attach->client;
  }
  requests_.emplace(number, std::move(request));
  absl::Status given = host_->Execute(command, std::move(payload));
  if (!given.ok()) requests_.erase(number);
  return given;
}

absl::StatusOr<std::optional<Failed>> Application::Try(Command command, std::string payload) {
  std::optional<Failed> refused;
  const absl::Status given = Ask(std::move(command), std::move(payload),
                                 [&refused](const Event& event, const std::string&) {
                                   if (const auto* failed = std::get_if<Failed>(&event))
                                     refused = *failed;
                                 });
  if (!given.ok()) return given;
  requests_.erase(last_request_);  // what comes later finds nobody who asks
  return refused;
}

absl::Status Application::Do(const Command& command, std::string payload) {
  return host_->Execute(command, std::move(payload));
}

std::uint64_t Application::Listen(Listener listener) {
  listeners_.emplace(++last_listener_, std::move(listener));
  return last_listener_;
}

std::uint64_t Application::ListenLeaving(LeavingListener listener) {
  leaving_listeners_.emplace(++last_listener_, std::move(listener));
  return last_listener_;
}

// Each hears it once.
void Application::TellLeaving(const std::vector<RememberedPeer>& others) {
  while (!leaving_listeners_.empty()) {
    const auto node = leaving_listeners_.extract(leaving_listeners_.begin());
    node.mapped()(others);
  }
}

void Application::Subscribe(std::uint64_t topic) {
  if (++topics_[topic] == 1) Do(tombolo::Subscribe{topic}).IgnoreError();
}

void Application::Unsubscribe(std::uint64_t topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end() || --found->second > 0) return;
  topics_.erase(found);
  Do(tombolo::Unsubscribe{topic}).IgnoreError();
}

void Application::GiveUp() {
  while (!requests_.empty()) {
    const auto node = requests_.extract(requests_.begin());
    node.mapped().answer(Failed{node.key(), FailReason::kLeft, Time{}}, {});
  }
}

void Application::AnswerAll(std::optional<NodeId> Request::*about, const NodeId& id,
                            const Event& event) {
  std::vector<std::uint32_t> done;
  for (const auto& [number, request] : requests_) {
    if (request.*about == id) done.push_back(number);
  }
  for (const std::uint32_t number : done) {
    // An answer may end others.
    if (const auto node = requests_.extract(number)) node.mapped().answer(event, {});
  }
}

void Application::OnEvent(const Event& event, std::string payload) {
  if (const std::uint32_t number = RequestOf(event).value_or(0); number != 0) {
    if (const auto node = requests_.extract(number)) node.mapped().answer(event, payload);
    return;
  }
  if (GoesToClaimant(event, payload)) return;
  if (const PeerUp* up = std::get_if<PeerUp>(&event)) {
    AnswerAll(&Request::connect, host_->known().ids().id(up->peer), event);
  } else if (const LeaseLost* lost = std::get_if<LeaseLost>(&event)) {
    AnswerAll(&Request::attach, lost->client, event);
  }
  // A listener may leave, and others come, during the calls.
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, listener] : listeners_) numbers.push_back(number);
  for (const std::uint64_t number : numbers) {
    if (const auto found = listeners_.find(number); found != listeners_.end()) {
      const Listener listener = found->second;
      listener(event, payload);
    }
  }
}

bool Application::GoesToClaimant(const Event& event, const std::string& payload) {
  if (!std::holds_alternative<MessageArrived>(event)) return false;
  for (const auto& [tag, claimant] : claims_) {
    if (!payload.starts_with(tag)) continue;
    claimant(event, payload);
    return true;
  }
  return false;
}

std::map<std::string, Application::Figures> Application::ReadFigures() const {
  std::map<std::string, Figures> all;
  for (const auto& [prefix, read] : figures_) all[prefix] = read();
  return all;
}

void Application::OnStopped() {
  GiveUp();
  if (on_stopped_) on_stopped_();
}

}  // namespace tombolo::node
