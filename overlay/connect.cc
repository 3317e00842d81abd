#include "overlay/connect.h"

#include <algorithm>

namespace tombolo {

std::optional<std::uint32_t> LinkRequests::Start(const Connect& command, const PartStep& step) {
  Request request{command.request, next_number_++, command.target, step.now,
                  step.now + step.config.relay.connect_timeout};
  if (command.target == step.self_id || requests_.size() >= kMaxRequests) {
    const bool self = command.target == step.self_id;
    Fail(request, self ? FailReason::kRefused : FailReason::kOverload, step);
    return std::nullopt;
  }
  requests_.push_back(request);
  return request.number;
}

LinkRequests::Reply LinkRequests::OnRequest(const RelayNews& news, const PartStep& step) const {
  if (step.ids.dialable(step.self)) return {ForwardKind::kConnectAccept, PeerRef::kNone};
  const std::optional<PeerRef> asker = step.ids.Find(news.peer);
  if (!asker || !step.ids.dialable(*asker)) return {};
  return {ForwardKind::kConnectAccept, *asker};
}

PeerRef LinkRequests::OnAnswer(const RelayNews& news, const PartStep& step) {
  const auto request = std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) {
    return r.number == news.request && r.target == news.peer;
  });
  if (request == requests_.end()) return PeerRef::kNone;
  const std::optional<PeerRef> peer = step.ids.Find(news.peer);
  const bool we_dial = peer && step.ids.dialable(*peer);
  const bool they_dial = step.ids.dialable(step.self);
  if (news.kind == RelayNews::Kind::kAccepted && (we_dial || they_dial)) {
    return we_dial ? *peer : PeerRef::kNone;
  }
  const Request failed = *request;
  requests_.erase(request);
  FailReason reason = we_dial || they_dial ? FailReason::kRefused : FailReason::kUndialable;
  if (news.kind == RelayNews::Kind::kFailed) reason = news.reason;
  Fail(failed, reason, step);
  return PeerRef::kNone;
}

bool LinkRequests::Wants(PeerRef peer, const PartStep& step) const {
  const NodeId& id = step.ids.id(peer);
  return std::any_of(requests_.begin(), requests_.end(),
                     [&](const Request& request) { return request.target == id; });
}

void LinkRequests::OnLinkUp(PeerRef peer, const PartStep& step) {
  const NodeId& id = step.ids.id(peer);
  std::erase_if(requests_, [&](const Request& request) { return request.target == id; });
}

void LinkRequests::OnDialFailed(PeerRef peer, const PartStep& step) {
  const NodeId& id = step.ids.id(peer);
  for (const Request& request : requests_) {
    if (request.target == id) Fail(request, FailReason::kUndialable, step);
  }
  OnLinkUp(peer, step);
}

void LinkRequests::Tick(const PartStep& step) {
  const auto due = [&](const Request& request) { return request.deadline <= step.now; };
  for (const Request& request : requests_) {
    if (due(request)) Fail(request, FailReason::kDeadline, step);
  }
  std::erase_if(requests_, due);
}

Time LinkRequests::next_deadline() const {
  Time earliest = kNever;
  for (const Request& request : requests_) earliest = std::min(earliest, request.deadline);
  return earliest;
}

void LinkRequests::Stop(const PartStep& step) {
  for (const Request& request : requests_) Fail(request, FailReason::kLeft, step);
  requests_.clear();
}

void LinkRequests::Fail(const Request& request, FailReason reason, const PartStep& step) {
  step.out.Notify(Failed{request.request, reason, request.started});
}

}  // namespace tombolo
