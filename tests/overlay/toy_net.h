// A toy host for the link and relay parts: peers made of these parts alone, joined by links with a
// fixed delay each, in virtual time (toy_host.h).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/connect.h"
#include "overlay/links.h"
#include "overlay/relay.h"
#include "tests/overlay/toy_host.h"

namespace tombolo {

struct NetToy {
  PeerRef ref = PeerRef::kNone;
  NodeId id;
  Rng rng;
  Links links;
  Relay relay;
  LinkRequests requests;
  bool up = true;
  std::vector<std::pair<Time, Event>> events;
};

enum class FlightKind : std::uint8_t { kMessage, kUp, kDown };

struct NetFlight {
  std::size_t from;
  std::size_t to;
  Message message;
  FlightKind kind;
  LinkDownReason reason;
};

// Peer i of a test has the i-th smallest id; `order` says which ref it gets.
class ToyNet : public ToyHost<NetToy, NetFlight> {
 public:
  using Pair = std::pair<std::size_t, std::size_t>;
  using Toy = NetToy;

  explicit ToyNet(std::size_t peers, std::uint64_t seed = 1, std::vector<std::size_t> order = {})
      : ToyHost(peers, seed, std::move(order)) {}

  void Link(std::size_t a, std::size_t b) {
    if (a == b || Linked(a, b)) return;
    Up(a, b, true);
    Up(b, a, false);
  }

  bool Linked(std::size_t a, std::size_t b) {
    return toys[a].links.Find(toys[b].ref, Part(a)) != nullptr;
  }

  void Unlink(std::size_t a, std::size_t b) {
    Down(a, b, LinkDownReason::kTimeout);
    Down(b, a, LinkDownReason::kTimeout);
  }

  // One link to a random peer of every bucket that is not empty, used both ways.
  void LinkAllBuckets() {
    for (std::size_t i = 0; i < toys.size(); ++i) {
      std::map<int, std::vector<std::size_t>> buckets;
      for (std::size_t j = 0; j < toys.size(); ++j) {
        if (j != i) buckets[CommonPrefixLength(toys[i].id, toys[j].id)].push_back(j);
      }
      for (const auto& [bucket, members] : buckets) {
        Link(i, members[rng_.Below(static_cast<std::uint32_t>(members.size()))]);
      }
    }
  }

  void LinkRing(std::size_t each_side) {
    for (std::size_t i = 0; i < toys.size(); ++i) {
      for (std::size_t step = 1; step <= each_side; ++step) Link(i, (i + step) % toys.size());
    }
  }

  void Send(std::size_t from, const NodeId& target, std::uint32_t request, int copies = 1,
            bool receipt = true, Duration deadline = Duration::Seconds(30)) {
    const tombolo::Send send{
        request, target, NewPayload(), deadline, static_cast<std::uint8_t>(copies), receipt};
    toys[from].relay.Send(send, toys[from].links.rows(), Part(from));
    Drain(from);
  }

  void Connect(std::size_t from, std::size_t to, std::uint32_t request) {
    Toy& toy = toys[from];
    if (const auto number = toy.requests.Start({request, toys[to].id}, Part(from))) {
      toy.relay.RequestLink(*number, toys[to].id, toy.links.rows(), Part(from));
    }
    Drain(from);
  }

  // Runs until nothing is left to do, or `limit` has passed.
  void Run(Duration limit = Duration::Minutes(10)) {
    RunUntil(
        now + limit, [&](std::size_t i) { return Deadline(i); }, [&](std::size_t i) { Tick(i); },
        [&](const NetFlight& flight) { Arrive(flight); });
  }

  // A message that did not come from a part.
  void Inject(std::size_t from, std::size_t to, const Message& message) {
    Arrive({from, to, message, FlightKind::kMessage, LinkDownReason::kClosed});
  }

  std::optional<Event> EndOf(std::size_t peer, std::uint32_t request) const {
    std::optional<Event> end;
    for (const auto& [at, event] : toys[peer].events) {
      const auto* delivered = std::get_if<Delivered>(&event);
      const auto* failed = std::get_if<Failed>(&event);
      if ((delivered && delivered->request == request) || (failed && failed->request == request)) {
        EXPECT_FALSE(end.has_value()) << "request " << request << " ended twice";
        end = event;
      }
    }
    return end;
  }

