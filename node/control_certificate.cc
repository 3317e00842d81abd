#include "node/control_certificate.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace tombolo::node {
namespace {

absl::Status SystemFailure() {
  return absl::UnavailableError(std::string("cannot keep a file in memory: ") +
                                std::strerror(errno));
}

// A descriptor of a new file with these bytes; -1: errno says why.
int MakeFile(std::string_view bytes) {
  const int descriptor = memfd_create("tombolo", MFD_CLOEXEC);
  while (descriptor >= 0 && !bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      close(descriptor);
      return -1;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return descriptor;
}

}  // namespace

MemoryFile::~MemoryFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status MemoryFile::Replace(std::string_view bytes) {
  const int next = MakeFile(bytes);
  if (next < 0) return SystemFailure();
  if (descriptor_ < 0) {
    descriptor_ = next;
    return absl::OkStatus();
  }
  const bool replaced = dup3(next, descriptor_, O_CLOEXEC) >= 0;
  const absl::Status done = replaced ? absl::OkStatus() : SystemFailure();
  close(next);
  return done;
}

absl::Status ControlCertificate::Serve(const CertificatePair& pair) {
  if (pair == served_) return absl::OkStatus();
  served_ = {};  // half of it may be there if this fails
  if (absl::Status done = certificate_.Replace(pair.chain); !done.ok()) return done;
  if (absl::Status done = key_.Replace(pair.key); !done.ok()) return done;
  served_ = pair;
  return absl::OkStatus();
}

std::shared_ptr<grpc::experimental::CertificateProviderInterface> ControlCertificate::MakeProvider()
    const {
  return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      key_.path(), certificate_.path(), kServedWithinSeconds);
}

}  // namespace tombolo::node
