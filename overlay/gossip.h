// Broadcasting over the links: along a tree, with the other links as the net below it.
//
// One tree for all origins (Leitao, Pereira, Rodrigues, "Epidemic Broadcast Trees", SRDS 2007:
// Plumtree). A broadcast is pushed over eager links and announced, in batches, over all others
// (lazy). Who gets it a second time from somebody else says so (PRUNE): the link becomes lazy at
// both ends. Who hears of a broadcast that does not come asks an announcer for it (GRAFT): the link
// becomes eager at both ends. So the first broadcast turns whatever was eager into a tree, on which
// every later one, of any origin, takes one push per peer. A link that would have saved more than
// optimise_hops replaces the one that the broadcast came by.
//
// Why not one tree per origin: every first broadcast of an origin would flood again, and each peer
// would keep a bit per origin and link; one tree costs at most twice the depth.
//
// Exactly once: a key (GossipKey) is remembered for seen_ttl, which is longer than any broadcast
// lives; the ttl in a message only falls, by the time that peers hold it.
//
// Missed broadcasts (a split, a late start, bad luck): every peer keeps the latest ones
// (gossip_window.h) until they expire. A new link is shown the latest few, and every
// compare_interval a random one is shown any few; if the other side asks for one of them it is told
// of all (CatchUpWith). One
// link between two islands is enough: what comes over it is new to the other island and goes down
// its tree. So a broadcast reaches, once, every peer that is connected with a holder at some time
// before it expires, newcomers too.
//
// Topics travel the same tree: a peer carries all topics and hands over those it subscribed to. A
// topic with few subscribers therefore costs as much as a broadcast to everybody.
//
// Floods: per link and heartbeat at most link_broadcasts new broadcasts, link_haves announcing
// messages and link_grafts keys; per origin origin_broadcasts. What exceeds that is dropped and
// counted, broadcasts to be asked for in a later heartbeat. Our own beyond the rate of an origin
// fail at once. The origin is as proven as the peers on the path; a host that needs more signs and
// verifies.
//
// Bounds: see GossipConfig and the parts. Payloads: the window has a share of each, the application
// gets one of its own. Memory: about 90 bytes per link and 32 per remembered key. Thread rule: one
// caller at a time; the caller says which links are up and lets in only what came over one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/command.h"
#include "overlay/event.h"
#include "overlay/gossip_counts.h"
#include "overlay/gossip_links.h"
#include "overlay/gossip_missing.h"
#include "overlay/gossip_window.h"
#include "overlay/keyed_fifo.h"
#include "overlay/lazy.h"
#include "overlay/link.h"
#include "overlay/message.h"
#include "overlay/step.h"

namespace tombolo {

// Names a broadcast in announcements. Not cryptographic: who can choose an origin can make keys
// collide.
std::uint64_t GossipKey(const NodeId& origin, std::uint64_t sequence);

class Gossip {
 public:
  // To be called once, first, with the links that are up.
  void Start(std::span<const Link> links, const PartStep& step);

  // Commands. The payload passes to this part.
  void Broadcast(const tombolo::Broadcast& command, const PartStep& step);
  void Subscribe(std::uint64_t topic, const PartStep& step);
  void Unsubscribe(std::uint64_t topic);

  // Messages. The payload of a push passes to this part.
  void OnPush(PeerRef from, const GossipPush& push, const PartStep& step);
  void OnHave(PeerRef from, const GossipHave& have, const PartStep& step);
  void OnGraft(PeerRef from, const GossipGraft& graft, const PartStep& step);
  void OnPrune(PeerRef from, const GossipPrune& prune, const PartStep& step);
  void OnCount(PeerRef from, const GossipCount& count, const PartStep& step);

  void OnLinkUp(PeerRef peer, const PartStep& step);
  void OnLinkDown(PeerRef peer, const PartStep& step);

  // Tells a linked peer of everything that is kept; it asks for what it missed. For after a merge.
  void CatchUpWith(PeerRef peer, const PartStep& step);

  // Does what is due. Early calls do nothing.
  void Tick(const PartStep& step);
  Time next_deadline() const;

  // Ends our own broadcasts with kLeft and forgets everything.
  void Stop(const PartStep& step);

  const GossipLinks& links() const { return links_; }
  std::span<const KeptBroadcast> kept() const { return window_.rows(); }
  std::size_t remembered() const { return seen_.size(); }
  std::size_t missing() const { return missing_.size(); }
  std::span<const std::uint64_t> topics() const { return topics_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(links_, seen_, window_, missing_, counts_, topics_, next_sequence_, flush_at_,
            compare_at_);
  }

 private:
  struct Seen {
    std::uint64_t key = 0;
    Time expires;
    PeerRef from = PeerRef::kNone;  // kNone: our own
    std::uint8_t hops = 0;
  };

  // gossip_push.cc: broadcasts themselves.
  static bool Admits(const GossipPush& push, const PartStep& step);
  void OnDuplicate(GossipLink& link, const Seen& seen, const PartStep& step);
  void Accept(GossipLink& link, const KeptBroadcast& kept, const PartStep& step);
  void Spread(const KeptBroadcast& kept, PeerRef from, const PartStep& step);
  void PushTo(PeerRef peer, const KeptBroadcast& kept, const PartStep& step);
  void Remember(const Seen& seen, const PartStep& step);
  bool Listens(std::uint64_t topic) const;

  // gossip.cc: what is said about them.
  void Optimise(GossipLink& link, Seen& seen, std::uint8_t hops, const PartStep& step);
  void Show(GossipLink& link, std::span<const KeptBroadcast> some, const PartStep& step);
  void Compare(const PartStep& step);
  void Announce(GossipLink& link, const KeptBroadcast& kept, const PartStep& step);
  void Flush(const PartStep& step);
  bool FlushTo(GossipLink& link, const PartStep& step);
  void ArmCompare(const PartStep& step);

  GossipLinks links_;
  KeyedFifo<Seen> seen_;
  GossipWindow window_;
  GossipMissing missing_;
  Lazy<GossipCounts> counts_;
  std::vector<std::uint64_t> topics_;  // ascending
  std::uint64_t next_sequence_ = 0;    // 0 = not drawn yet
  Time flush_at_ = kNever;             // announcements go out
  Time compare_at_ = kNever;
};

}  // namespace tombolo
