#include "node/record_keeper.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace tombolo::node {
namespace {

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct RecordKeeper::Shared {
  Shared(boost::asio::any_io_executor executor, RecordFile opened, Done call)
      : strand(std::move(executor)),
        file(std::move(opened)),
        set_aside(file.set_aside()),
        done(std::move(call)) {}

  void Tell(std::uint64_t number, bool kept) {
    boost::asio::post(strand, [self = alive, this, number, kept] {
      if (*self) done(number, kept);
    });
  }

  boost::asio::any_io_executor strand;
  RecordFile file;        // of the thread
  std::string set_aside;  // likewise
  const Done done;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);  // of the strand
  std::atomic<std::uint64_t> failures{0};

  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<StoredRecord> waiting;
  std::size_t waiting_bytes = 0;
  std::uint64_t last = 0;     // number of the last that waits
  std::uint64_t refused = 0;  // of the last for which there was no room, after those; 0: none
  std::optional<std::vector<NodeId>> retain;
  bool stopping = false;
};

RecordKeeper::RecordKeeper(boost::asio::any_io_executor strand, RecordFile file, Done done)
    : shared_(std::make_shared<Shared>(std::move(strand), std::move(file), std::move(done))),
      thread_([shared = shared_] { Work(shared); }) {}

std::vector<DurableRecord> RecordKeeper::Restore(RecordFile& file) {
  std::vector<DurableRecord> restored;
  const std::int64_t now = NowMs();
  absl::StatusOr<std::vector<StoredRecord>> rows = file.Load(now);
  if (!rows.ok()) {
    spdlog::error("{}", std::string(rows.status().message()));
    return restored;
  }
  if (file.damaged() > 0) spdlog::error("{} records were damaged and left out", file.damaged());
  for (StoredRecord& row : *rows) {
    restored.push_back({row.key, row.sequence, Duration::Milliseconds(row.expires_ms - now),
                        std::move(row.value)});
  }
  return restored;
}

std::uint64_t RecordKeeper::Keep(DurableRecord record) {
  ++last_;
  const std::lock_guard lock(shared_->mutex);
  const bool fits = shared_->waiting_bytes + record.value.size() <= kMaxQueuedBytes;
  if (!fits ||
      shared_->refused > 0) {  // numbers are told in order: what comes later waits for none
    ++shared_->failures;
    shared_->refused = last_;
    shared_->arrived.notify_one();
    return last_;
  }
  shared_->waiting_bytes += record.value.size();
  shared_->waiting.push_back(
      {record.key, record.sequence, NowMs() + record.ttl.us / 1000, std::move(record.value)});
  shared_->last = last_;
  shared_->arrived.notify_one();
  return last_;
}

void RecordKeeper::Retain(std::vector<NodeId> keys) {
  const std::lock_guard lock(shared_->mutex);
  shared_->retain = std::move(keys);
  shared_->arrived.notify_one();
}

void RecordKeeper::Stop() {
  if (!thread_.joinable()) return;
  *shared_->alive = false;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->arrived.notify_one();
  }
  thread_.join();
}

std::uint64_t RecordKeeper::failures() const { return shared_->failures; }

void RecordKeeper::Work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->arrived.wait(lock, [&] {
      return shared->stopping || !shared->waiting.empty() || shared->retain.has_value() ||
             shared->refused > 0;
    });
    if (shared->waiting.empty() && !shared->retain && shared->refused == 0) return;
    const std::vector<StoredRecord> batch = std::exchange(shared->waiting, {});
    std::optional<std::vector<NodeId>> retain = std::exchange(shared->retain, std::nullopt);
    // Some of these were accepted after the keys had been listed.
    for (std::size_t i = 0; retain && i < batch.size(); ++i) retain->push_back(batch[i].key);
    shared->waiting_bytes = 0;
    const std::uint64_t last = shared->last;
    const std::uint64_t refused = std::exchange(shared->refused, 0);
    lock.unlock();
    absl::Status written = batch.empty() ? absl::OkStatus() : shared->file.Write(batch);
    if (!batch.empty()) shared->Tell(last, written.ok());
    if (refused > 0) shared->Tell(refused, false);
    if (retain && written.ok()) written = shared->file.Retain(*retain);
    if (shared->file.set_aside() != shared->set_aside) {
      shared->set_aside = shared->file.set_aside();
      spdlog::error("the records were damaged: they are now {}", shared->set_aside);
    }
    if (!written.ok()) {
      // A disk that stays full would fill the log, too.
      if (++shared->failures == 1) spdlog::error("{}", std::string(written.message()));
    }
    lock.lock();
  }
}

}  // namespace tombolo::node
