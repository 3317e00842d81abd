// gRPC's own log lines go to the node's log (spdlog's default logger), but for one that says
// nothing here: gRPC looks for the server's name in its certificate although a verifier of our own
// decides. Protocol Buffers' lines go there, too: a caller could fill standard error with them.
// Thread rule: any thread; the effect is on the whole process.
#pragma once

namespace tombolo::node {

void RouteGrpcLog();

}  // namespace tombolo::node
