// Direct links on request, negotiated through relayed messages (Connect of command.h).
//
// The side that asks sends a request over the relay. The other side agrees if either of the two can
// be dialled: if it can be dialled itself, the asking side dials; else it dials the asking side. So
// a link comes about wherever one is possible, and each side needs to know only itself and, to
// dial, the other. A link that came up anyhow ends the request too.
//
// Every request ends in PeerUp (which the table of links notifies) or in Failed, within
// config.relay.connect_timeout. Bounded: kMaxRequests at once, more fail with kOverload.
//
// Thread rule: one caller at a time. How a peer drives it is said beside each function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "overlay/command.h"
#include "overlay/message.h"
#include "overlay/peer_ref.h"
#include "overlay/relay_news.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

class LinkRequests {
 public:
  static constexpr std::size_t kMaxRequests = 64;

  struct Reply {
    ForwardKind kind = ForwardKind::kConnectRefuse;  // to be relayed back
    PeerRef dial = PeerRef::kNone;                   // to be dialled by us, unless kNone
  };

  // Starts a request to a peer without a link; the relay is to carry it under the number returned.
  // nullopt: it has failed already.
  std::optional<std::uint32_t> Start(const Connect& command, const PartStep& step);

  // News kRequest.
  Reply OnRequest(const RelayNews& news, const PartStep& step) const;

  // Any other news. The peer to dial now, kNone if there is none.
  PeerRef OnAnswer(const RelayNews& news, const PartStep& step);

  // True if a request waits for a link to this peer: the link is to be marked as requested.
  bool Wants(PeerRef peer, const PartStep& step) const;

  // A link is up and stays.
  void OnLinkUp(PeerRef peer, const PartStep& step);

  // A dial failed or could not be started, or the link was turned away.
  void OnDialFailed(PeerRef peer, const PartStep& step);

  void Tick(const PartStep& step);
  Time next_deadline() const;

  // Fails all requests with kLeft.
  void Stop(const PartStep& step);

  std::size_t size() const { return requests_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(requests_, next_number_);
  }

 private:
  struct Request {
    std::uint32_t request = 0;  // the application's name for it
    std::uint32_t number = 0;   // ours
    NodeId target;
    Time started;
    Time deadline;
  };

  static void Fail(const Request& request, FailReason reason, const PartStep& step);

  std::vector<Request> requests_;
  std::uint32_t next_number_ = 0;
};

}  // namespace tombolo
