#include "node/link_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace tombolo::node {
namespace {

std::string Printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

LinkLog::LinkLog(Application& application, std::function<Time()> now)
    : application_(application), now_(std::move(now)) {
  application.Listen([this](const Event& event, const std::string&) { OnEvent(event); });
  application.set_on_connection_ended(
      [this](const Connection& connection) { OnConnectionEnded(connection); });
}

void LinkLog::OnEvent(const Event& event) {
  const Host& host = application_.host();
  if (const Joined* joined = std::get_if<Joined>(&event)) {
    const std::string line = joined->contacts == 0
                                 ? "nobody else is there yet: this node is an overlay of its own"
                                 : "in the overlay, contacts: " + std::to_string(joined->contacts);
    return Write(Kind::kState, Level::kInfo, line);
  }
  if (const PeerUp* up = std::get_if<PeerUp>(&event); up != nullptr && !linked_) {
    linked_ = true;
    Write(Kind::kState, Level::kInfo,
          "linked, first to " + host.known().ids().id(up->peer).ToHex());
  } else if (std::holds_alternative<PeerLost>(event) && linked_ && host.links().kept_count() == 0) {
    linked_ = false;
    Write(Kind::kState, Level::kWarning, "the last link is gone");
  }
}

void LinkLog::OnConnectionEnded(const Connection& connection) {
  const std::string why = ": " + connection.ending;
  const std::string at = connection.address;
  const bool to_itself = connection.remote == application_.host().self().id;
  if (connection.greeted || to_itself) {
    return Write(Kind::kEnded, Level::kDebug,
                 "connection with " + connection.remote.ToHex() + " (" + at + ") ended" + why);
  }
  if (!connection.outbound) {
    return Write(Kind::kCaller, Level::kInfo, "a caller at " + at + " became no peer" + why);
  }
  if (connection.peer != PeerRef::kNone) {
    const NodeId& id = application_.host().known().ids().id(connection.peer);
    return Write(Kind::kEnded, Level::kDebug, id.ToHex() + " was not reached at " + at + why);
  }
  Write(Kind::kUnreached, Level::kWarning, "no link by way of " + at + why);
}

void LinkLog::Write(Kind kind, Level level, std::string line) {
  const auto spd = level == Level::kWarning ? spdlog::level::warn
                   : level == Level::kInfo  ? spdlog::level::info
                                            : spdlog::level::debug;
  if (!spdlog::should_log(spd)) return;
  const Limit& limit = kLimits[static_cast<std::size_t>(kind)];
  Budget& budget = budgets_[static_cast<std::size_t>(kind)];
  if (budget.since + limit.per <= now_()) {
    budget.since = now_();
    budget.lines = 0;
  }
  if (budget.lines == limit.lines) {
    ++budget.left_out;
    return;
  }
  ++budget.lines;
  if (budget.left_out > 0) {
    line +=
        " (and " + std::to_string(std::exchange(budget.left_out, 0)) + " more that are not shown)";
  }
  spdlog::log(spd, "{}", Printable(std::move(line)));
}

}  // namespace tombolo::node
