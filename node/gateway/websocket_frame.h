// Frames of RFC 6455 as bytes: reading them in place, writing their headers, and the texts they
// carry. No I/O, no memory: what is incomplete stays with the caller.
//
// Thread rule: pure functions. Errors: what may not be is kBad; a peer's mistake, never ours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tombolo::node {

enum class FrameOpcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

struct FrameHeader {
  FrameOpcode opcode = FrameOpcode::kText;
  bool final = true;
  bool compressed = false;  // RSV1, of permessage-deflate
  bool masked = false;
  std::array<std::uint8_t, 4> mask{};
  std::uint64_t length = 0;     // of the payload
  std::size_t header_size = 0;  // of what precedes it
};

enum class FrameRead : std::uint8_t { kComplete, kIncomplete, kBad };

// Reads the header at the begin of `bytes`. kBad: reserved bits or opcodes, a length that is not
// written in the shortest way, control frames that are long or cut into pieces, and compression
// where none was agreed upon (`deflate`).
FrameRead ReadFrameHeader(std::string_view bytes, bool deflate, FrameHeader& header);

// Applies the mask, or takes it off.
void MaskFrame(const std::array<std::uint8_t, 4>& mask, std::span<char> payload);

// Appends the header of a whole message or control frame; with a mask, the caller masks the
// payload.
void WriteFrameHeader(FrameOpcode opcode, bool compressed, std::uint64_t length,
                      const std::array<std::uint8_t, 4>* mask, std::string& out);

// The payload of a close frame; at most 123 bytes of `reason`.
std::string ClosePayload(std::uint16_t code, std::string_view reason);

// True for a code and a text that may be in a close frame, or nothing at all.
bool IsGoodClosePayload(std::string_view payload);

bool IsUtf8(std::string_view text);

}  // namespace tombolo::node
