#include "sim/scenario_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <type_traits>
#include <utility>

#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // clang 14 does not deduce it

// The unit of a Duration key is the end of its name.
double MicrosecondsPerUnit(const Key& key) { return UnitOf(key) == "ms" ? 1e3 : 1e6; }

// Shortest text that reads back as the same number, without a trailing ".0".
std::string NumberText(double value) {
  std::array<char, 32> buffer;
  const bool plain = value == std::floor(value) && value > -1e15 && value < 1e15;
  const auto [end, error] =
      plain ? std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                            static_cast<std::int64_t>(value))
            : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

std::string Quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

template <class Number>
std::string ListText(const std::vector<Number>& list) {
  std::string text;
  for (const Number number : list)
    text += (text.empty() ? "" : ", ") + NumberText(static_cast<double>(number));
  return "[" + text + "]";
}

std::string Show(const Value& value) {
  return std::visit(Overloaded{[](std::int64_t number) { return std::to_string(number); },
                               [](double number) { return NumberText(number); },
                               [](bool truth) { return std::string(truth ? "true" : "false"); },
                               [](const std::string& text) { return Quoted(text); },
                               [](const std::vector<double>& list) { return ListText(list); },
                               [](const Unsupported& other) { return std::string(other.type); }},
                    value);
}

std::optional<double> AsNumber(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::nullopt;
}

// Stores a value into one kind of field; false if it does not fit.
struct Assigner {
  const Key& key;
  const Value& value;

  bool InRange(double number) const { return number >= key.min && number <= key.max; }

  template <class Integer>
  bool operator()(Integer* field) const requires std::is_integral_v<Integer> {
    const auto* whole = std::get_if<std::int64_t>(&value);
    if (whole == nullptr || !InRange(static_cast<double>(*whole))) return false;
    *field = static_cast<Integer>(*whole);
    return true;
  }

  bool operator()(double* field) const {
    const std::optional<double> number = AsNumber(value);
    if (!number || !InRange(*number)) return false;
    *field = *number;
    return true;
  }

  bool operator()(Duration* field) const {
    const std::optional<double> number = AsNumber(value);
    if (!number || !InRange(*number)) return false;
    field->us = static_cast<std::int64_t>(std::floor(*number * MicrosecondsPerUnit(key) + 0.5));
    return true;
  }

  bool operator()(std::vector<double>* field) const {
    const auto* numbers = std::get_if<std::vector<double>>(&value);
    if (numbers == nullptr) return false;
    for (const double number : *numbers) {
      if (!InRange(number)) return false;
    }
    *field = *numbers;
    return true;
  }

  bool operator()(std::vector<std::uint32_t>* field) const {
    std::vector<double> numbers;
    if (!(*this)(&numbers)) return false;
    field->clear();
    for (const double number : numbers) {
      if (number != std::floor(number)) return false;
      field->push_back(static_cast<std::uint32_t>(number));
    }
    return true;
  }

  bool operator()(bool* field) const {
    const auto* truth = std::get_if<bool>(&value);
    if (truth != nullptr) *field = *truth;
    return truth != nullptr;
  }

  bool operator()(std::string* field) const {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr) *field = *text;
    return text != nullptr;
  }

  bool operator()(const PathField& field) const { return (*this)(field.path); }

  bool operator()(const ChoiceField& field) const {
    const auto* text = std::get_if<std::string>(&value);
    for (std::size_t i = 0; text != nullptr && i < field.names.size(); ++i) {
      if (field.names[i] != *text) continue;
      field.set(i);
      return true;
    }
    return false;
  }
};

constexpr std::array kSections = {
    Section{"", false, "Top level: the world and the length of the run."},
    Section{"kademlia", false, "Routing table and lookups of every peer."},
    Section{"ring", false, "The ring of every peer, with overlay = \"chord\" or \"both\"."},
    Section{"links", false, "Links that a peer keeps."},
    Section{"relay", false, "Forwarding over links."},
    Section{"gossip", false, "Broadcasts over links."},
    Section{"store", false, "Records of puts."},
    Section{"heal", false,
            "How peers notice other islands and merge with them, with overlay = \"both\"."},
    Section{"attach", false, "Clients that are no peers, and their rooms."},
    Section{"latency", false, "Delay between peers."},
    Section{"bandwidth", false, "Rate of each peer's uplink, with a drop-tail queue."},
    Section{"churn", false, "Sessions of peers: who dies is replaced by a newcomer."},
    Section{"faults", false,
            "What goes wrong, at random. Probabilities are per message, rates those of the whole "
            "world; who is hit follows from the seed."},
    Section{"workload", true, "Load by random live peers; any number of `[[workload]]` sections."},
    Section{"at", true,
            "What is done to the world at a set time; any number of `[[at]]` sections."},
    Section{"expect", false, "What must hold at the end; if it does not, the exit status is 1."},
    Section{"report", false, "What is measured."},
};

