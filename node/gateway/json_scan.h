// Reads JSON (RFC 8259) where it lies, without building anything: enough to check a message, to
// take the members out of it that a gateway needs, and to pass the rest on as it came.
//
// Strict, since what is passed on must not surprise a strict reader: no control characters in
// strings, no leading zeros, no trailing commas; at most kMaxJsonDepth levels. Bytes are not
// checked to be UTF-8. Thread rule: pure functions. Errors: false or nullopt, never an exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tombolo::node {

inline constexpr std::size_t kMaxJsonDepth = 512;

// Moves `at` over white space.
void SkipJsonSpace(std::string_view text, std::size_t& at);
// Moves `at` over one value, which begins there. False if there is none.
bool SkipJsonValue(std::string_view text, std::size_t& at);

// True if `text` is one value, with white space around it at most.
bool IsJson(std::string_view text);

// The content of a string that has no escapes.
std::optional<std::string_view> JsonPlainString(std::string_view value);
// A whole number of at most nine digits.
std::optional<std::uint32_t> JsonSmallNumber(std::string_view value);

// Calls `function(name, value)` for the members of an object, or `function(value)` for the elements
// of an array, in order; a name with escapes comes as an empty one. True if `text` is a whole
// object (array) and every call returned true.
template <class Function>
bool ForEachJsonMember(std::string_view text, Function&& function);
template <class Function>
bool ForEachJsonElement(std::string_view text, Function&& function);

// ---- Implementation.

// One container after its opening bracket: `item` reads a value and judges it.
template <class Item>
bool ForEachJsonItem(std::string_view text, char open, char close, Item&& item) {
  std::size_t at = 0;
  SkipJsonSpace(text, at);
  if (at >= text.size() || text[at] != open) return false;
  SkipJsonSpace(text, ++at);
  bool more = at < text.size() && text[at] != close;
  while (more) {
    if (!item(at)) return false;
    SkipJsonSpace(text, at);
    more = at < text.size() && text[at] == ',';
    if (more) SkipJsonSpace(text, ++at);
  }
  if (at >= text.size() || text[at] != close) return false;
  SkipJsonSpace(text, ++at);
  return at == text.size();
}

template <class Function>
bool ForEachJsonMember(std::string_view text, Function&& function) {
  return ForEachJsonItem(text, '{', '}', [&](std::size_t& at) {
    const std::size_t name_begin = at;
    if (at >= text.size() || text[at] != '"' || !SkipJsonValue(text, at)) return false;
    const auto name = JsonPlainString(text.substr(name_begin, at - name_begin));
    SkipJsonSpace(text, at);
    if (at >= text.size() || text[at] != ':') return false;
    SkipJsonSpace(text, ++at);
    const std::size_t begin = at;
    if (!SkipJsonValue(text, at)) return false;
    return static_cast<bool>(
        function(name.value_or(std::string_view()), text.substr(begin, at - begin)));
  });
}

template <class Function>
bool ForEachJsonElement(std::string_view text, Function&& function) {
  return ForEachJsonItem(text, '[', ']', [&](std::size_t& at) {
    const std::size_t begin = at;
    if (!SkipJsonValue(text, at)) return false;
    return static_cast<bool>(function(text.substr(begin, at - begin)));
  });
}

}  // namespace tombolo::node
