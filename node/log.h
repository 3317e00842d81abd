// The log of a process: spdlog's default logger on stderr, as text on a terminal, else one JSON
// object per line (time, level, message). Payloads and secrets are never logged. Thread rule: any
// thread once set up.
#pragma once

#include <string>
#include <string_view>

namespace tombolo::node {

// `level`: trace, debug, info, warning, error or off.
void SetUpLog(const std::string& level);
void SetLogLevel(const std::string& level);
bool IsLogLevel(std::string_view level);

}  // namespace tombolo::node
