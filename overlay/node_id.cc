#include "overlay/node_id.h"

namespace tombolo {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

int DigitValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::string NodeId::ToHex() const {
  std::string text;
  text.reserve(kIdBits / 4);
  for (const std::uint32_t word : words) {
    for (int shift = 28; shift >= 0; shift -= 4) text.push_back(kDigits[(word >> shift) & 0xFU]);
  }
  return text;
}

std::optional<NodeId> NodeId::FromHex(std::string_view text) {
  if (text.size() != kIdBits / 4) return std::nullopt;
  NodeId id;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = DigitValue(text[i]);
    if (value < 0) return std::nullopt;
    id.words[i / 8] = (id.words[i / 8] << 4) | static_cast<std::uint32_t>(value);
  }
  return id;
}

}  // namespace tombolo
