#include "sim/progress.h"

#include <malloc.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <utility>

namespace tombolo::sim {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kFirstDrawSeconds = 0.3;  // shorter runs flash no bar
constexpr int kBarWidth = 16;

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// "1:02:03" or "2:03".
std::string ClockText(double seconds) {
  const auto total = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e9));
  std::array<char, 48> buffer{};
  if (total >= 3600) {
    std::snprintf(buffer.data(), buffer.size(), "%d:%02d:%02d", static_cast<int>(total / 3600),
                  static_cast<int>(total / 60 % 60), static_cast<int>(total % 60));
  } else {
    std::snprintf(buffer.data(), buffer.size(), "%d:%02d", static_cast<int>(total / 60),
                  static_cast<int>(total % 60));
  }
  return buffer.data();
}

std::size_t TerminalColumns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col : 80;
}

sigset_t InterruptSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Usage ReadUsage() {
  Usage usage;
  usage.wall_seconds = Now();
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    usage.cpu_seconds = Seconds(used.ru_utime) + Seconds(used.ru_stime);
    usage.peak_rss_bytes = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  }
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  if (statm >> size_pages >> resident_pages) {
    usage.rss_bytes = resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  return usage;
}

void TrimMemory() { malloc_trim(0); }

// The signal is blocked and looked for, so that no handler runs and no state is shared with one.
Interrupts::Interrupts() {
  const sigset_t set = InterruptSet();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &set, &before);
  outermost_ = sigismember(&before, SIGINT) == 0;
}

Interrupts::~Interrupts() {
  if (!outermost_) return;
  const sigset_t set = InterruptSet();
  const timespec at_once{0, 0};
  while (sigtimedwait(&set, nullptr, &at_once) > 0) {
  }
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

bool Interrupts::raised() const {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1;
}

namespace {

void Say(std::string_view text) {
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) _exit(1);
}

// What TellSeed writes: static, for a handler is given nothing; ready, for it may not allocate.
std::array<char, 2048> abort_line{};

// Calls nothing that a signal handler may not call.
void TellSeed(int) {
  Say(abort_line.data());
  _exit(1);
}

}  // namespace

SeedOnAbort::SeedOnAbort() { signal(SIGABRT, TellSeed); }

SeedOnAbort::~SeedOnAbort() { signal(SIGABRT, SIG_DFL); }

void SeedOnAbort::Set(std::uint64_t seed, const std::string& command) {
  const std::string line = "tombolo-sim: an assertion failed at seed " + std::to_string(seed) +
                           "; replay: " + command + "\n";
  abort_line[line.copy(abort_line.data(), abort_line.size() - 1)] = '\0';
}

Progress::Progress(bool wanted, std::string label)
    : enabled_(wanted && isatty(STDERR_FILENO) == 1),
      label_(std::move(label)),
      drawn_(Now() + kFirstDrawSeconds - kRedrawSeconds) {}

Progress::~Progress() {
  if (enabled_) std::fputs("\r\033[K", stderr);
}

bool Progress::Due() {
  if (!enabled_) return false;
  const double now = Now();
  if (now - drawn_ < kRedrawSeconds) return false;
  drawn_ = now;
  return true;
}

// Events per second since the last call.
double Progress::EventRate(std::uint64_t events) {
  const std::uint64_t fresh = events >= rated_events_ ? events - rated_events_ : events;
  const double rate = static_cast<double>(fresh) / std::max(drawn_ - rated_at_, kRedrawSeconds);
  rated_at_ = drawn_;
  rated_events_ = events;
  return rate;
}

void Progress::Update(Duration done, Duration total, std::uint64_t events) {
  if (enabled_ && started_ == 0) {
    started_ = Now();
    rated_at_ = started_;
    rated_events_ = events;
  }
  if (!Due()) return;
  const double elapsed = drawn_ - started_;
  const double share = total.us > 0 ? std::min(1.0, done.seconds() / total.seconds()) : 1;
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%.1f of %.0f s simulated, %.2f M events/s, %s left",
                done.seconds(), total.seconds(), EventRate(events) * 1e-6,
                share > 0 ? ClockText(elapsed * (1 - share) / share).c_str() : "?");
  Draw(share, text.data());
}

void Progress::Step(const std::string& what, std::uint64_t done, std::uint64_t total) {
  if (!Due()) return;
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  Draw(share, std::to_string(done) + " of " + std::to_string(total) + ", " + what);
}

void Progress::Draw(double share, const std::string& text) {
  const int filled = static_cast<int>(share * kBarWidth);
  const std::string bar = std::string(static_cast<std::size_t>(filled), '#') +
                          std::string(static_cast<std::size_t>(kBarWidth - filled), '.');
  std::array<char, 16> percent{};
  std::snprintf(percent.data(), percent.size(), "%3.0f %%", share * 100);
  std::string line = label_ + " [" + bar + "] " + percent.data() + "  " + text;
  // A line that wraps could not be redrawn.
  line.resize(std::min(line.size(), TerminalColumns() - 1));
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

}  // namespace tombolo::sim
