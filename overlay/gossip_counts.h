// Counting those whom an acknowledged broadcast has reached, up the tree on which it came down.
//
// Everyone who takes such a broadcast keeps a row: itself, and the total of each peer that it has
// pushed the broadcast to. When all of these have answered, or its time (seven eighths of what the
// one above had left) is over, it tells the one above its own total; again when the total grows
// later, up to kMaxReports times. A peer that prunes has been counted elsewhere. At the origin the
// count ends when everybody has answered and nothing has changed for as long as a lazy repair
// takes, or at the deadline; then it is BroadcastDone, or Failed if nobody was reached.
//
// Totals make repeated and overtaking messages harmless; a lost one makes the result too small, so
// `delivered` is a lower bound. Rows go at the end of twice their time.
//
// Bounded: config.gossip.max_counts rows; beyond that a peer counts itself alone, and a broadcast
// of our own fails. Thread rule: one caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

class GossipCounts {
 public:
  static constexpr std::uint8_t kMaxReports = 16;

  // A broadcast of our own is counted. False if there is no room.
  bool BeginOwn(std::uint64_t key, std::uint32_t request, Duration deadline, const PartStep& step);

  // A broadcast from `parent` is to be counted within `span`; `self` is 1 if our application got
  // it.
  void Begin(std::uint64_t key, PeerRef parent, std::uint32_t self, Duration span,
             const PartStep& step);

  // The time that peers below have to count, as GossipPush.count_ms; 0 if we do not count.
  std::uint32_t TimeBelow(std::uint64_t key, const PartStep& step) const;

  // The broadcast was pushed to this peer, from which a total is expected now.
  void Expect(std::uint64_t key, PeerRef peer);

  // All who are to be asked at first were pushed to.
  void Settle(std::uint64_t key, const PartStep& step);

  // False if nobody waits for it.
  bool OnTotal(std::uint64_t key, PeerRef from, std::uint32_t total, const PartStep& step);
  void OnPruned(std::uint64_t key, PeerRef from, const PartStep& step);
  void OnLinkDown(PeerRef peer, const PartStep& step);

  // `linked`: there is a link at all.
  void Tick(bool linked, const PartStep& step);
  // Never late, but may be early.
  Time next_deadline() const { return next_; }

  // Ends our own with kLeft and forgets everything.
  void Stop(const PartStep& step);

  std::size_t size() const { return rows_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(rows_, next_);
  }

 private:
  struct Child {
    PeerRef peer = PeerRef::kNone;
    std::uint32_t total = 0;
    bool answered = false;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(peer, total, answered);
    }
  };

  struct Row {
    std::uint64_t key = 0;
    PeerRef parent = PeerRef::kNone;  // kNone: our own
    std::uint32_t request = 0;        // of our own
    std::uint32_t self = 0;
    std::uint32_t reported = 0;
    std::uint8_t reports = 0;
    Time started;
    Time report_at;  // with or without those who have not answered
    Time quiet_at;   // our own: nothing has changed for long enough
    Time ends;
    std::vector<Child> children;

    std::uint32_t Total() const;
    bool Complete() const;
    Time NextDeadline() const;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(key, parent, request, self, reported, reports, started, report_at, quiet_at, ends,
              children);
    }
  };

  Row* Find(std::uint64_t key);
  const Row* Find(std::uint64_t key) const;
  void Add(const Row& row);
  void Changed(Row& row, const PartStep& step);
  static void Report(Row& row, const PartStep& step);
  static void ReportDone(const Row& row, bool linked, const PartStep& step);

  std::vector<Row> rows_;
  Time next_ = kNever;
};

}  // namespace tombolo
