// What the host hands over of the records that it holds, so that they survive the process.
//
// The rule: a record counts as acknowledged when its origin has been told so, and nobody is told
// before the record is on disk at the one who says it. A holder answers STORE with "stored", and an
// origin ends a Put, only after everything that it had to keep up to then is durable.
//
// Thread rule: the strand; nothing blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overlay/node_id.h"
#include "overlay/time.h"

namespace tombolo::node {

struct DurableRecord {
  NodeId key;
  std::uint64_t sequence = 0;
  Duration ttl;  // left to live
  std::string value;
};

class DurableRecords {
 public:
  // Begins to write the record in place of the one of its key. Returns a number, higher than the
  // last; Host::Durable is called with it, or with a later one, in a turn of its own.
  virtual std::uint64_t Keep(DurableRecord record) = 0;

 protected:
  ~DurableRecords() = default;
};

}  // namespace tombolo::node
