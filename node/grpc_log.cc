#include "node/grpc_log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace tombolo::node {
namespace {

constexpr std::string_view kHarmless = "No match found for server name";

// What strangers can cause at will; the transport counts it.
constexpr std::array<std::string_view, 2> kOfPeers = {"Handshake failed", "cancel_check_peer"};

spdlog::level::level_enum LevelOf(gpr_log_severity severity, std::string_view text) {
  const bool of_peer = std::ranges::any_of(kOfPeers, [text](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
  return severity == GPR_LOG_SEVERITY_ERROR && !of_peer ? spdlog::level::warn
                                                        : spdlog::level::debug;
}

void Log(gpr_log_func_args* line) {
  const std::string_view text = line->message;
  if (text.find(kHarmless) != std::string_view::npos) return;
  spdlog::log(LevelOf(line->severity, text), "grpc: {}", text);
}

// Of messages that callers have spoiled, mostly.
void LogProtobuf(google::protobuf::LogLevel level, const char*, int, const std::string& text) {
  const bool fatal = level == google::protobuf::LOGLEVEL_FATAL;
  spdlog::log(fatal ? spdlog::level::err : spdlog::level::debug, "protobuf: {}", text);
}

}  // namespace

void RouteGrpcLog() {
  gpr_set_log_function(Log);
  google::protobuf::SetLogHandler(LogProtobuf);
}

}  // namespace tombolo::node
