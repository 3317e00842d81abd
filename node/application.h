// What runs on top of the overlay in one process, as seen by the host: hands out request numbers,
// brings each answer to whoever asked, and tells subscribers of everything else. The control
// service and the gateways stand on it side by side, and so may any other part that needs the
// overlay. Messages between parts of one kind on different nodes begin with a tag: who has claimed
// it gets them, and nobody else.
//
// Bounds: kMaxRequests under way; more are refused with ResourceExhausted. Thread rule: the strand.
// Ownership: the host must outlive its use here. An answer is called once, perhaps from within Ask;
// a listener until Unlisten. Both may call anything here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/host.h"
#include "overlay/command.h"
#include "overlay/event.h"

namespace tombolo::node {

class Application final : public HostListener {
 public:
  static constexpr std::size_t kMaxRequests = 16'384;

  // The event that ends a request, with the payload of a GetDone.
  using Answer = std::function<void(const Event&, const std::string& payload)>;
  using Listener = std::function<void(const Event&, const std::string& payload)>;

  // Once, before anything else.
  void Use(Host& host) { host_ = &host; }
  Host& host() { return *host_; }
  // Called when the host has stopped.
  void set_on_stopped(std::function<void()> call) { on_stopped_ = std::move(call); }
  // Called with every connection that has ended; it may call nothing that changes the host.
  void set_on_connection_ended(std::function<void(const Connection&)> call) {
    on_connection_ended_ = std::move(call);
  }

  // `command` is one that ends in an event with its request number, which is set here; a Connect
  // ends in the PeerUp of its target, too, an AttachClient in the LeaseLost of its client. The
  // answer is called unless the status is an error.
  absl::Status Ask(Command command, std::string payload, Answer answer);
  // Likewise for a command that ends in Failed if it is refused at once, and else in nothing: that
  // Failed, or nullopt. From without the turns of the host, else it is always nullopt.
  absl::StatusOr<std::optional<Failed>> Try(Command command, std::string payload);
  // A command without an answer.
  absl::Status Do(const Command& command, std::string payload = {});

  // Messages of other nodes that begin with `tag`, from now on; one part per tag, for good.
  void Claim(std::string_view tag, Listener listener) { claims_[std::string(tag)] = listener; }

  // Figures of a part by name, for the status and the metrics of the node. Names come from closed
  // lists of the program. In the status they stand behind the prefix of the part.
  struct Figures {
    std::map<std::string, std::uint64_t> counters;  // only ever grow
    std::map<std::string, std::uint64_t> gauges;
  };
  void AddFigures(const std::string& prefix, std::function<Figures()> read) {
    figures_[prefix] = std::move(read);
  }
  std::map<std::string, Figures> ReadFigures() const;  // by prefix

  // Everything that answers no request: what answers number 0, with which Do was called, included.
  std::uint64_t Listen(Listener listener);
  void Unlisten(std::uint64_t number) { listeners_.erase(number); }

  // Interest of listeners in a topic, counted.
  void Subscribe(std::uint64_t topic);
  void Unsubscribe(std::uint64_t topic);

  // Those who serve clients are told that the node leaves, and of other nodes, the best first.
  using LeavingListener = std::function<void(const std::vector<RememberedPeer>& others)>;
  std::uint64_t ListenLeaving(LeavingListener listener);
  void UnlistenLeaving(std::uint64_t number) { leaving_listeners_.erase(number); }
  void TellLeaving(const std::vector<RememberedPeer>& others);

  std::size_t requests() const { return requests_.size(); }

  // Answers every request under way with Failed(kLeft): nothing more will come.
  void GiveUp();

  void OnEvent(const Event& event, std::string payload) override;
  void OnStopped() override;
  void OnConnectionEnded(const Connection& connection) override {
    if (on_connection_ended_) on_connection_ended_(connection);
  }

 private:
  struct Request {
    Answer answer;
    std::optional<NodeId> connect;  // the target of a Connect
    std::optional<NodeId> attach;   // the client of an AttachClient
  };

  // Ends the requests about this id with the event.
  void AnswerAll(std::optional<NodeId> Request::*about, const NodeId& id, const Event& event);
  bool GoesToClaimant(const Event& event, const std::string& payload);

  Host* host_ = nullptr;
  std::function<void()> on_stopped_;
  std::function<void(const Connection&)> on_connection_ended_;
  std::uint32_t last_request_ = 0;
  std::uint64_t last_listener_ = 0;
  std::map<std::uint32_t, Request> requests_;
  std::map<std::uint64_t, Listener> listeners_;
  std::map<std::uint64_t, LeavingListener> leaving_listeners_;
  std::map<std::uint64_t, int> topics_;
  std::map<std::string, Listener> claims_;
  std::map<std::string, std::function<Figures()>> figures_;
};

}  // namespace tombolo::node
