#include "node/gateway/websocket_frame.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tombolo::node {
namespace {

constexpr std::size_t kMaxControl = 125;

std::uint8_t ByteAt(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

bool IsKnownOpcode(std::uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

// The length after the two first bytes; 0 of them for a short one.
std::size_t LengthBytes(std::uint8_t code) { return code == 126 ? 2 : code == 127 ? 8 : 0; }

bool IsShortest(std::uint8_t code, std::uint64_t length) {
  if (code == 126) return length > kMaxControl;
  if (code == 127) return length > 0xffff && (length >> 63) == 0;
  return true;
}

}  // namespace

FrameRead ReadFrameHeader(std::string_view bytes, bool deflate, FrameHeader& header) {
  if (bytes.size() < 2) return FrameRead::kIncomplete;
  const std::uint8_t first = ByteAt(bytes, 0);
  const std::uint8_t second = ByteAt(bytes, 1);
  const auto opcode = static_cast<std::uint8_t>(first & 0x0fU);
  const bool control = opcode >= 8;
  header.opcode = static_cast<FrameOpcode>(opcode);
  header.final = (first & 0x80U) != 0;
  header.compressed = (first & 0x40U) != 0;
  header.masked = (second & 0x80U) != 0;
  const auto code = static_cast<std::uint8_t>(second & 0x7fU);
  if (!IsKnownOpcode(opcode) || (first & 0x30U) != 0) return FrameRead::kBad;
  if (header.compressed && (!deflate || control || opcode == 0)) return FrameRead::kBad;
  if (control && (!header.final || code > kMaxControl)) return FrameRead::kBad;
  const std::size_t length_bytes = LengthBytes(code);
  header.header_size = 2 + length_bytes + (header.masked ? 4 : 0);
  if (bytes.size() < header.header_size) return FrameRead::kIncomplete;
  header.length = length_bytes == 0 ? code : 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    header.length = header.length << 8 | ByteAt(bytes, 2 + i);
  }
  if (!IsShortest(code, header.length)) return FrameRead::kBad;
  for (std::size_t i = 0; header.masked && i < 4; ++i) {
    header.mask[i] = ByteAt(bytes, 2 + length_bytes + i);
  }
  return FrameRead::kComplete;
}

void MaskFrame(const std::array<std::uint8_t, 4>& mask, std::span<char> payload) {
  std::uint64_t wide = 0;
  std::memcpy(&wide, mask.data(), 4);
  std::memcpy(reinterpret_cast<char*>(&wide) + 4, mask.data(), 4);
  std::size_t i = 0;
  for (; i + 8 <= payload.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, &payload[i], 8);
    word ^= wide;
    std::memcpy(&payload[i], &word, 8);
  }
  for (; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ mask[i % 4]);
  }
}

void WriteFrameHeader(FrameOpcode opcode, bool compressed, std::uint64_t length,
                      const std::array<std::uint8_t, 4>* mask, std::string& out) {
  const unsigned masked = mask != nullptr ? 0x80U : 0U;
  out.push_back(
      static_cast<char>(0x80U | (compressed ? 0x40U : 0U) | static_cast<unsigned>(opcode)));
  int length_bytes = 0;
  if (length <= kMaxControl) {
    out.push_back(static_cast<char>(masked | length));
  } else if (length <= 0xffff) {
    out.push_back(static_cast<char>(masked | 126U));
    length_bytes = 2;
  } else {
    out.push_back(static_cast<char>(masked | 127U));
    length_bytes = 8;
  }
  for (int shift = 8 * (length_bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(length >> shift & 0xffU));
  }
  if (mask != nullptr) out.append(reinterpret_cast<const char*>(mask->data()), mask->size());
}

std::string ClosePayload(std::uint16_t code, std::string_view reason) {
  std::string payload;
  payload.push_back(static_cast<char>(code >> 8));
  payload.push_back(static_cast<char>(code & 0xffU));
  return payload.append(reason.substr(0, kMaxControl - 2));
}

// RFC 6455, section 7.4: what may not be sent, and what nobody has defined.
bool IsGoodClosePayload(std::string_view payload) {
  if (payload.empty()) return true;
  if (payload.size() == 1) return false;
  const unsigned code = unsigned{ByteAt(payload, 0)} << 8 | ByteAt(payload, 1);
  const bool defined = code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
  return (defined || (code >= 3000 && code <= 4999)) && IsUtf8(payload.substr(2));
}

bool IsUtf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    // Most is ASCII: eight at a time.
    std::uint64_t word = 0;
    if (i + 8 <= text.size()) {
      std::memcpy(&word, &text[i], 8);
      if ((word & 0x8080808080808080U) == 0) {
        i += 8;
        continue;
      }
    }
    const std::uint8_t lead = ByteAt(text, i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - i <= more) return false;
    std::uint32_t point = lead & (0x3fU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const std::uint8_t next = ByteAt(text, i + k);
      if ((next & 0xc0U) != 0x80) return false;
      point = point << 6 | (next & 0x3fU);
    }
    const std::uint32_t least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace tombolo::node
