#include "node/tomboloctl_script.h"

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

namespace tombolo::node {
namespace {

class Script {
 public:
  Script(std::FILE* out, const RunCommand& run) : out_(out), run_(run) {}

  void Begin(int line, const std::string& command) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return running_ < kMaxCommands; });
      ++running_;
    }
    std::thread([this, line, command] { Carry(line, command); }).detach();
  }

  // Until all have ended.
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  void Carry(int line, const std::string& command) {
    std::string error;
    const auto reply = [&](const std::string& json) {
      Write("{\"line\":" + std::to_string(line) + ",\"reply\":" + json + "}");
    };
    const auto complain = [&](const std::string& text) { error = text; };
    const int status = run_(command, Printer(reply, complain));
    nlohmann::ordered_json last = {{"line", line}, {"status", status}};
    if (!error.empty()) last["error"] = error;
    Write(last.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    const std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();  // under the lock: whoever waits may destroy this
  }

  void Write(const std::string& text) {
    const std::lock_guard lock(mutex_);
    std::fprintf(out_, "%s\n", text.c_str());
    std::fflush(out_);
  }

  std::FILE* const out_;
  const RunCommand& run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int running_ = 0;
};

}  // namespace

void RunScript(std::istream& in, std::FILE* out, const RunCommand& run) {
  Script script(out, run);
  int line = 0;
  for (std::string command; std::getline(in, command);) {
    ++line;
    if (command.find_first_not_of(" \t\r") != std::string::npos) script.Begin(line, command);
  }
  script.Wait();
}

}  // namespace tombolo::node
