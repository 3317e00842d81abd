#include "node/hello.h"

#include <algorithm>

#include "node/address.h"
#include "node/codec.h"

namespace tombolo::node {
namespace {

bool IsWithinLimits(const link::v1::Hello& hello) {
  const auto& capabilities = hello.capabilities();
  return hello.agent().size() <= kMaxAgentBytes &&
         static_cast<std::size_t>(capabilities.size()) <= kMaxCapabilities &&
         std::all_of(capabilities.begin(), capabilities.end(),
                     [](const std::string& name) { return name.size() <= kMaxCapabilityBytes; });
}

bool HasAddresses(const link::v1::Hello& hello) {
  const auto& addresses = hello.addresses();
  return static_cast<std::size_t>(addresses.size()) <= kMaxAddresses &&
         std::all_of(addresses.begin(), addresses.end(),
                     [](const std::string& address) { return IsAddress(address); });
}

}  // namespace

void WriteHello(const SelfDescription& self, std::uint64_t dial, link::v1::Hello& out) {
  out.set_major(kProtocolMajor);
  out.set_minor(kProtocolMinor);
  for (const std::string& capability : self.capabilities) out.add_capabilities(capability);
  PutId(self.id, *out.mutable_id());
  for (const std::string& address : self.addresses) out.add_addresses(address);
  out.set_dialable(self.dialable && !self.addresses.empty());
  out.set_agent(self.agent);
  out.set_life(self.life);
  out.set_dial(dial);
}

absl::Status CheckHello(const link::v1::Hello& hello, const NodeId& remote, const NodeId& self) {
  if (hello.major() != kProtocolMajor) {
    return absl::FailedPreconditionError("protocol of another major version");
  }
  if (hello.id().size() != kIdBytes) return absl::InvalidArgumentError("id is not 20 bytes");
  if (GetId(hello.id()) != remote) {
    return absl::PermissionDeniedError("id is not the one that was proven");
  }
  if (remote == self) return absl::AlreadyExistsError("connected to itself");
  if (!HasAddresses(hello)) return absl::InvalidArgumentError("addresses that are none");
  if (!IsWithinLimits(hello)) return absl::InvalidArgumentError("agent or capabilities too long");
  return absl::OkStatus();
}

RemoteDescription ReadHello(const link::v1::Hello& hello) {
  return {hello.minor(), {hello.capabilities().begin(), hello.capabilities().end()}, hello.agent()};
}

}  // namespace tombolo::node