std::vector<Key> Joined(const std::vector<KeyLists>& parts) {
  std::vector<Key> all;
  for (const KeyLists& part : parts) {
    for (const std::span<const Key> keys : part) all.insert(all.end(), keys.begin(), keys.end());
  }
  return all;
}

}  // namespace

std::span<const Section> Sections() { return kSections; }

std::span<const Key> WorldKeys() {
  static const std::vector<Key> kWorld =
      Joined({TopKeys(), RoutingKeys(), RingKeys(), GossipKeys(), AttachKeys(), HealKeys(),
              EnvironmentKeys(), FaultKeys()});
  return kWorld;
}

std::span<const Key> Keys() {
  static const std::vector<Key> kAll = Joined({{WorldKeys()}, RunKeys(), CutKeys(), LoadKeys()});
  return kAll;
}

std::string_view UnitOf(const Key& key) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kEndings = {
      {{"_bytes_per_s", "bytes/s"},
       {"_per_s", "1/s"},
       {"_ms", "ms"},
       {"_s", "s"},
       {"_bytes", "bytes"}}};
  for (const auto& [ending, unit] : kEndings) {
    if (key.name.ends_with(ending)) return unit;
  }
  return "";
}

std::optional<std::string> Assign(const Key& key, const Value& value, Target& target) {
  if (std::visit(Assigner{key, value}, key.field(target))) return std::nullopt;
  return "is " + Show(value) + "; allowed is " + AllowedText(key, target);
}

std::string AllowedText(const Key& key, Target& target) {
  const std::string range = NumberText(key.min) + " to " + NumberText(key.max);
  const std::string unit = UnitOf(key).empty() ? "" : " " + std::string(UnitOf(key));
  return std::visit(
      Overloaded{
          [&](double*) { return "a number, " + range + unit; },
          [&](Duration*) { return "a number, " + range + unit; },
          [](bool*) { return std::string("true or false"); },
          [&](std::vector<double>*) { return "a list of numbers, each " + range; },
          [&](std::vector<std::uint32_t>*) { return "a list of whole numbers, each " + range; },
          [](std::string*) { return std::string("a text"); },
          [](const PathField&) { return std::string("the path of a file"); },
          [](const ChoiceField& choice) {
            std::string names;
            for (const std::string_view name : choice.names) {
              names += (names.empty() ? "" : " | ") + Quoted(name);
            }
            return names;
          },
          [&](auto*) { return "a whole number, " + range + unit; }},
      key.field(target));
}

std::string ValueText(const Key& key, Target& target) {
  return std::visit(
      Overloaded{[](double* value) { return NumberText(*value); },
                 [&](Duration* value) {
                   return NumberText(static_cast<double>(value->us) / MicrosecondsPerUnit(key));
                 },
                 [](bool* value) { return std::string(*value ? "true" : "false"); },
                 [](std::vector<double>* list) { return ListText(*list); },
                 [](std::vector<std::uint32_t>* list) { return ListText(*list); },
                 [](std::string* value) { return Quoted(*value); },
                 [](const PathField& field) { return Quoted(*field.path); },
                 [](const ChoiceField& choice) { return Quoted(choice.names[choice.get()]); },
                 [](std::uint64_t* value) {
                   return *value == ~std::uint64_t{0} ? "no limit" : std::to_string(*value);
                 },
                 [](auto* value) { return std::to_string(*value); }},
      key.field(target));
}

bool TakesWords(const Key& key, Target& target) {
  const Field field = key.field(target);
  return std::holds_alternative<std::string*>(field) || std::holds_alternative<PathField>(field) ||
         std::holds_alternative<ChoiceField>(field);
}

}  // namespace tombolo::sim
