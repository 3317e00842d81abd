// The peers connected to: which links to open, which to keep, whom to turn away.
//
// Wanted: config.links.per_bucket links in every bucket that is not empty, and the neighbours on
// the ring. Others stay as long as there is room: a link that nobody needs costs less than opening
// one again.
//
// Of max_links some are for peers that cannot be dialled; link_room.h says who goes when there are
// too many. Nobody is dialled of our own accord whose link would have to go at once: two full
// tables would open and close links without end. Whoever goes is told (Evict, kFull) up to three
// dialable peers that are in the same bucket as we are from its place, and may turn to them. Both
// sides wait config.links.dial_back_off before they dial again.
//
// Dials are bounded by max_dialing; peers are dialled one at a time, not again within the back-off
// after a failure, never if they cannot be dialled. Of back-offs kMaxBackOffs are remembered; then
// the one that ends first is forgotten. Two peers that dial each other at once end with one link:
// the host keeps one connection per pair and reports a link down before the next one between the
// same two is up. A hang-up takes effect here at once; the host's LinkDown for it finds nothing and
// changes nothing.
//
// Memory: 40 bytes per link. Rows are ordered as link_rows.h says. Thread rule: one caller at a
// time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/event.h"
#include "overlay/link.h"
#include "overlay/message.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

class Links {
 public:
  static constexpr std::size_t kMaxBackOffs = 64;

  // A link has come up. `requested`: the application asked for it. Notifies PeerUp, or turns the
  // newcomer away. True if the link stays.
  bool OnUp(PeerRef peer, const LinkAttributes& attributes, bool requested,
            std::span<const PeerRef> neighbours, const PartStep& step);

  // A link is gone or a dial failed. Notifies PeerLost if there was a link. True if there was one.
  bool OnDown(PeerRef peer, LinkDownReason reason, const PartStep& step);

  // The other side is about to close our link. Notifies Evicted and PeerLost. True if there was a
  // link.
  bool OnEvict(PeerRef from, const Evict& evict, const PartStep& step);

  // The application wants the link to this peer kept. False if there is none.
  bool MarkRequested(PeerRef peer, const PartStep& step);

  // Opens a link. True if one is being opened now, also if it was before. A dial that the
  // application asked for waits for no back-off.
  bool Dial(PeerRef peer, bool requested, const PartStep& step);

  // Dials those of `candidates` that fill the gaps of their buckets, first come first served, while
  // there is room.
  void Fill(std::span<const PeerRef> candidates, std::span<const PeerRef> neighbours,
            const PartStep& step);

  // Dials those that are not linked, whatever their bucket, while there is room.
  void DialAll(std::span<const PeerRef> peers, std::span<const PeerRef> neighbours,
               const PartStep& step);

  // Links and dials that the bucket is short of.
  int Missing(int bucket, const PartStep& step) const;

  // Closes a link, if there is one, and notifies PeerLost.
  bool Hangup(PeerRef peer, HangupReason reason, const PartStep& step);

  // Closes all links because the peer leaves; forgets everything.
  void Stop(const PartStep& step);

  // Something arrived from the peer.
  void Heard(PeerRef peer, const PartStep& step);
  void SetPressure(PeerRef peer, LinkPressure pressure, const PartStep& step);

  // True if maintenance is due: the caller then hands in candidates with Fill and DialAll. Asks
  // suspect links for a sign of life. The first maintenance falls due at once.
  bool ClaimMaintenance(const PartStep& step);
  void StartMaintenance(Time now) { maintain_at_ = now; }
  Time next_deadline() const { return maintain_at_; }

  std::span<const Link> rows() const { return rows_; }
  // For estimates and suspicion; order and names must stay as they are.
  std::span<Link> rows() { return rows_; }
  // nullptr if not linked.
  const Link* Find(PeerRef peer, const PartStep& step) const;
  int Count(int bucket) const;
  std::span<const PeerRef> dialing() const { return dialing_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(rows_, dialing_, back_offs_, maintain_at_);
  }

 private:
  struct BackOff {
    PeerRef peer;
    Time until;
  };

  std::size_t IndexOf(PeerRef peer, const PartStep& step) const;
  bool IsDialing(PeerRef peer) const;
  bool CanDial(PeerRef peer, const PartStep& step) const;
  void DialToStay(PeerRef peer, std::span<const PeerRef> neighbours, const PartStep& step);
  void TurnAway(std::size_t index, const PartStep& step);
  void Drop(std::size_t index, LinkDownReason reason, const PartStep& step);
  bool BackedOff(PeerRef peer, Time now) const;
  void SetBackOff(PeerRef peer, const PartStep& step);

  std::vector<Link> rows_;
  std::vector<PeerRef> dialing_;
  std::vector<BackOff> back_offs_;
  Time maintain_at_ = kNever;
};

}  // namespace tombolo
