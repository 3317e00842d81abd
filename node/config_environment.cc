// The configuration in variables of the environment.
#include <algorithm>
#include <cstdlib>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/config.h"
#include "overlay/nearest_word.h"

namespace tombolo::node {
namespace {

constexpr std::string_view kPrefix = "TOMBOLO_";

// What Kubernetes sets for a service named tombolo or tombolo-...
// (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
bool IsOfAService(const std::string& variable) {
  static const std::regex kService(
      "TOMBOLO(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|"
      "PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)");
  return std::regex_match(variable, kService);
}

// Of a section that there is, or nearly a variable that there is; else it is none of ours to judge.
bool IsMeantForAKey(const std::string& variable, const std::string& nearest) {
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string of_key = key.environment();
    if (variable.starts_with(of_key.substr(0, of_key.size() - key.key.size()))) return true;
  }
  return EditDistance(variable, nearest) <= (variable.size() - kPrefix.size()) / 3;
}

}  // namespace

absl::Status ReadEnvironment(NodeConfig& config) {
  for (const ConfigKey& key : ConfigKeys()) {
    const char* value = std::getenv(key.environment().c_str());
    if (value == nullptr) continue;
    std::vector<std::string> values;
    std::string rest = value;
    while (key.kind == ConfigKind::kList && rest.find(',') != std::string::npos) {
      values.push_back(rest.substr(0, rest.find(',')));
      rest.erase(0, rest.find(',') + 1);
    }
    if (key.kind != ConfigKind::kList || !rest.empty()) values.push_back(rest);
    if (absl::Status set = SetConfig(key, values, key.environment(), config); !set.ok()) return set;
  }
  return absl::OkStatus();
}

std::vector<std::string> EnvironmentWarnings(const char* const* environment) {
  std::vector<std::string> variables;
  for (const ConfigKey& key : ConfigKeys()) variables.push_back(key.environment());
  std::vector<std::string> warnings;
  for (; *environment != nullptr; ++environment) {
    const std::string_view pair = *environment;
    const std::string name(pair.substr(0, pair.find('=')));
    const bool ours = name.starts_with(kPrefix) && !IsOfAService(name);
    if (!ours || std::ranges::find(variables, name) != variables.end()) continue;
    const std::string nearest = NearestWord(name, variables, kAnyDistance);
    if (!IsMeantForAKey(name, nearest)) continue;
    warnings.push_back("unknown variable '" + name + "' in the environment; did you mean '" +
                       nearest + "'?");
  }
  return warnings;
}

}  // namespace tombolo::node
