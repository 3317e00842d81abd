// A node inside a program of one's own: joins, sends a line, prints what it receives.
//
//   talk DATA_DIR                        founds a network, prints its id and its address
//   talk DATA_DIR ADDRESS TARGET TEXT    joins through ADDRESS and sends TEXT to the node TARGET
//
// Runs until its standard input ends. Links are all that it listens for: no control port.
#include <cstdio>
#include <optional>
#include <string>

#include "node/embedded_node.h"

using tombolo::NodeId;
using tombolo::node::Arrival;
using tombolo::node::EmbeddedNode;
using tombolo::node::EmbeddedOptions;
using tombolo::node::SendOutcome;

int main(int argc, char** argv) {
  const std::optional<NodeId> target = argc == 5 ? NodeId::FromHex(argv[3]) : std::nullopt;
  if ((argc != 2 && !target) || argv[1][0] == '-')  // no folder, but a flag
    return std::fputs("usage: talk DATA_DIR [ADDRESS TARGET TEXT]\n", stderr), 2;

  EmbeddedOptions options;
  options.data_dir = argv[1];
  options.listen = "127.0.0.1:0";
  if (target) options.bootstrap = {argv[2]};
  options.log_level = "warning";
  options.on_message = [](const Arrival& message) {
    std::printf("from %s: %s\n", message.origin.ToHex().c_str(), message.payload.c_str());
    std::fflush(stdout);
  };
  const auto node = EmbeddedNode::Start(options);
  if (!node.ok()) return std::fprintf(stderr, "%s\n", node.status().ToString().c_str()), 1;
  std::printf("%s %s\n", (*node)->id().ToHex().c_str(), (*node)->listening().c_str());
  std::fflush(stdout);

  if (target && (*node)->WaitJoined()) {
    (*node)->Send(*target, argv[4], [](const SendOutcome& outcome) {
      std::printf("%s\n", outcome.delivered ? "delivered" : std::string(outcome.reason).c_str());
      std::fflush(stdout);
    });
  }
  while (std::getchar() != EOF) {
  }
}
