// The configuration as the options and limits of the parts. Thread rule: pure functions, but for
// the random seed. Requires keys that SetConfig has accepted.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "node/accept_limits.h"
#include "node/config.h"
#include "node/data_dir.h"
#include "node/grpc_transport.h"
#include "node/host_options.h"
#include "overlay/node_id.h"

namespace tombolo::node {

std::vector<NodeId> IdsOf(const std::vector<std::string>& texts);
AcceptLimits AcceptLimitsOf(const NodeConfig& config);
AcceptLimits HttpAcceptLimitsOf(const NodeConfig& config);
HostLimits HostLimitsOf(const NodeConfig& config);
// Part of the time that a drain has: over it links, and before them clients, are parted with, so
// that those who lose one do not all come to others at once.
Duration CloseSpreadOf(const NodeConfig& config);

HostOptions MakeHostOptions(const NodeConfig& config, const std::string& version, const NodeId& id,
                            const DataDir& data, std::vector<DurableRecord> restored);
// Whom it trusts is not among them. Reads the network key.
absl::StatusOr<GrpcTransportOptions> MakeTransportOptions(const NodeConfig& config);

}  // namespace tombolo::node
