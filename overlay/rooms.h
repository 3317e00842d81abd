// The rooms that have members at this peer, which is one of their homes.
//
// A home keeps its own members and tells the other homes of each change, directly. Homes find each
// other through the holders of the room's lease (leases_home.h), when one enters and every ttl;
// who hears of a home greets it with its version (RoomVersions).
//
// Versions count the changes of the members of one home, from a random start. A change that is the
// next one is applied; one that is not means that something was missed, and all members are asked
// for (RoomAsk), kBurst ids at a time. Every renew_interval, and shortly after changes, two homes
// compare one digest over all rooms that they share (RoomDigest): a difference leads to an exchange
// of versions, which leads to asking. So an idle room costs two small messages per pair of homes
// and interval, any number of rooms in common costs the same, and views converge whatever was lost.
//
// Rules:
//   - what members hear: RoomChanged joined when a client becomes a member at any home in view,
//   left
//     when it is one at none; so each once, never repeated, and nothing while a client is at two
//     homes for a moment. A home without members of its own hears nothing;
//   - a home that was silent for ttl is out of view: its members leave. So after a split of more
//     than ttl members hear `left` once for those of the other island, after the heal `joined`
//     once; after a shorter one they hear nothing but what has changed;
//   - a room founded on two islands: the same key is the same room. Its homes find each other when
//     their leases meet at the same holders after the heal; nothing is decided, both sides stay.
//
// Bounds: attach.max_rooms rooms, attach.max_members own members each, attach.max_homes homes in
// view, first come first served; what goes beyond is refused or left out of view, and counts as
// kOverload. Rooms with members at more nodes than that should be topics of gossip. Thread rule:
// one caller at a time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "overlay/leases_key.h"
#include "overlay/messages_attach.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

struct RoomMember {
  NodeId client;
  PeerRef home = PeerRef::kNone;
};

class Rooms {
 public:
  static constexpr std::size_t kBurst = 64;  // members per RoomAsk, two per message
  static constexpr int kTries =
      4;  // of a RoomAsk without any answer; then the next digest leads to it

  // ---- What members here do. True if the client is a member now; false if there is no room for
  // it.
  bool Join(const NodeId& room, const NodeId& client, const PartStep& step);
  void Leave(const NodeId& room, const NodeId& client, const PartStep& step);
  // Leaves every room and returns those that this peer is no home of any more.
  std::vector<NodeId> LeaveAll(const NodeId& client, const PartStep& step);
  // Tells the other homes that this peer is gone.
  void EndAll(const PartStep& step);

  // ---- What other homes and holders say.
  // As if somebody had named these as homes of the room.
  void OnHomes(const NodeId& room, std::span<const PeerRef> homes, const PartStep& step);
  void On(PeerRef from, const RoomHomes& homes, const PartStep& step);
  void On(PeerRef from, const RoomDigest& digest, const PartStep& step);
  void On(PeerRef from, const RoomVersions& versions, const PartStep& step);
  void On(PeerRef from, const RoomGone& gone, const PartStep& step);
  void On(PeerRef from, const RoomChange& change, const PartStep& step);
  void On(PeerRef from, const RoomAsk& ask, const PartStep& step);
  void On(PeerRef from, const RoomMembers& members, const PartStep& step);

  // Digests that are due, questions that were not answered, homes that were silent for too long.
  void OnTimer(const PartStep& step);

  Time next_deadline() const { return deadline_; }
  bool idle() const { return rooms_.empty(); }
  bool IsHome(const NodeId& room) const { return rooms_.contains(room); }
  std::size_t size() const { return rooms_.size(); }
  std::vector<NodeId> keys() const;  // ascending
  // Members at this peer, ascending by id.
  std::span<const NodeId> OwnMembers(const NodeId& room) const;
  // All members in view by home: those here first, then by id of the home; ascending by id in each.
  std::vector<RoomMember> View(const NodeId& room, PeerRef self) const;

  template <class Archive>
  void Serialize(Archive& archive) {
    SerializeMap(archive, rooms_);
    SerializeMap(archive, partners_);
    archive(deadline_, asking_);
    if constexpr (Archive::kReading) {
      turns_.clear();
      for (const auto& [id, partner] : partners_) turns_.insert({partner.turn, id});
      if (!IsConsistent()) archive.Fail("rooms and their homes do not fit together");
    }
  }

 private:
  // Another home of a room.
  struct Other {
    PeerRef peer = PeerRef::kNone;
    std::uint32_t version = 0;
    bool known = false;  // the members are those of the version
    bool asking = false;
    std::uint8_t tries = 0;
    std::uint16_t asked_from = 0;
    std::uint32_t filling_version = 0;
    Time ask_deadline;
    std::vector<NodeId> members;  // ascending
    std::vector<NodeId> filling;  // those of filling_version received so far

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(peer, version, known, asking, tries, asked_from, filling_version, ask_deadline,
              members, filling);
    }
  };

  using Others = std::map<NodeId, Other>;  // by id of the home

  struct Room {
    std::uint32_t version = 0;
    std::vector<NodeId> members;  // here; ascending
    Others others;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(version, members);
      SerializeMap(archive, others);
    }
  };

  // Somebody with whom rooms are shared.
  struct Partner {
    PeerRef peer = PeerRef::kNone;
    std::uint32_t rooms = 0;
    Time heard;
    Time digest_at;
    Time turn;  // when OnTimer looks at it, its place in turns_

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(peer, rooms, heard, digest_at, turn);
    }
  };

  using RoomMap = std::map<NodeId, Room>;
  using Partners = std::map<NodeId, Partner>;  // by id

  // rooms.cc: members and views.
  void Forget(RoomMap::iterator at, const PartStep& step);
  void TellChange(const NodeId& key, Room& room, const NodeId& client, bool joined,
                  const PartStep& step);
  static int CountOf(const Room& room, const NodeId& client);
  void SetMembers(const NodeId& key, Room& room, Other& other, std::vector<NodeId> members,
                  const PartStep& step);
  bool IsConsistent() const;

  // rooms_sync.cc: other homes.
  Other* FindOrAdd(Room& room, PeerRef peer, const PartStep& step);
  void Remove(const NodeId& key, Room& room, Others::iterator at, const PartStep& step);
  void Release(Partners::iterator partner);
  void DropPartner(PeerRef peer, const PartStep& step);
  void Heard(PeerRef from, const PartStep& step);
  void Ask(const NodeId& key, Other& other, std::size_t first, const PartStep& step);
  void StopAsking(Other& other);
  void RetryAsks(const PartStep& step);
  void SendVersions(PeerRef to, bool answer, const PartStep& step);
  void SendDigest(const NodeId& id, PeerRef to, const PartStep& step);
  void SetTurn(const NodeId& id, Partner& partner, Time turn);
  void TakeTurn(const NodeId& id, Partner& partner, const PartStep& step);
  std::vector<NodeId> WhoseTurn(Time now) const;
  void DropSilent(std::span<const NodeId> candidates, const PartStep& step);
  void FindDeadline();

  RoomMap rooms_;
  Partners partners_;
  std::set<std::pair<Time, NodeId>> turns_;  // of the partners
  Time deadline_ = kNever;                   // may be earlier than needed, never later
  std::uint32_t asking_ = 0;                 // questions under way
};

}  // namespace tombolo
