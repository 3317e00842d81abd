// Broadcasts that others announced and that have not arrived: after a while they are asked for
// (GRAFT), from one announcer after the other; from each no more per heartbeat than one origin may
// send, since an island's worth of broadcasts may all be of one. What came too fast is asked for in
// the next heartbeat.
//
// Bounded: config.gossip.max_missing keys, of which one link may be the first to announce a
// quarter; beyond that announcements are dropped and counted. Of a key's announcers the first
// kMaxAnnouncers are remembered; each is asked up to kRounds times, then the key is given up until
// it is announced again.
//
// Thread rule: one caller at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "overlay/gossip_links.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

class GossipMissing {
 public:
  static constexpr std::size_t kMaxAnnouncers = 8;
  static constexpr std::size_t kRounds = 3;

  // `from` has a broadcast that has not arrived here.
  void OnAnnounced(std::uint64_t key, PeerRef from, const PartStep& step);

  void OnArrived(std::uint64_t key);

  // It came from `from`, but too fast to be taken.
  void OnTooFast(std::uint64_t key, PeerRef from, const PartStep& step);

  // Asks for what is due; the links asked become part of the tree.
  void Tick(GossipLinks& links, const PartStep& step);
  // Never late, but may be early.
  Time next_deadline() const { return due_; }

  std::size_t size() const { return rows_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(rows_, due_);
  }

 private:
  struct Row {
    std::uint64_t key = 0;
    Time due;
    std::uint8_t announced = 0;  // announcers remembered
    std::uint8_t asked = 0;      // in turn
    std::array<PeerRef, kMaxAnnouncers> announcers{};

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(key, due, announced, asked, announcers);
      if constexpr (Archive::kReading) {
        if (announced > kMaxAnnouncers) archive.Fail("too many announcers");
      }
    }
  };

  Row* Find(std::uint64_t key);
  static PeerRef Ask(Row& row, GossipLinks& links, const PartStep& step);

  std::vector<Row> rows_;  // in the order of the first announcement
  Time due_ = kNever;
};

}  // namespace tombolo
