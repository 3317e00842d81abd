// The clock of a process: Boost.Asio's steady timer on the strand of the node.
//
// Thread rule: see clock.h; the clock must be destroyed on the strand, or after its context has
// stopped. Handlers that are under way by then do nothing.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "node/clock.h"

namespace tombolo::node {

// `strand` runs one handler at a time.
std::unique_ptr<Clock> MakeAsioClock(const boost::asio::any_io_executor& strand);

}  // namespace tombolo::node
