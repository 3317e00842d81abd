// Rates of the event queue beside std::priority_queue, in the hold model: pop the first entry, push
// one at its time plus a random delay, at a constant number of pending entries. Prints million
// events per second (one pop and one push). No bars here: machines differ, compare columns of one
// run.
//
//   queue_bench [events per cell, default 3000000]
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <queue>
#include <vector>

#include "overlay/rng.h"
#include "overlay/time.h"
#include "sim/event_queue.h"

namespace tombolo::sim {
namespace {

class HeapQueue {
 public:
  void Push(const QueueEntry& entry) { heap_.push(entry); }
  bool PopBefore(Time, QueueEntry& out) {
    out = heap_.top();
    heap_.pop();
    return true;
  }

 private:
  struct After {
    bool operator()(const QueueEntry& a, const QueueEntry& b) const { return b < a; }
  };
  std::priority_queue<QueueEntry, std::vector<QueueEntry>, After> heap_;
};

using Delay = std::int64_t (*)(Rng&);

struct Workload {
  const char* name;
  Delay delay;
};

constexpr Workload kWorkloads[] = {
    {"uniform 1-300 ms", [](Rng& rng) { return std::int64_t{1000} + rng.Below(299'000); }},
    {"constant 50 ms", [](Rng&) { return std::int64_t{50'000}; }},
    {"constant 0 (heap)", [](Rng&) { return std::int64_t{0}; }},
    {"uniform 1-500 us", [](Rng& rng) { return std::int64_t{1} + rng.Below(500); }},
    {"1 us to 12 days",
     [](Rng& rng) { return std::int64_t{1} + (std::int64_t{1} << rng.Below(41)); }},
};

double Seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

template <class Queue>
double Hold(Delay delay, std::uint32_t pending, std::int64_t events) {
  Queue queue;
  Rng rng(7);
  for (std::uint32_t i = 0; i < pending; ++i) {
    queue.Push({.time_us = rng.Below(300'000), .to = rng.Below(1U << 24), .from = i});
  }
  QueueEntry entry;
  std::uint32_t sequence = 0;
  const auto run = [&](std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      queue.PopBefore(kNever, entry);
      queue.Push({.time_us = entry.time_us + delay(rng),
                  .to = rng.Below(1U << 24),
                  .from = entry.to,
                  .sequence = ++sequence});
    }
  };
  run(2 * std::int64_t{pending});  // reach the steady state
  const double start = Seconds();
  run(events);
  return static_cast<double>(events) / (Seconds() - start) * 1e-6;
}

// Fill and drain entries of one instant.
template <class Queue>
double Burst(std::uint32_t count) {
  Queue queue;
  Rng rng(7);
  const double start = Seconds();
  for (std::uint32_t i = 0; i < count; ++i) {
    queue.Push({.time_us = 50'000, .to = rng.Below(1U << 24), .from = i});
  }
  QueueEntry entry;
  for (std::uint32_t i = 0; i < count; ++i) queue.PopBefore(kNever, entry);
  return count / (Seconds() - start) * 1e-6;
}

void Run(std::int64_t events) {
  std::printf("%-20s %9s %12s %16s\n", "delays", "pending", "EventQueue", "priority_queue");
  for (const Workload& workload : kWorkloads) {
    for (const std::uint32_t pending : {100U, 10'000U, 1'000'000U}) {
      const double ours = Hold<EventQueue>(workload.delay, pending, events);
      const double heap = Hold<HeapQueue>(workload.delay, pending, events);
      std::printf("%-20s %9u %12.1f %16.1f\n", workload.name, pending, ours, heap);
      std::fflush(stdout);
    }
  }
  constexpr std::uint32_t kBurst = 1'000'000;
  std::printf("%-20s %9u %12.1f %16.1f\n", "one instant", kBurst, Burst<EventQueue>(kBurst),
              Burst<HeapQueue>(kBurst));
}

}  // namespace
}  // namespace tombolo::sim

int main(int argc, char** argv) {
  const long long events = argc > 1 ? std::atoll(argv[1]) : 3'000'000;
  if (events <= 0) {
    std::fprintf(stderr, "usage: queue_bench [events per cell > 0]\n");
    return 2;
  }
  tombolo::sim::Run(events);
  return 0;
}