  bool IsDelivered(std::size_t peer, std::uint32_t request) const {
    const auto end = EndOf(peer, request);
    return end && std::holds_alternative<Delivered>(*end);
  }

  std::optional<FailReason> Failure(std::size_t peer, std::uint32_t request) const {
    const auto end = EndOf(peer, request);
    if (!end || !std::holds_alternative<Failed>(*end)) return std::nullopt;
    return std::get<Failed>(*end).reason;
  }

  template <class E>
  std::size_t Count(std::size_t peer) const {
    return static_cast<std::size_t>(
        std::count_if(toys[peer].events.begin(), toys[peer].events.end(),
                      [](const auto& entry) { return std::holds_alternative<E>(entry.second); }));
  }

  // Nothing under way, and every payload given up exactly once by everybody.
  void ExpectQuiet() const {
    for (const Toy& toy : toys) {
      EXPECT_EQ(toy.relay.pending_hops(), 0U);
      EXPECT_EQ(toy.relay.pending_sends(), 0U);
      EXPECT_EQ(toy.relay.next_deadline(), kNever);
    }
    ExpectNoShares();
  }

  // What the parts want done.
  void Drain(std::size_t i) {
    DrainNews(i);
    for (const OutgoingMessage& message : out.sends())
      Post(i, IndexOf(message.to), message.message);
    for (const PeerRef peer : out.dials()) PostLink(i, IndexOf(peer), FlightKind::kUp);
    for (const OutgoingHangup& hangup : out.hangups())
      PostLink(i, IndexOf(hangup.peer), FlightKind::kDown);
    for (const Payload& payload : out.releases()) Share(payload, -1);
    for (const Event& event : out.events()) {
      toys[i].events.emplace_back(now, event);
      if (const auto* arrived = std::get_if<MessageArrived>(&event)) Share(arrived->payload, -1);
    }
    CountDrops();
    out.Clear();
  }

  std::set<Pair> dead;     // links that swallow everything, lower index first
  std::set<Pair> no_dial;  // dials that fail
  std::set<std::size_t> droppers;
  std::map<Pair, Duration> delays;  // one-way, of some pairs, the smaller number first
  std::size_t data_messages = 0;    // forwards of application bytes, lost ones included
  std::size_t control_messages = 0;

 private:
  void Up(std::size_t at, std::size_t peer, bool outbound) {
    Toy& toy = toys[at];
    const PartStep part = Part(at);
    const PeerRef ref = toys[peer].ref;
    const bool wanted = toy.requests.Wants(ref, part);
    const LinkAttributes attributes{outbound, directory.dialable(ref)};
    if (toy.links.OnUp(ref, attributes, wanted, {}, part)) {
      toy.requests.OnLinkUp(ref, part);
    } else if (wanted) {
      toy.requests.OnDialFailed(ref, part);
    }
    Drain(at);
  }

  void Down(std::size_t at, std::size_t peer, LinkDownReason reason) {
    Toy& toy = toys[at];
    const PartStep part = Part(at);
    const PeerRef ref = toys[peer].ref;
    if (toy.links.OnDown(ref, reason, part)) toy.relay.OnLinkDown(ref, toy.links.rows(), part);
    if (reason == LinkDownReason::kDialFailed) toy.requests.OnDialFailed(ref, part);
    Drain(at);
  }

  void Receive(std::size_t at, PeerRef from, const Message& message) {
    Toy& toy = toys[at];
    const PartStep part = Part(at);
    const std::span<tombolo::Link> rows = toy.links.rows();
    if (const auto* forward = std::get_if<Forward>(&message)) {
      toy.relay.OnForward(from, *forward, rows, part);
    } else if (const auto* ack = std::get_if<HopAck>(&message)) {
      toy.relay.OnHopAck(from, *ack, rows, part);
    } else if (const auto* probe = std::get_if<HopProbe>(&message)) {
      toy.relay.OnHopProbe(from, *probe, rows, part);
    } else if (const auto* evict = std::get_if<Evict>(&message)) {
      if (toy.links.OnEvict(from, *evict, part)) toy.relay.OnLinkDown(from, toy.links.rows(), part);
    }
    Drain(at);
  }

