// `tomboloctl watch`: what a node hears and how it fares.
//
// On a terminal a view that is drawn again in place every second: state, links, rates of messages,
// the peers with most to wait for, the latest events. Elsewhere one line per event, as they come;
// nothing is missed from the first on.
//
// Thread rule: blocks its caller until the node or the user ends it.
#pragma once

#include <string>

#include "control.grpc.pb.h"
#include "node/tomboloctl_print.h"

namespace tombolo::node {

// `wanted`: topics beside 0. Both return the exit status.
int WatchLines(control::v1::Control::Stub& stub, const control::v1::SubscribeRequest& wanted,
               const Printer& printer);
int WatchLive(control::v1::Control::Stub& stub, const control::v1::SubscribeRequest& wanted,
              const Printer& printer);

}  // namespace tombolo::node
