#include "node/tomboloctl_pipe.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <thread>

namespace tombolo::node {
namespace {

namespace control = tombolo::control::v1;
using Stream = grpc::ClientReaderWriter<control::ChannelInput, control::ChannelOutput>;

constexpr std::size_t kBlock = 64 * 1024;

// Sends standard input until its end, or until `stop` can be read.
void SendInput(Stream& stream, int stop) {
  control::ChannelInput input;
  std::string block(kBlock, '\0');
  while (true) {
    std::array<pollfd, 2> ready{{{STDIN_FILENO, POLLIN, 0}, {stop, POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) break;
    if (ready[1].revents != 0) return;
    if (ready[0].revents == 0) continue;
    const ssize_t got = read(STDIN_FILENO, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    input.set_data(block.data(), static_cast<std::size_t>(got));
    if (!stream.Write(input)) return;
  }
  input.mutable_half_close();
  stream.Write(input);
}

// True if everything could be written.
bool Show(const std::string& data) {
  return std::fwrite(data.data(), 1, data.size(), stdout) == data.size() &&
         std::fflush(stdout) == 0;
}

}  // namespace

int RunPipe(control::Control::Stub& stub, const control::ChannelInput& first,
            const Printer& printer) {
  std::array<int, 2> stop{};
  if (pipe(stop.data()) != 0) return printer.BadUsage("too many open files");
  grpc::ClientContext context;
  const auto stream = stub.Channel(&context);
  stream->Write(first);
  std::thread sender([&] { SendInput(*stream, stop[0]); });
  std::string ending;
  for (control::ChannelOutput output; stream->Read(&output);) {
    if (output.has_reset()) {
      ending = "reset: " + control::ChannelReset::Reason_Name(output.reset().reason());
      if (!output.reset().text().empty()) ending += ": " + output.reset().text();
    } else if (!Show(output.data())) {
      ending = "standard output is closed";
      context.TryCancel();
    }
  }
  close(stop[1]);
  sender.join();
  close(stop[0]);
  const grpc::Status status = stream->Finish();
  if (ending.empty() && status.ok()) return 0;
  return ending.empty() ? printer.Error(status)
                        : printer.Error({grpc::StatusCode::ABORTED, ending});
}

}  // namespace tombolo::node