  void Tick(std::size_t i) {
    toys[i].relay.Tick(toys[i].links.rows(), Part(i));
    toys[i].requests.Tick(Part(i));
    Drain(i);
  }

  Time Deadline(std::size_t i) const {
    if (!toys[i].up) return kNever;
    return std::min(toys[i].relay.next_deadline(), toys[i].requests.next_deadline());
  }

  void DrainNews(std::size_t i) {
    Toy& toy = toys[i];
    const PartStep part = Part(i);
    while (const std::optional<RelayNews> news = toy.relay.TakeNews()) {
      PeerRef dial = PeerRef::kNone;
      const bool asked = news->kind == RelayNews::Kind::kRequest;
      if (asked) {
        const LinkRequests::Reply reply = toy.requests.OnRequest(*news, part);
        toy.relay.Answer(*news, reply.kind, toy.links.rows(), part);
        dial = reply.dial;
      } else {
        dial = toy.requests.OnAnswer(*news, part);
      }
      if (dial != PeerRef::kNone && !toy.links.Dial(dial, !asked, part) && !asked) {
        toy.requests.OnDialFailed(dial, part);
      }
    }
  }

  Duration Delay(std::size_t a, std::size_t b) const {
    const auto [low, high] = std::minmax(a, b);
    if (const auto given = delays.find({low, high}); given != delays.end()) return given->second;
    return Duration::Milliseconds(10) + Duration::Microseconds(static_cast<std::int64_t>(
                                            Mix64(low * 1'000'003 + high) % 40'000));
  }

  void Post(std::size_t from, std::size_t to, const Message& message) {
    const auto* forward = std::get_if<Forward>(&message);
    const bool data = forward != nullptr && forward->kind == ForwardKind::kData;
    ++(data ? data_messages : control_messages);
    if (!toys[to].up || dead.contains(std::minmax(from, to)) || rng_.Chance(loss)) return;
    Share(PayloadOf(message), +1);
    const Time at = now + Delay(from, to);
    Fly(at, {from, to, message, FlightKind::kMessage, {}});
    if (!rng_.Chance(duplicate)) return;
    Share(PayloadOf(message), +1);
    Fly(at + Duration::Milliseconds(7), {from, to, message, FlightKind::kMessage, {}});
  }

  // LinkUp or LinkDown at both ends.
  void PostLink(std::size_t from, std::size_t to, FlightKind kind) {
    const Time at = now + Delay(from, to);
    const bool fails = kind == FlightKind::kUp && (no_dial.contains({from, to}) || !toys[to].up);
    Fly(at, {to,
             from,
             {},
             fails ? FlightKind::kDown : kind,
             fails ? LinkDownReason::kDialFailed : LinkDownReason::kHungUp});
    if (fails) return;
    Fly(at + Duration{1}, {from, to, Message{Leave{}}, kind, LinkDownReason::kClosed});
  }

  void Arrive(const NetFlight& flight) {
    if (!toys[flight.to].up) return Share(PayloadOf(flight.message), -1);
    if (Swallows(flight)) return;
    switch (flight.kind) {
      case FlightKind::kMessage:
        return Receive(flight.to, toys[flight.from].ref, flight.message);
      case FlightKind::kUp:  // the dialling side is told first
        return Up(flight.to, flight.from, !std::holds_alternative<Leave>(flight.message));
      case FlightKind::kDown:
        return Down(flight.to, flight.from, flight.reason);
    }
  }

  // Droppers say that they pass a message on, and do not.
  bool Swallows(const NetFlight& flight) {
    const auto* forward = std::get_if<Forward>(&flight.message);
    if (forward == nullptr || !droppers.contains(flight.to)) return false;
    if (forward->target == toys[flight.to].id) return false;
    Share(forward->payload, -1);
    Post(flight.to, flight.from, HopAck{forward->hop, HopStatus::kAccepted});
    return true;
  }
};

}  // namespace tombolo
