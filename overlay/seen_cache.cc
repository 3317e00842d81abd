#include "overlay/seen_cache.h"

namespace tombolo {

SeenEntry& SeenCache::Insert(std::uint64_t key, const PartStep& step) {
  rows_.ForgetExpired(step.now);
  if (rows_.size() >= static_cast<std::size_t>(step.config.relay.max_seen)) {
    rows_.ForgetOldest();
    step.out.Drop(DropReason::kOverload);
  }
  SeenEntry entry;
  entry.key = key;
  entry.expires = step.now + step.config.relay.seen_ttl;
  return rows_.Insert(entry, step.rng);
}

}  // namespace tombolo
