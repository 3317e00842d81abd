#include "node/gateway/json_scan.h"

#include <bitset>
#include <cstring>

namespace tombolo::node {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// True if a byte of the word is a quote, a backslash or below 0x20. High bits may give false
// alarms.
bool MayEnd(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHigh = 0x8080808080808080U;
  const std::uint64_t quote = word ^ kOnes * '"';
  const std::uint64_t slash = word ^ kOnes * '\\';
  const std::uint64_t hit =
      ((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash) | ((word - kOnes * 0x20) & ~word);
  return (hit & kHigh) != 0;
}

bool SkipEscape(std::string_view text, std::size_t& at) {
  if (at >= text.size()) return false;
  const char kind = text[at++];
  if (kind != 'u') return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
  for (int i = 0; i < 4; ++i, ++at) {
    if (at >= text.size() || !IsHexDigit(text[at])) return false;
  }
  return true;
}

bool SkipString(std::string_view text, std::size_t& at) {
  ++at;
  while (at < text.size()) {
    std::uint64_t word = 0;
    while (at + 8 <= text.size()) {
      std::memcpy(&word, &text[at], 8);
      if (MayEnd(word)) break;
      at += 8;
    }
    if (at >= text.size()) return false;
    const char c = text[at++];
    if (c == '"') return true;
    if (c == '\\' && !SkipEscape(text, at)) return false;
    if (static_cast<unsigned char>(c) < 0x20) return false;
  }
  return false;
}

bool SkipDigits(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  while (at < text.size() && IsDigit(text[at])) ++at;
  return at > begin;
}

bool SkipNumber(std::string_view text, std::size_t& at) {
  if (text[at] == '-') ++at;
  const bool zero = at < text.size() && text[at] == '0';
  if (zero) {
    ++at;
  } else if (!SkipDigits(text, at)) {
    return false;
  }
  if (at < text.size() && text[at] == '.' && !SkipDigits(text, ++at)) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    return SkipDigits(text, at);
  }
  return true;
}

bool SkipWord(std::string_view text, std::size_t& at, std::string_view word) {
  if (text.substr(at, word.size()) != word) return false;
  at += word.size();
  return true;
}

bool SkipScalar(std::string_view text, std::size_t& at) {
  switch (text[at]) {
    case '"':
      return SkipString(text, at);
    case 't':
      return SkipWord(text, at, "true");
    case 'f':
      return SkipWord(text, at, "false");
    case 'n':
      return SkipWord(text, at, "null");
    default:
      return SkipNumber(text, at);
  }
}

// The name of a member and its colon.
bool SkipName(std::string_view text, std::size_t& at) {
  if (at >= text.size() || text[at] != '"' || !SkipString(text, at)) return false;
  SkipJsonSpace(text, at);
  if (at >= text.size() || text[at] != ':') return false;
  SkipJsonSpace(text, ++at);
  return true;
}

// Containers that are open: which of them are objects.
class Nesting {
 public:
  bool empty() const { return depth_ == 0; }
  bool full() const { return depth_ == kMaxJsonDepth; }
  bool in_object() const { return objects_[depth_ - 1]; }
  bool Enter(bool object) {
    if (full()) return false;
    objects_[depth_++] = object;
    return true;
  }
  void Leave() { --depth_; }

 private:
  std::bitset<kMaxJsonDepth> objects_;
  std::size_t depth_ = 0;
};

// After a value: closes what ends here, and goes to the next value if there is one.
bool SkipToNext(std::string_view text, std::size_t& at, Nesting& open) {
  while (!open.empty()) {
    SkipJsonSpace(text, at);
    if (at >= text.size()) return false;
    const char c = text[at++];
    if (c == ',') {
      SkipJsonSpace(text, at);
      return !open.in_object() || SkipName(text, at);
    }
    if (c != (open.in_object() ? '}' : ']')) return false;
    open.Leave();
  }
  return true;
}

// A bracket; `done` if the container was empty and closed at once.
bool SkipOpening(std::string_view text, std::size_t& at, Nesting& open, bool& done) {
  const bool object = text[at++] == '{';
  SkipJsonSpace(text, at);
  done = at < text.size() && text[at] == (object ? '}' : ']');
  if (done) {
    ++at;
    return !open.full();
  }
  return open.Enter(object) && (!object || SkipName(text, at));
}

}  // namespace

void SkipJsonSpace(std::string_view text, std::size_t& at) {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) {
    ++at;
  }
}

bool SkipJsonValue(std::string_view text, std::size_t& at) {
  Nesting open;
  do {
    if (at >= text.size()) return false;
    bool done = true;
    const bool container = text[at] == '{' || text[at] == '[';
    const bool good = container ? SkipOpening(text, at, open, done) : SkipScalar(text, at);
    if (!good) return false;
    if (done && !SkipToNext(text, at, open)) return false;
  } while (!open.empty());
  return true;
}

bool IsJson(std::string_view text) {
  std::size_t at = 0;
  SkipJsonSpace(text, at);
  if (!SkipJsonValue(text, at)) return false;
  SkipJsonSpace(text, at);
  return at == text.size();
}

std::optional<std::string_view> JsonPlainString(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  value = value.substr(1, value.size() - 2);
  if (value.find('\\') != std::string_view::npos) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> JsonSmallNumber(std::string_view value) {
  if (value.empty() || value.size() > 9) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : value) {
    if (!IsDigit(c)) return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number;
}

}  // namespace tombolo::node
