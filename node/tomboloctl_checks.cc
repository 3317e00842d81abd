#include "node/tomboloctl_checks.h"

#include <algorithm>

#include "node/host_port.h"
#include "node/tomboloctl_print.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMaxText = 64 * 1024;

}  // namespace

CLI::Validator IsId() {
  return {[](const std::string& text) {
            return BytesOfHex(text).empty() ? "an id has 40 hexadecimal digits" : "";
          },
          ""};
}

CLI::Validator IsNatural() {
  return {[](const std::string& text) {
            const bool digits =
                std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
            return digits ? "" : "'" + text + "' is no number from 0 on";
          },
          ""};
}

CLI::Validator IsControlAddress() {
  return {[](const std::string& text) {
            const bool good = text.starts_with("unix:") || ParseHostPort(text);
            return good ? "" : "'" + text + "' is neither HOST:PORT nor unix:PATH";
          },
          ""};
}

CLI::Validator IsText() {
  return {[](const std::string& text) {
            return text.size() <= kMaxText
                       ? ""
                       : "it has " + std::to_string(text.size()) + " bytes; 65536 are allowed";
          },
          ""};
}

}  // namespace tombolo::node
