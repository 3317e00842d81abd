// What a run shows to, and hears from, the person and the machine it runs on: the progress bar,
// Ctrl-C, clocks and memory. None of it reaches the simulated world.
//
// Thread rule: one caller at a time. Errors: none; what cannot be read counts as 0.
#pragma once

#include <cstdint>
#include <string>

#include "overlay/time.h"

namespace tombolo::sim {

// What the process has used so far.
struct Usage {
  double wall_seconds = 0;  // since some fixed point
  double cpu_seconds = 0;   // user and system
  std::uint64_t rss_bytes = 0;
  std::uint64_t peak_rss_bytes = 0;
};
Usage ReadUsage();

// Gives memory that was freed back to the system, so that rss_bytes is what is in use.
void TrimMemory();

// While one of these lives, Ctrl-C (SIGINT) does not end the process but makes `raised` true.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool raised() const;

 private:
  bool outermost_;  // of nested ones, the outermost acts
};

// While one of these lives, a failed assertion ends the process with exit status 1 and one line on
// stderr that names the seed of the swarm and the command that replays it. One at a time.
class SeedOnAbort {
 public:
  SeedOnAbort();
  ~SeedOnAbort();
  SeedOnAbort(const SeedOnAbort&) = delete;
  SeedOnAbort& operator=(const SeedOnAbort&) = delete;

  void Set(std::uint64_t seed, const std::string& command);
};

// One line on stderr, redrawn at most ten times a second: simulated time, events per second, time
// left. Draws nothing unless `wanted` and stderr is a terminal. The line is wiped at the end.
class Progress {
 public:
  Progress(bool wanted, std::string label);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // The run has come to `done` of `total` seconds of simulated time, with `events` so far; their
  // count may start anew.
  void Update(Duration done, Duration total, std::uint64_t events);
  // The same for work that is counted in steps.
  void Step(const std::string& what, std::uint64_t done, std::uint64_t total);

 private:
  bool Due();
  double EventRate(std::uint64_t events);
  void Draw(double share, const std::string& text);

  const bool enabled_;
  const std::string label_;
  double drawn_;
  double started_ = 0;  // of the first update: what came before it says nothing of the time left
  double rated_at_ = 0;
  std::uint64_t rated_events_ = 0;
};

}  // namespace tombolo::sim
