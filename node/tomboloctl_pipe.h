// tomboloctl pipe: standard input and output as one end of a channel. Thread rule: one caller,
// which may not use standard input meanwhile.
#pragma once

#include "control.grpc.pb.h"
#include "node/tomboloctl_print.h"

namespace tombolo::node {

// `first` opens or accepts the channel. Returns the exit status once both ends have closed: 0, or 1
// after a reset.
int RunPipe(control::v1::Control::Stub& stub, const control::v1::ChannelInput& first,
            const Printer& printer);

}  // namespace tombolo::node
