#include "sim/scenario.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <utility>

#include "overlay/nearest_word.h"
#include "sim/scenario_keys.h"
#include "sim/scenario_toml.h"

namespace tombolo::sim {
namespace {

absl::Status Wrong(const std::string& where, const std::string& what) {
  return absl::InvalidArgumentError(where + ": " + what);
}

std::string Join(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

// "; did you mean 'k'?", or nothing if no name is near.
std::string Suggestion(std::string_view word, const std::vector<std::string_view>& names) {
  if (word.empty()) return "";
  const auto nearest = std::min_element(names.begin(), names.end(), [&](auto a, auto b) {
    return EditDistance(word, a) < EditDistance(word, b);
  });
  if (nearest == names.end()) return "";
  // A unit that was left out is the likeliest slip, and far in letters.
  const bool prefix = nearest->starts_with(word);
  if (!prefix && EditDistance(word, *nearest) > std::max<std::size_t>(1, word.size() / 3))
    return "";
  return "; did you mean '" + std::string(*nearest) + "'?";
}

const Section* FindSection(std::string_view name) {
  const auto sections = Sections();
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [&](const Section& s) { return s.name == name; });
  return found == sections.end() ? nullptr : &*found;
}

std::vector<std::string_view> KeyNames(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key& key : Keys()) {
    if (key.section == section) names.push_back(key.name);
  }
  return names;
}

const Key* FindKey(std::string_view section, std::string_view name) {
  const auto keys = Keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& key) {
    return key.section == section && key.name == name;
  });
  return found == keys.end() ? nullptr : &*found;
}

std::string FullName(const Entry& entry) {
  return entry.section.empty() ? entry.key : entry.section + "." + entry.key;
}

absl::Status UnknownSection(const Entry& entry) {
  std::vector<std::string_view> names;
  for (const Section& section : Sections()) {
    if (!section.name.empty()) names.push_back(section.name);
  }
  return Wrong(entry.where, "unknown section '" + entry.section + "'; allowed: " + Join(names) +
                                Suggestion(entry.section, names));
}

absl::Status UnknownKey(const Entry& entry) {
  if (const Section* section = FindSection(entry.key);
      entry.section.empty() && section != nullptr && !entry.key.empty()) {
    return Wrong(entry.where,
                 "'" + entry.key + "' is a section; allowed is " +
                     (section->repeated ? "[[" + entry.key + "]]" : "[" + entry.key + "]"));
  }
  const std::vector<std::string_view> names = KeyNames(entry.section);
  const std::string place = entry.section.empty() ? "at top level" : "in [" + entry.section + "]";
  return Wrong(entry.where, "unknown key '" + FullName(entry) + "'; allowed " + place + ": " +
                                Join(names) + Suggestion(entry.key, names));
}

// Applies entries to a scenario, remembering where each key was set for the checks across keys.
class Applier {
 public:
  explicit Applier(Scenario& scenario) : scenario_(scenario) {}

  absl::Status Apply(const Entry& entry) {
    const Section* section = FindSection(entry.section);
    if (section == nullptr) return UnknownSection(entry);
    if (section->repeated != entry.repeated) {
      const std::string name = section->name.empty() ? "top level" : std::string(section->name);
      return Wrong(entry.where, section->repeated
                                    ? "write [[" + name + "]] instead of [" + name + "]"
                                    : "write [" + name + "] instead of [[" + name + "]]");
    }
    if (absl::Status status = MakeRoom(entry); !status.ok()) return status;
    places_[PlaceName(entry)] = entry.where;
    return entry.is_header ? absl::OkStatus() : ApplyKey(entry);
  }

  // What needs all keys: the latency file, and the rules that span several of them.
  absl::Status Check() {
    // Reserving part of a table made smaller than the default reserve is nobody's intention.
    LinkConfig& links = scenario_.world.core.links;
    if (!places_.contains("links.reserved"))
      links.reserved = std::min(links.reserved, links.max_links);
    if (const auto broken = scenario_.world.latency.LoadFile())
      return WrongRule("", "latency.file: " + *broken);
    if (const auto broken = scenario_.world.Validate()) return WrongRule("", *broken);
    for (std::size_t i = 0; i < scenario_.workloads.size(); ++i) {
      if (const auto broken = CheckLoad(scenario_.workloads[i], scenario_.world.core)) {
        return WrongRule("workload." + std::to_string(i), *broken);
      }
    }
    for (std::size_t i = 0; i < scenario_.actions.size(); ++i) {
      if (const auto broken = scenario_.actions[i].Validate(scenario_.world.peers))
        return WrongRule("at." + std::to_string(i), *broken);
    }
    return absl::OkStatus();
  }

 private:
  static std::string PlaceName(const Entry& entry) {
    std::string name = entry.section;
    if (entry.repeated) name += "." + std::to_string(entry.index);
    if (!entry.key.empty()) name += (name.empty() ? "" : ".") + entry.key;
    return name;
  }

  // Names the place where the key that a rule speaks of was set: "links.reserved = 9 is out of
  // range".
  absl::Status WrongRule(const std::string& section, const std::string& broken) const {
    const std::string key = broken.substr(0, broken.find_first_of(" :="));
    const std::string full = section.empty() ? key : section + "." + key;
    for (const std::string& name : {full, full.substr(0, full.rfind('.'))}) {
      const auto place = places_.lower_bound(name);  // rules leave out the unit of a name
      if (place != places_.end() && place->first.starts_with(name))
        return Wrong(place->second, broken);
    }
    // Nobody set that key: the file, if there is one, is all that can be named.
    for (const auto& [name, where] : places_) {
      if (!where.starts_with("--set")) return Wrong(where.substr(0, where.rfind(':')), broken);
    }
    return absl::InvalidArgumentError(broken);
  }

