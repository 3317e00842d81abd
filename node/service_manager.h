// What a service manager wants to know of a process (sd_notify(3)): "READY=1", "STOPPING=1",
// "STATUS=...". One datagram to the socket that NOTIFY_SOCKET names; without it, nothing.
// Thread rule: any thread. Errors are nobody's business: the node runs without.
#pragma once

#include <string>

namespace tombolo::node {

void NotifyServiceManager(const std::string& state);

}  // namespace tombolo::node
