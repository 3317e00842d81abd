// The bytes of one connection, read and written without waiting: plain TCP, or TLS over it.
//
// Readiness is for the caller to wait for, so that an idle connection holds no buffer. Ownership:
// the socket is borrowed. Thread rule: one caller at a time. Errors: kEnded, whatever happened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tombolo::node {

enum class IoStatus : std::uint8_t { kBytes, kWantRead, kWantWrite, kEnded };

struct IoResult {
  IoStatus status = IoStatus::kEnded;
  std::size_t bytes = 0;  // of kBytes, at least one
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual IoResult Read(std::span<char> into) = 0;
  // The same bytes come first in the next call, unless this one has taken them.
  virtual IoResult Write(std::string_view bytes) = 0;
  // More may be read without the socket becoming readable.
  virtual bool holds_bytes() const { return false; }
};

std::unique_ptr<ByteStream> MakePlainStream(int socket);

// The certificate and key of a listener. Streams outlive it.
class TlsFiles {
 public:
  virtual ~TlsFiles() = default;
  virtual std::unique_ptr<ByteStream> Accept(int socket) = 0;
  // What the file of the certificate held.
  virtual const std::string& certificate() const = 0;

  // TLS 1.2 and up. Errors: which file cannot be used, and why.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Load(const std::string& certificate,
                                                        const std::string& key);
};

}  // namespace tombolo::node