  absl::Status MakeRoom(const Entry& entry) {
    const auto grow = [&](auto& list) {
      if (entry.index > list.size()) {
        return Wrong(entry.where, "there are " + std::to_string(list.size()) + " [[" +
                                      entry.section +
                                      "]] sections; allowed is an index from 0 to " +
                                      std::to_string(list.size()));
      }
      if (entry.index == list.size()) list.emplace_back();
      return absl::OkStatus();
    };
    if (entry.section == "workload") return grow(scenario_.workloads);
    if (entry.section == "at") return grow(scenario_.actions);
    return absl::OkStatus();
  }

  absl::Status ApplyKey(const Entry& entry) {
    const Key* key = FindKey(entry.section, entry.key);
    if (key == nullptr) return UnknownKey(entry);
    Target target{&scenario_, nullptr, nullptr};
    if (entry.section == "workload") target.workload = &scenario_.workloads[entry.index];
    if (entry.section == "at") target.action = &scenario_.actions[entry.index];
    if (const auto wrong = Assign(*key, entry.value, target)) {
      return Wrong(entry.where, FullName(entry) + " " + *wrong);
    }
    const Field field = key->field(target);
    if (const auto* path = std::get_if<PathField>(&field);
        path != nullptr && !entry.directory.empty()) {
      if (!path->path->empty() && path->path->front() != '/')
        *path->path = entry.directory + "/" + *path->path;
    }
    return absl::OkStatus();
  }

  Scenario& scenario_;
  std::map<std::string, std::string> places_;
};

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// "kademlia.k=8", "seed=3", "workload.0.rate_per_s=5".
absl::StatusOr<Entry> ParseSetting(const std::string& setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Wrong("--set " + setting, "allowed is key=value, for example kademlia.k=8");
  }
  const std::string name = setting.substr(0, equals);
  const std::string text = setting.substr(equals + 1);
  const std::vector<std::string> parts = Split(name, '.');
  Entry entry;
  entry.where = "--set " + name;
  entry.key = parts.back();
  if (parts.size() > 1) entry.section = parts.front();
  if (parts.size() == 3) {
    const std::string& index = parts[1];
    const auto [end, error] =
        std::from_chars(index.data(), index.data() + index.size(), entry.index);
    entry.repeated = error == std::errc() && end == index.data() + index.size();
  }
  if (parts.size() > 3 || (parts.size() == 3 && !entry.repeated)) {
    return Wrong(entry.where, "allowed is key, section.key or section.INDEX.key");
  }
  if (const Section* section = FindSection(entry.section);
      section && section->repeated && !entry.repeated) {
    return Wrong(entry.where, "name one of the [[" + entry.section + "]] sections, for example " +
                                  entry.section + ".0." + entry.key);
  }
  entry.value = ParseValue(text);
  // Names and paths need no quotes here, not even those that look like something else.
  WorkloadOptions workload;
  TimedAction action;
  Scenario scenario;
  Target target{&scenario, &workload, &action};
  const Key* key = FindKey(entry.section, entry.key);
  if (key != nullptr && TakesWords(*key, target) &&
      !std::holds_alternative<std::string>(entry.value)) {
    entry.value = text;
  }
  return entry;
}

// A profile sets many keys; those written beside it hold, wherever it stands.
absl::Status ApplyEach(std::vector<Entry> entries, Applier& applier) {
  std::stable_partition(entries.begin(), entries.end(), [](const Entry& entry) {
    return entry.section == "ring" && entry.key == "profile";
  });
  for (const Entry& entry : entries) {
    if (absl::Status status = applier.Apply(entry); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ApplyAll(const std::vector<Entry>& entries, std::span<const std::string> settings,
                      Scenario& scenario) {
  Applier applier(scenario);
  if (absl::Status status = ApplyEach(entries, applier); !status.ok()) return status;
  std::vector<Entry> set;
  for (const std::string& setting : settings) {
    const absl::StatusOr<Entry> entry = ParseSetting(setting);
    if (!entry.ok()) return entry.status();
    set.push_back(*entry);
  }
  if (absl::Status status = ApplyEach(std::move(set), applier); !status.ok()) return status;
  if (absl::Status status = applier.Check(); !status.ok()) return status;
  std::stable_sort(scenario.actions.begin(), scenario.actions.end(),
                   [](const TimedAction& a, const TimedAction& b) { return a.at < b.at; });
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Scenario> ParseScenario(std::string_view text, const std::string& name,
                                       std::span<const std::string> settings) {
  const absl::StatusOr<std::vector<Entry>> entries = ReadToml(text, name);
  if (!entries.ok()) return entries.status();
  Scenario scenario;
  if (absl::Status status = ApplyAll(*entries, settings, scenario); !status.ok()) return status;
  return scenario;
}

absl::StatusOr<Scenario> ReadScenario(const std::string& path,
                                      std::span<const std::string> settings) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  std::error_code error;
  if (!file || file.bad() || std::filesystem::is_directory(path, error))
    return Wrong(path, "cannot be read; a scenario is a TOML file");
  return ParseScenario(text.str(), path, settings);
}

absl::Status ApplySettings(std::span<const std::string> settings, Scenario& scenario) {
  return ApplyAll({}, settings, scenario);
}

}  // namespace tombolo::sim
