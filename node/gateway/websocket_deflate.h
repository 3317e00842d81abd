// permessage-deflate (RFC 7692) without context takeover: every message stands alone, so that one
// object serves all connections and none of them holds a window. Thread rule: one caller at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tombolo::node {

class MessageDeflate {
 public:
  MessageDeflate();
  MessageDeflate(const MessageDeflate&) = delete;
  MessageDeflate& operator=(const MessageDeflate&) = delete;
  ~MessageDeflate();

  // The message; valid until the next call of Inflate. nullptr: it is no compressed message, or
  // longer than `most` bytes.
  const std::string* Inflate(std::string_view compressed, std::size_t most);
  // Valid until the next call of Deflate.
  const std::string& Deflate(std::string_view message);

 private:
  struct Streams;
  std::unique_ptr<Streams> streams_;
};

}  // namespace tombolo::node
