// The certificate of the control API as gRPC serves it: the last one of its files that was good.
//
// gRPC 1.51 takes another certificate for a running server only from files that it watches, and
// lets nobody in while these are spoiled. So it watches files in memory, into which nothing
// unchecked is ever written; what is written there is served within kServedWithinSeconds.
//
// Thread rule: one caller at a time; gRPC reads the files from a thread of its own, and may do so
// until the credentials of `provider` are gone: those go first. Errors: of the system, for want of
// memory or descriptors.
#pragma once

#include <grpcpp/security/tls_certificate_provider.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/control_guard.h"

namespace tombolo::node {

// A file without a name, gone with its owner. Linux.
class MemoryFile {
 public:
  MemoryFile() = default;
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile();

  static absl::StatusOr<MemoryFile> Make(std::string_view bytes);
  MemoryFile(MemoryFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

  // Whoever reads this one meanwhile gets the old bytes or the new ones.
  absl::Status Become(MemoryFile next);
  // For this process alone, as long as this object lives. Requires bytes.
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_ = -1;
};

class ControlCertificate {
 public:
  static constexpr unsigned kServedWithinSeconds = 1;

  // Nothing changes if it is the same as before.
  absl::Status Serve(const CertificatePair& pair);
  // Requires a Serve.
  std::shared_ptr<grpc::experimental::CertificateProviderInterface> MakeProvider() const;

 private:
  CertificatePair served_;
  MemoryFile certificate_;
  MemoryFile key_;
};

}  // namespace tombolo::node
