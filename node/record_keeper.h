// Writes records to a RecordFile from a thread of its own, so that no disk holds up the strand.
//
// Group commit: what has gathered while the last write was under way goes into the next one, in one
// transaction; so a slow disk makes larger writes, not a longer queue. Numbers are told when they
// are durable, or when a write has failed (a full disk): whoever waits for one is then not answered
// with success. The next write tries again, with what comes then.
//
// Bounds: kMaxQueuedBytes of values wait; beyond it records are not kept, which is told like a
// failed write. Thread rule: Keep, Retain and Stop on the strand; `done` is called there.
// Ownership: the strand must outlive the keeper, `done` be harmless after Stop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "node/durable_records.h"
#include "node/record_file.h"

namespace tombolo::node {

class RecordKeeper final : public DurableRecords {
 public:
  static constexpr std::size_t kMaxQueuedBytes = std::size_t{64} << 20;

  // All numbers up to `number`, beyond those told before, are durable, or were not `kept`.
  using Done = std::function<void(std::uint64_t number, bool kept)>;

  RecordKeeper(boost::asio::any_io_executor strand, RecordFile file, Done done);
  RecordKeeper(const RecordKeeper&) = delete;
  RecordKeeper& operator=(const RecordKeeper&) = delete;
  ~RecordKeeper() { Stop(); }

  // Those of the last life that still have time to live.
  static std::vector<DurableRecord> Restore(RecordFile& file);

  std::uint64_t Keep(DurableRecord record) override;
  // Drops all that was kept so far but for these keys.
  void Retain(std::vector<NodeId> keys);
  // Writes what waits and ends the thread.
  void Stop();

  std::uint64_t failures() const;  // of writes

 private:
  struct Shared;
  static void Work(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  std::uint64_t last_ = 0;
  std::thread thread_;
};

}  // namespace tombolo::node
