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

absl::StatusOr<MemoryFile> MemoryFile::Make(std::string_view bytes) {
  MemoryFile file;
  file.descriptor_ = MakeFile(bytes);
  if (file.descriptor_ < 0) return SystemFailure();
  return file;
}

absl::Status MemoryFile::Become(MemoryFile next) {
  if (descriptor_ < 0) {
    std::swap(descriptor_, next.descriptor_);
    return absl::OkStatus();
  }
  return dup3(next.descriptor_, descriptor_, O_CLOEXEC) >= 0 ? absl::OkStatus() : SystemFailure();
}

absl::Status ControlCertificate::Serve(const CertificatePair& pair) {
  if (pair == served_) return absl::OkStatus();
  absl::StatusOr<MemoryFile> chain = MemoryFile::Make(pair.chain);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<MemoryFile> key = MemoryFile::Make(pair.key);
  if (!key.ok()) return key.status();
  // Side by side, for a reader that comes between them gets halves of two pairs.
  served_ = {};
  absl::Status done = certificate_.Become(*std::move(chain));
  done.Update(key_.Become(*std::move(key)));
  if (done.ok()) served_ = pair;
  return done;
}

std::shared_ptr<grpc::experimental::CertificateProviderInterface> ControlCertificate::MakeProvider()
    const {
  return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      key_.path(), certificate_.path(), kServedWithinSeconds);
}

}  // namespace tombolo::node
