// A node inside another program: joins an overlay, sends and receives, on a thread of its own and
// without a control API, an HTTP listener or signal handlers. The only header of the node library
// that is installed; node/examples/talk.cc is a whole program.
//
//   EmbeddedOptions options;
//   options.data_dir = "my-node";
//   options.bootstrap = {"relay.example:7400"};
//   options.on_message = [](const Arrival& message) { ... };
//   absl::StatusOr<std::unique_ptr<EmbeddedNode>> node = EmbeddedNode::Start(options);
//   (*node)->Send(target, "hello", [](const SendOutcome& outcome) { ... });
//
// Thread rule: any thread may call the methods, callbacks too; contacts, WaitJoined, Stop
// and the destructor wait, and may not be called from a callback. Callbacks are called on the
// node's thread, one at a time, and must return soon: the node stands still meanwhile. Ownership:
// what callbacks refer to has to outlive the node.
//
// Bounds: 64 KiB per payload and 16,384 requests under way; what exceeds them fails with a reason.
// Every callback that is handed over is called exactly once, at the latest when the node stops.
// Errors: of Start, with what to do about them; of the rest in the outcomes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "overlay/node_id.h"

namespace tombolo::node {

// A message or broadcast of another node, whose id is proven.
struct Arrival {
  NodeId origin;
  std::string payload;
  int hops = 0;
  std::uint64_t topic = 0;  // of a broadcast; 0: everybody
};

struct SendOutcome {
  bool delivered = false;
  int hops = 0;
  // Why not: deadline, unreachable, no_links, undialable, refused, overload, left, too_large.
  std::string_view reason;
};

struct FoundValue {
  bool found = false;
  std::string value;
  std::uint64_t sequence = 0;
};

struct EmbeddedOptions {
  std::string data_dir;                 // key, lock and remembered peers; one node at a time
  std::string listen = "0.0.0.0:7400";  // a numeric host; port 0 takes a free one
  std::vector<std::string>
      advertise;  // HOST:PORT that others are told; none: `listen` if it is one
  std::vector<std::string> bootstrap;  // nodes to join through; none founds a network
  // Any other key of docs/node.md: {"limits.links", "64"}. Not control.* or http.*.
  std::vector<std::pair<std::string, std::string>> settings;
  // The node logs to spdlog's default logger, which is the program's; with a level (trace, debug,
  // info, warning, error, off) that becomes one on stderr.
  std::string log_level;

  std::function<void(const Arrival&)> on_message;
  std::function<void(const Arrival&)> on_broadcast;
  std::function<void(const NodeId&)> on_peer;       // a direct link is up
  std::function<void(const NodeId&)> on_peer_lost;  // it is down
};

class EmbeddedNode {
 public:
  static absl::StatusOr<std::unique_ptr<EmbeddedNode>> Start(EmbeddedOptions options);
  EmbeddedNode(const EmbeddedNode&) = delete;
  EmbeddedNode& operator=(const EmbeddedNode&) = delete;
  ~EmbeddedNode();  // as Stop

  const NodeId& id() const;
  const std::string& listening() const;  // HOST:PORT
  // Nodes that it knows and takes for live. Waits for the node's thread.
  std::size_t contacts() const;

  // Until the node is part of an overlay, which a founder is at once: what is asked of it before
  // that fails with "left". False: not within the limit, or it has stopped.
  bool WaitJoined(std::chrono::milliseconds limit = std::chrono::seconds(30)) const;

  using OnSent = std::function<void(const SendOutcome&)>;
  // Spans are cut to a day: nothing waits, and no record lives, longer.
  void Send(const NodeId& target, std::string payload, OnSent done = {},
            std::chrono::milliseconds deadline = std::chrono::seconds(15));
  // To every node, or to subscribers of a topic; the outcome says whether the node took it.
  void Broadcast(std::string payload, std::uint64_t topic = 0, OnSent done = {});
  void Subscribe(std::uint64_t topic);
  void Unsubscribe(std::uint64_t topic);
  // A direct link, kept until the node stops.
  void Connect(const NodeId& target, OnSent done = {});

  // Of the records of a key the highest sequence wins. `done` hears how many nodes hold it.
  void Put(const NodeId& key, std::string value, std::uint64_t sequence, std::chrono::seconds ttl,
           std::function<void(int stored)> done = {});
  void Get(const NodeId& key, std::function<void(const FoundValue&)> done);
  // Ids of the live nodes closest to a place, closest first.
  void Lookup(const NodeId& place, std::function<void(const std::vector<NodeId>&)> done);

  // The key of a name, as tomboloctl makes it: the start of its SHA-256.
  static NodeId KeyOf(std::string_view name);

  // Leaves the overlay, ends the links and the thread; at the latest after node.drain_timeout_s.
  void Stop();

 private:
  class Impl;
  explicit EmbeddedNode(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tombolo::node
