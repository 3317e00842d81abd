// What peers tell their applications, as dicts: {"kind", "time_s", "peer", ...}.
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <string>
#include <variant>
#include <vector>

#include "python/bind/bind.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

// Far more than one slice of a run leaves behind.
constexpr std::size_t kEventLimit = 4'000'000;

constexpr std::array<const char*, 4> kLinkReasons = {"closed", "hung_up", "timeout", "dial_failed"};

class Describe {
 public:
  Describe(const sim::World& world, const sim::LoggedEvent& logged) : world_(world) {
    event_["time_s"] = logged.at.seconds();
    event_["peer"] = Index(logged.peer);
  }

  py::dict operator()(const Joined& joined) { return Named("joined", "contacts", joined.contacts); }
  py::dict operator()(const LookupDone& done) {
    event_["key"] = done.target.ToHex();
    event_["messages"] = done.messages;
    event_["dead"] = done.dead;
    return Named("lookup", "hops", done.hops);
  }
  py::dict operator()(const PutDone& done) { return Named("put", "stored", done.stored); }
  py::dict operator()(const GetDone& done) {
    event_["hops"] = done.hops;
    return Named("get", "found", done.found);
  }
  py::dict operator()(const PeerUp& up) { return Named("peer", "other", Index(up.peer)); }
  py::dict operator()(const PeerLost& lost) {
    event_["reason"] = kLinkReasons[static_cast<std::size_t>(lost.reason)];
    return Named("peer_lost", "other", Index(lost.peer));
  }
  py::dict operator()(const MessageArrived& arrived) {
    event_["origin"] = arrived.origin.ToHex();
    event_["size"] = arrived.payload.bytes;
    event_["data"] = py::bytes(std::string(world_.bytes_of(arrived.payload)));
    return Named("message", "hops", arrived.hops);
  }
  py::dict operator()(const Delivered& delivered) {
    return Named("delivered", "hops", delivered.hops);
  }
  py::dict operator()(const Failed& failed) {
    return Named("failed", "reason", kFailReasonNames[static_cast<std::size_t>(failed.reason)]);
  }
  py::dict operator()(const Evicted& evicted) {
    std::vector<std::uint32_t> alternatives;
    for (std::size_t i = 0; i < evicted.count; ++i)
      alternatives.push_back(Index(evicted.alternatives[i]));
    event_["alternatives"] = alternatives;
    return Named("evicted", "by", Index(evicted.by));
  }
  py::dict operator()(const KeyProbed& probed) {
    event_["key"] = probed.key.ToHex();
    event_["found"] = probed.successor != PeerRef::kNone;
    return Named("probe", "hops", probed.hops);
  }
  py::dict operator()(const BroadcastArrived& arrived) {
    event_["origin"] = arrived.origin.ToHex();
    event_["topic"] = arrived.topic;
    event_["size"] = arrived.payload.bytes;
    event_["data"] = py::bytes(std::string(world_.bytes_of(arrived.payload)));
    return Named("broadcast", "hops", arrived.hops);
  }
  py::dict operator()(const BroadcastDone& done) {
    event_["complete"] = done.complete;
    return Named("broadcast_done", "reached", done.delivered);
  }
  py::dict operator()(const ClientAttached& done) {
    event_["client"] = done.client.ToHex();
    event_["holders"] = done.holders;
    return Named("attached", "attached", done.attached);
  }
  py::dict operator()(const ClientResolved& done) {
    event_["client"] = done.client.ToHex();
    event_["home"] = PeerOrNone(done.home);
    event_["hops"] = done.hops;
    return Named("resolved", "found", done.found);
  }
  py::dict operator()(const LeaseLost& lost) {
    event_["client"] = lost.client.ToHex();
    return Named("lease_lost", "home", PeerOrNone(lost.home));
  }
  py::dict operator()(const RoomJoined& done) {
    event_["room"] = done.room.ToHex();
    return Named("room_joined", "joined", done.joined);
  }
  py::dict operator()(const RoomChanged& changed) {
    event_["room"] = changed.room.ToHex();
    event_["client"] = changed.client.ToHex();
    event_["home"] = PeerOrNone(changed.home);
    return Named("room_changed", "joined", changed.joined);
  }

 private:
  static py::object PeerOrNone(PeerRef peer) {
    if (peer == PeerRef::kNone) return py::none();
    return py::int_(Index(peer));
  }

  template <class T>
  py::dict Named(const char* kind, const char* key, const T& value) {
    event_["kind"] = kind;
    event_[key] = value;
    return event_;
  }

  const sim::World& world_;
  py::dict event_;
};

// Events since the last call, of the kinds wanted; the record begins anew.
py::list TakeEvents(BoundWorld& bound, const std::vector<std::string>& kinds) {
  sim::World& world = bound.world();
  py::list events;
  for (const sim::LoggedEvent& logged : world.events()) {
    Describe describe(world, logged);
    py::dict event = std::visit(describe, logged.event);
    if (std::find(kinds.begin(), kinds.end(), event["kind"].cast<std::string>()) != kinds.end()) {
      events.append(event);
    }
  }
  world.ClearEvents();
  return events;
}

void Record(BoundWorld& bound, bool on) {
  bound.world().RecordEvents(on ? kEventLimit : 0);
  if (!on) bound.world().ClearEvents();
}

}  // namespace

void BindEvents(WorldClass& world) {
  world.def("record_events", &Record, py::arg("on"));
  world.def("take_events", &TakeEvents, py::arg("kinds"));
}

}  // namespace tombolo::python
